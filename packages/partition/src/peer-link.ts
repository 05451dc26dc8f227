import {
  type Bus,
  BusError,
  type BusMessage,
  type BusReply,
  type BusSubscription,
  type Clock,
  nuidSource,
  type Random,
} from "@nats-streaming/kernel";
import { byteString } from "@nats-streaming/protocol";
import {
  type ClientInfo,
  decodeClientInfo,
  decodePeerMsg,
  encodePeerMsg,
  PeerKind,
  PeerKnowledge,
  type PeerMsg,
  PeerPhase,
  peerSubject,
  peersSubject,
} from "@nats-streaming/protocol/spb";
import { type CollectOutcome, createClientCollector, isClient } from "./client-collector.ts";
import type { ClientKnowledge, ClientQuestion } from "./client-source.ts";
import type { PeerAnswers } from "./peer-answers.ts";
import type { PeerBook } from "./peer-book.ts";
import { isServerId, type Standing } from "./seniority.ts";
import type { PartitionTiming } from "./timing.ts";

/** This server's line to the others of its kind: answers them, and asks them. */
export interface PeerLink {
  /** Begins to listen, and says hello. @throws BusError `closed` */
  start(): void;
  /** Says to everybody who this is, and lets them answer. Nothing is said while the line is down. */
  sayHello(): void;
  askStanding(serverId: string, name: string): Promise<Standing>;
  /**
   * Asks the others, at most eight of them.
   * @returns what those that answered in time know, and how many did not answer
   */
  lookup(question: ClientQuestion): Promise<LookupResult>;
  /** Hands over every client that a server known to serve knows; some come more than once. */
  collectClients(adopt: (clients: readonly ClientInfo[]) => void): Promise<CollectOutcome>;
  /** Says goodbye and falls silent. Idempotent. */
  close(): void;
}

/** What the other servers answered, and how many did not. */
export interface LookupResult {
  readonly answers: readonly ClientKnowledge[];
  readonly silent: number;
}

export interface PeerLinkOptions {
  readonly clusterId: string;
  readonly serverId: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly timing: PartitionTiming;
  readonly book: PeerBook;
  readonly answers: PeerAnswers;
  /** An elder server asks for this one's standing because of a channel. */
  onChallenged(serverId: string, since: number, name: string): void;
  onBye(serverId: string): void;
}

/** Questions about clients under way; beyond, they count as unanswered, as if there were no other servers. */
const LOOKUPS_MAX = 4_096;

export function openPeerLink(options: PeerLinkOptions): PeerLink {
  return new BusPeerLink(options);
}

