import { decodePeerMsg, encodePeerMsg, PeerKind, type PeerMsg, PeerPhase } from "@nats-streaming/protocol/spb";
import { type Coordinator, createCoordinator } from "../src/coordinator.ts";
import type { CoordinatorInput, CoordinatorOutput } from "../src/coordinator-io.ts";
import { createPeerAnswers, type PeerAnswers } from "../src/peer-answers.ts";
import { createPeerBook, type PeerBook } from "../src/peer-book.ts";
import type { Standing } from "../src/seniority.ts";
import { DEFAULT_TIMING } from "../src/timing.ts";
import { createSimulatedClients, type SimulatedClients } from "./simulated-clients.ts";
import type { LaunchOptions, SimulatedNetwork } from "./simulated-network.ts";

export type ServerFate = "starting" | "serving" | "refused" | "conflicted";

/** A coordinator with its peer messages, driven as `exchange.ts` and `peer-link.ts` drive them. */
export interface SimulatedServer {
  readonly id: string;
  readonly place: number;
  readonly names: readonly string[];
  readonly fate: ServerFate;
  readonly isAlive: boolean;
  /** Simulated time of its admission. */
  readonly admittedAt: number;
  /** Wall-clock time since which it says that it serves. */
  readonly since: number;
  /** When it came to its end. */
  readonly endedAt: number;
  /** Lists sent and answers given, in messages. */
  readonly sent: number;
  readonly answered: number;
  readonly deadline: number | undefined;
  readonly clients: SimulatedClients;
  /** Whether clients' requests reach it. */
  readonly hearsClients: boolean;
  /** Its NATS server: servers hear each other on one island only. */
  island: number;
  isConnected: boolean;
  start(): void;
  take(input: CoordinatorInput): void;
  client(id: string, action: "connect" | "close"): void;
  /** A message among servers of this kind. */
  peerMessage(payload: Uint8Array, from: SimulatedServer, isDirect: boolean, wantsAnswer: boolean): void;
}

export function createSimulatedServer(
  network: SimulatedNetwork,
  place: number,
  id: string,
  names: readonly string[],
  options: LaunchOptions,
): SimulatedServer {
  return new CoordinatedServer(network, place, id, names, options);
}

class CoordinatedServer implements SimulatedServer {
  readonly id: string;
  readonly place: number;
  readonly names: readonly string[];
  readonly clients: SimulatedClients;
  fate: ServerFate = "starting";
  admittedAt = 0;
  endedAt = 0;
  sent = 0;
  answered = 0;
  island: number;
  isConnected = true;
  readonly #network: SimulatedNetwork;
  readonly #withClients: boolean;
  readonly #coordinator: Coordinator;
  readonly #book: PeerBook;
  readonly #answers: PeerAnswers;
  #isStarted = false;
  #armed: number | undefined;

  constructor(network: SimulatedNetwork, place: number, id: string, names: readonly string[], options: LaunchOptions) {
    this.#network = network;
    this.id = id;
    this.place = place;
    this.names = names;
    this.island = options.island ?? 0;
    this.#withClients = options.withClients ?? false;
    const skew = options.clockSkewMillis ?? 0;
    this.#coordinator = createCoordinator({
      serverId: id,
      names,
      timing: DEFAULT_TIMING,
      conflictRule: "younger_exits",
      wallMillis: () => Math.round(1_000_000 + network.queue.now + skew),
      maxPayload: () => 1_048_576,
    });
    this.#book = createPeerBook(id);
    this.clients = createSimulatedClients(network, this, this.#book, (to, message) => this.#say(to, message));
    this.#answers = createPeerAnswers({
      serverId: id,
      since: () => this.#coordinator.since,
      source: () => this.clients.source,
      mapEntries: () => [],
      // Small, so that a few clients already take several pages.
      maxPayload: () => PAGE_PAYLOAD,
    });
  }

  get isAlive(): boolean {
    return this.#isStarted && (this.fate === "starting" || this.fate === "serving");
  }

  get since(): number {
    return this.#coordinator.since;
  }

  get deadline(): number | undefined {
    return this.isAlive ? this.#coordinator.deadline : undefined;
  }

  get hearsClients(): boolean {
    return this.fate === "serving" && this.#withClients;
  }

  start(): void {
    this.#isStarted = true;
    if (!this.isConnected) this.take({ kind: "disconnected" });
    this.#sayHello();
    this.take({ kind: "start" });
  }

  take(input: CoordinatorInput): void {
    if (!this.isAlive) return;
    for (const output of this.#coordinator.step(input, this.#network.queue.now)) this.#carryOut(output);
    this.#arm();
  }

  /** Each reply puts the deadline off: what was armed for an earlier one only looks again when it is due. */
  #arm(): void {
    const { queue } = this.#network;
    const { deadline } = this.#coordinator;
    if (deadline === undefined || (this.#armed !== undefined && this.#armed <= deadline)) return;
    this.#armed = deadline;
    queue.at(deadline, () => {
      if (this.#armed !== deadline) return;
      this.#armed = undefined;
      if ((this.#coordinator.deadline ?? 0) > queue.now) this.#arm();
      else this.take({ kind: "time" });
    });
  }

  client(id: string, action: "connect" | "close"): void {
    if (this.isAlive) this.clients.request(id, action);
  }

  peerMessage(payload: Uint8Array, from: SimulatedServer, isDirect: boolean, wantsAnswer: boolean): void {
    const read = decodePeerMsg(payload);
    if (read.kind === "invalid") throw new Error(read.reason);
    const message = read.value;
    if (message.kind === PeerKind.bye) {
      this.#book.remove(message.serverId);
      return;
    }
    if (message.kind === PeerKind.hello) this.#book.note(message.serverId, message.phase, message.since);
    if (!wantsAnswer) {
      this.clients.take(message);
      return;
    }
    const answer = this.#answers.to(message);
    if (answer !== undefined) {
      this.#network.deliver(this, from, (to) => to.peerMessage(answer, this, true, false));
    }
    if (isDirect && message.kind === PeerKind.hello && message.cursor !== "" && message.phase === PeerPhase.serving) {
      const { serverId, since, cursor } = message;
      this.take({ kind: "challenged", serverId, since, name: cursor });
    }
  }

  #carryOut(output: CoordinatorOutput): void {
    const network = this.#network;
    switch (output.kind) {
      case "send_list":
        this.#sendList(output.check, output.requests);
        return;
      case "answer":
        this.#answer(output.reply, output.payload);
        return;
      case "ask_standing":
        this.#askStanding(output.check, output.serverId, output.name);
        return;
      case "admitted":
        this.fate = "serving";
        this.admittedAt = network.queue.now;
        network.onAdmitted(this);
        this.#sayHello();
        if (this.#withClients) this.clients.begin();
        return;
      case "refused":
        this.#end("refused");
        return;
      case "conflict":
        this.#end("conflicted");
        return;
      default:
        return;
    }
  }

  #sendList(check: number, requests: readonly Uint8Array[]): void {
    const { queue } = this.#network;
    this.sent += requests.length;
    this.#sayHello();
    const reply = `${this.id} ${check}`;
    for (const payload of requests) {
      this.#network.broadcast(this, (peer) => peer.take({ kind: "request", payload, reply }));
    }
    queue.at(queue.now + this.#network.delay(), () => {
      if (this.isConnected) this.take({ kind: "sent", check });
    });
  }

  #answer(reply: string, payload: Uint8Array): void {
    const [id = "", check] = reply.split(" ");
    const peer = this.#network.find(id);
    this.answered++;
    if (peer === undefined) return;
    this.#network.deliver(this, peer, (to) => to.take({ kind: "reply", check: Number(check), payload }));
  }

  #askStanding(check: number, serverId: string, name: string): void {
    const network = this.#network;
    const peer = network.find(serverId);
    let isSettled = false;
    const settle = (standing: Standing): void => {
      if (isSettled) return;
      isSettled = true;
      this.take({ kind: "standing", check, serverId, standing });
    };
    network.queue.at(network.queue.now + DEFAULT_TIMING.standingMillis, () =>
      settle({ kind: "silent", isKnown: true }),
    );
    if (peer === undefined) return;
    const hello = this.#answers.hello(name);
    network.deliver(this, peer, (to) => {
      to.peerMessage(hello, this, true, true);
      // What it answers says since when it serves.
      const { since } = to;
      const standing: Standing = since > 0 ? { kind: "serving", since } : { kind: "starting" };
      network.deliver(to, this, () => settle(standing));
    });
  }

  #end(fate: "refused" | "conflicted"): void {
    this.#say(undefined, { kind: PeerKind.bye });
    this.fate = fate;
    this.endedAt = this.#network.queue.now;
  }

  #sayHello(): void {
    if (!this.#withClients) return;
    const hello = this.#answers.hello();
    this.#network.broadcast(this, (to) => to.peerMessage(hello, this, false, true));
  }

  #say(to: string | undefined, fields: Partial<PeerMsg>): void {
    if (!this.#withClients) return;
    const phase = this.since > 0 ? PeerPhase.serving : PeerPhase.starting;
    const payload = encodePeerMsg({ serverId: this.id, phase, since: this.since, ...fields });
    const peer = to === undefined ? undefined : this.#network.find(to);
    if (to === undefined) this.#network.broadcast(this, (other) => other.peerMessage(payload, this, false, true));
    else if (peer !== undefined) {
      this.#network.deliver(this, peer, (other) => other.peerMessage(payload, this, true, true));
    }
  }
}

/** Bytes of a page of clients: some ten of them. */
const PAGE_PAYLOAD = 3_000;