class BusPeerLink implements PeerLink {
  readonly #options: PeerLinkOptions;
  readonly #inbox: string;
  readonly #subscriptions: BusSubscription[] = [];
  #collecting: ((message: PeerMsg) => void) | undefined;
  #endCollecting: (() => void) | undefined;
  #lookups = 0;
  #isClosed = false;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.#inbox = `_INBOX.${nuidSource(options.random)()}`;
  }

  start(): void {
    const { bus, clusterId, serverId } = this.#options;
    this.#subscriptions.push(
      bus.subscribe(this.#inbox, (message) => this.#answered(message)),
      bus.subscribe(peersSubject(clusterId), (message) => this.#asked(message, false)),
    );
    if (isServerId(serverId)) {
      this.#subscriptions.push(
        bus.subscribe(peerSubject(clusterId, serverId), (message) => this.#asked(message, true)),
      );
    }
    this.sayHello();
  }

  sayHello(): void {
    this.#publish(peersSubject(this.#options.clusterId), this.#options.answers.hello(), this.#inbox);
  }

  async askStanding(serverId: string, name: string): Promise<Standing> {
    const { answers, timing, book } = this.#options;
    const reply = await this.#request(serverId, answers.hello(name), timing.standingMillis);
    const message = reply.kind === "reply" ? readPeerMsg(reply.payload) : undefined;
    if (message === undefined || message.serverId !== serverId) return { kind: "silent", isKnown: book.has(serverId) };
    book.note(serverId, message.phase, message.since);
    if (message.phase === PeerPhase.serving && message.since > 0) return { kind: "serving", since: message.since };
    return { kind: "starting" };
  }

  async lookup(question: ClientQuestion): Promise<LookupResult> {
    const { book, clock } = this.#options;
    const { clientId, connId } = question;
    const key = clientId === "" ? byteString(connId) : clientId;
    const asked = book.toAsk(key, clock.monotonicMillis());
    if (asked.length === 0) return { answers: [], silent: 0 };
    if (this.#lookups >= LOOKUPS_MAX || this.#isClosed) return { answers: [], silent: asked.length };
    const payload = encodePeerMsg({ ...this.#self(), kind: PeerKind.lookup, clientId, connId });
    this.#lookups++;
    const replies = await Promise.all(asked.map((serverId) => this.#ask(serverId, payload)));
    this.#lookups--;
    const answers = replies.filter((reply) => reply !== undefined);
    return { answers, silent: asked.length - answers.length };
  }

  collectClients(adopt: (clients: readonly ClientInfo[]) => void): Promise<CollectOutcome> {
    const { book, clock, clusterId } = this.#options;
    const collector = createClientCollector();
    return new Promise((resolve) => {
      let timer = clock.setTimer(0, () => {});
      const end = (outcome: CollectOutcome): void => {
        timer.cancel();
        this.#collecting = undefined;
        this.#endCollecting = undefined;
        resolve(outcome);
      };
      // On a local bus answers arrive inside the call that asked for them: they wait until it is done.
      const inputs: Parameters<typeof collector.step>[0][] = [];
      let isWorking = false;
      const step = (input: Parameters<typeof collector.step>[0]): void => {
        inputs.push(input);
        if (isWorking) return;
        isWorking = true;
        for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
          for (const output of collector.step(next, clock.monotonicMillis())) {
            if (output.kind === "send_hello") this.sayHello();
            else if (output.kind === "ask_page") {
              const question = encodePeerMsg({ ...this.#self(), kind: PeerKind.clients, cursor: output.cursor });
              this.#publish(peerSubject(clusterId, output.serverId), question, this.#inbox);
            } else if (output.kind === "adopt") adopt(output.clients);
            else end(output);
          }
        }
        isWorking = false;
        timer.cancel();
        const { deadline } = collector;
        if (deadline === undefined) return;
        timer = clock.setTimer(deadline - clock.monotonicMillis(), () => step({ kind: "time" }));
      };
      this.#collecting = (message) => step({ kind: "message", message });
      this.#endCollecting = () => end({ adopted: 0, isComplete: false });
      if (this.#isClosed) end({ adopted: 0, isComplete: false });
      else step({ kind: "begin", peers: book.serving().map(({ serverId }) => serverId) });
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#publish(peersSubject(this.#options.clusterId), this.#options.answers.bye(), "");
    this.#isClosed = true;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#endCollecting?.();
  }

  #self(): Partial<PeerMsg> {
    return { serverId: this.#options.serverId, phase: PeerPhase.observer };
  }

  async #ask(serverId: string, payload: Uint8Array): Promise<ClientKnowledge | undefined> {
    const { book, clock, timing } = this.#options;
    const reply = await this.#request(serverId, payload, timing.peerAnswerMillis);
    if (reply.kind === "no_responders") book.remove(serverId);
    else if (reply.kind === "timeout") book.silent(serverId, clock.monotonicMillis());
    const message = reply.kind === "reply" ? readPeerMsg(reply.payload) : undefined;
    return message === undefined ? undefined : readKnowledge(message);
  }

  #request(serverId: string, payload: Uint8Array, timeoutMillis: number): Promise<BusReply> {
    return this.#options.bus.request(peerSubject(this.#options.clusterId, serverId), payload, timeoutMillis);
  }

  /** Somebody has sent something to all, or to this server alone. */
  #asked(message: BusMessage, isDirect: boolean): void {
    const question = readPeerMsg(message.bytes, message.start, message.end);
    if (question === undefined || question.serverId === this.#options.serverId) return;
    const { book } = this.#options;
    const { reply } = message;
    if (question.kind === PeerKind.bye) {
      book.remove(question.serverId);
      this.#options.onBye(question.serverId);
      return;
    }
    if (question.kind === PeerKind.hello) book.note(question.serverId, question.phase, question.since);
    if (reply !== "") {
      const answer = this.#options.answers.to(question);
      if (answer !== undefined) this.#publish(reply, answer, "");
    }
    const isChallenge = isDirect && question.kind === PeerKind.hello && question.cursor !== "";
    if (isChallenge && question.phase === PeerPhase.serving) {
      this.#options.onChallenged(question.serverId, question.since, question.cursor);
    }
  }

  #answered(message: BusMessage): void {
    const answer = readPeerMsg(message.bytes, message.start, message.end);
    if (answer === undefined) return;
    if (answer.kind === PeerKind.hello) this.#options.book.note(answer.serverId, answer.phase, answer.since);
    this.#collecting?.(answer);
  }

  /** What cannot be sent now is not sent: whoever waits for an answer finds out by its own time. */
  #publish(subject: string, payload: Uint8Array, reply: string): void {
    if (this.#isClosed) return;
    try {
      this.#options.bus.publish(subject, payload, reply);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
    }
  }
}

function readPeerMsg(bytes: Uint8Array, start = 0, end: number = bytes.length): PeerMsg | undefined {
  const read = decodePeerMsg(bytes, start, end);
  return read.kind === "ok" && isServerId(read.value.serverId) ? read.value : undefined;
}

/** Undefined for what is no answer to a lookup. */
function readKnowledge(message: PeerMsg): ClientKnowledge | undefined {
  if (message.kind !== PeerKind.lookup) return undefined;
  switch (message.knowledge) {
    case PeerKnowledge.unknown:
      return { kind: "unknown" };
    case PeerKnowledge.closed:
      return { kind: "closed" };
    case PeerKnowledge.known:
    case PeerKnowledge.alive:
    case PeerKnowledge.pending: {
      const client = decodeClientInfo(message.data);
      if (client.kind === "invalid" || !isClient(client.value)) return undefined;
      return { kind: CLIENT_KINDS[message.knowledge], client: client.value };
    }
    default:
      return undefined;
  }
}

const CLIENT_KINDS = {
  [PeerKnowledge.known]: "known",
  [PeerKnowledge.alive]: "alive",
  [PeerKnowledge.pending]: "pending",
} as const;
