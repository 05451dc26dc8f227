import { byteString } from "@nats-streaming/protocol";
import {
  type ClientInfo,
  decodeClientInfo,
  decodeRecords,
  PeerKind,
  type PeerMsg,
  PeerPhase,
} from "@nats-streaming/protocol/spb";
import { isServerId } from "./seniority.ts";

/*
 * How a newcomer learns the clients that others know: no I/O, no clock.
 *
 *   gathering: hello to all, until everybody who serves has said how many clients it knows, and their digest
 *   fetching:  servers with equal digests know the same clients, so one of each kind is asked, page by page;
 *              when it does not answer, the next one of that kind
 *   done
 */

export type CollectorInput =
  /** @param peers server IDs of those known to serve */
  | { readonly kind: "begin"; readonly peers: readonly string[] }
  | { readonly kind: "message"; readonly message: PeerMsg }
  | { readonly kind: "time" };

export type CollectorOutput =
  /** To all, answered to the collector. */
  | { readonly kind: "send_hello" }
  | { readonly kind: "ask_page"; readonly serverId: string; readonly cursor: string }
  | { readonly kind: "adopt"; readonly clients: readonly ClientInfo[] }
  | ({ readonly kind: "done" } & CollectOutcome);

/** What was learned of the clients of other servers. */
export interface CollectOutcome {
  /** Records taken over; a client that servers with different digests know counts for each. */
  readonly adopted: number;
  /** Whether somebody known to have clients could not be asked to the end. */
  readonly isComplete: boolean;
}

export interface ClientCollector {
  readonly deadline: number | undefined;
  step(input: CollectorInput, now: number): readonly CollectorOutput[];
}

/** How long everybody has to say hello, per round, and how many rounds there are for those who did not. */
const HELLO_MILLIS = 250;
const HELLO_ROUNDS_MAX = 4;
/** How long one page may take, and how often one server is asked for it. */
const PAGE_MILLIS = 500;
const PAGE_ATTEMPTS_MAX = 3;
/** Kinds of servers that are asked at the same time. */
const FETCHES_MAX = 4;
/** However many clients there are: after this time the newcomer goes on with those it has. */
const COLLECT_MILLIS_MAX = 30_000;
/** Clients that are taken over at most; whoever offers more is broken or means harm. */
const ADOPTED_MAX = 4_000_000;

/** Servers that know the same clients, and how far one of them has been asked. */
interface Fetch {
  readonly sources: string[];
  source: string;
  cursor: string;
  attempts: number;
  due: number;
}

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "gathering"; readonly round: number; readonly due: number }
  | { readonly kind: "fetching" }
  | { readonly kind: "done" };

export function createClientCollector(): ClientCollector {
  return new PagingCollector();
}

class PagingCollector implements ClientCollector {
  #state: State = { kind: "idle" };
  #outputs: CollectorOutput[] = [];
  readonly #awaited = new Set<string>();
  /** Sources by digest and count. */
  readonly #kinds = new Map<string, string[]>();
  readonly #heard = new Set<string>();
  readonly #waiting: Fetch[] = [];
  readonly #fetches = new Map<string, Fetch>();
  #limit = 0;
  #adopted = 0;
  #isComplete = true;

  get deadline(): number | undefined {
    if (this.#state.kind === "gathering") return this.#state.due;
    if (this.#state.kind !== "fetching") return undefined;
    let due = this.#limit;
    for (const fetch of this.#fetches.values()) due = Math.min(due, fetch.due);
    return due;
  }

  step(input: CollectorInput, now: number): readonly CollectorOutput[] {
    this.#outputs = [];
    if (input.kind === "begin") this.#begin(input.peers, now);
    else if (input.kind === "message") this.#take(input.message, now);
    else this.#time(now);
    return this.#outputs;
  }

  #begin(peers: readonly string[], now: number): void {
    if (this.#state.kind !== "idle") return;
    this.#limit = now + COLLECT_MILLIS_MAX;
    for (const peer of peers) this.#awaited.add(peer);
    if (this.#awaited.size === 0) this.#done();
    else this.#gather(1, now);
  }

  #gather(round: number, now: number): void {
    this.#state = { kind: "gathering", round, due: now + HELLO_MILLIS };
    this.#outputs.push({ kind: "send_hello" });
  }

  #time(now: number): void {
    const state = this.#state;
    if (this.deadline === undefined || now < this.deadline) return;
    if (state.kind === "gathering") {
      if (state.round < HELLO_ROUNDS_MAX) this.#gather(state.round + 1, now);
      else this.#fetchAll(now);
      return;
    }
    if (now >= this.#limit) {
      this.#isComplete = false;
      this.#done();
      return;
    }
    for (const fetch of [...this.#fetches.values()]) {
      if (fetch.due > now) continue;
      fetch.attempts++;
      if (fetch.attempts < PAGE_ATTEMPTS_MAX) this.#ask(fetch, now);
      else this.#giveUp(fetch, now);
    }
  }

  #take(message: PeerMsg, now: number): void {
    const { serverId } = message;
    if (!isServerId(serverId)) return;
    if (message.kind === PeerKind.hello) this.#helloFrom(message, now);
    else if (message.kind === PeerKind.clients) this.#pageFrom(message, now);
  }

  #helloFrom(message: PeerMsg, now: number): void {
    if (this.#state.kind !== "gathering" || this.#heard.has(message.serverId)) return;
    this.#heard.add(message.serverId);
    this.#awaited.delete(message.serverId);
    if (message.phase === PeerPhase.serving && message.clientCount > 0) {
      const kind = `${message.clientCount} ${byteString(message.clientDigest)}`;
      const sources = this.#kinds.get(kind);
      if (sources === undefined) this.#kinds.set(kind, [message.serverId]);
      else sources.push(message.serverId);
    }
    if (this.#awaited.size === 0) this.#fetchAll(now);
  }

  #fetchAll(now: number): void {
    this.#state = { kind: "fetching" };
    if (this.#awaited.size > 0) this.#isComplete = false;
    for (const [source, ...sources] of this.#kinds.values()) {
      if (source !== undefined) this.#waiting.push({ sources, source, cursor: "", attempts: 0, due: 0 });
    }
    this.#next(now);
  }

  #next(now: number): void {
    while (this.#fetches.size < FETCHES_MAX) {
      const fetch = this.#waiting.shift();
      if (fetch === undefined) break;
      this.#fetches.set(fetch.source, fetch);
      this.#ask(fetch, now);
    }
    if (this.#fetches.size === 0) this.#done();
  }

  #ask(fetch: Fetch, now: number): void {
    fetch.due = now + PAGE_MILLIS;
    this.#outputs.push({ kind: "ask_page", serverId: fetch.source, cursor: fetch.cursor });
  }

  /** The answer repeats the cursor of its question in `clientId`. */
  #pageFrom(message: PeerMsg, now: number): void {
    const fetch = this.#fetches.get(message.serverId);
    if (this.#state.kind !== "fetching" || fetch === undefined || message.clientId !== fetch.cursor) return;
    const clients = readClients(message.data);
    const isEnd = message.cursor === "";
    // A cursor that does not move on would be asked for for ever.
    if (clients === undefined || (!isEnd && message.cursor <= fetch.cursor)) {
      this.#giveUp(fetch, now);
      return;
    }
    this.#adopted += clients.length;
    if (clients.length > 0) this.#outputs.push({ kind: "adopt", clients });
    if (this.#adopted > ADOPTED_MAX) {
      this.#isComplete = false;
      this.#done();
    } else if (isEnd) {
      this.#fetches.delete(fetch.source);
      this.#next(now);
    } else {
      fetch.cursor = message.cursor;
      fetch.attempts = 0;
      this.#ask(fetch, now);
    }
  }

  /** The next server of the same kind goes on where this one stopped. */
  #giveUp(fetch: Fetch, now: number): void {
    this.#fetches.delete(fetch.source);
    const source = fetch.sources.shift();
    if (source === undefined) {
      this.#isComplete = false;
    } else {
      fetch.source = source;
      fetch.attempts = 0;
      this.#waiting.push(fetch);
    }
    this.#next(now);
  }

  #done(): void {
    this.#state = { kind: "done" };
    this.#fetches.clear();
    this.#outputs.push({ kind: "done", adopted: this.#adopted, isComplete: this.#isComplete });
  }
}

/** Records that are no client at all are skipped; undefined when the page itself cannot be read. */
function readClients(data: Uint8Array): readonly ClientInfo[] | undefined {
  const records = decodeRecords(data);
  if (records === undefined) return undefined;
  const clients: ClientInfo[] = [];
  for (const record of records) {
    const read = decodeClientInfo(record);
    if (read.kind === "ok" && isClient(read.value)) clients.push(read.value);
  }
  return clients;
}

/** Whether it is one that a connect request could have registered. @see protocol.md 7 */
export function isClient(client: ClientInfo): boolean {
  return CLIENT_ID.test(client.id) && client.hbInbox !== "";
}

const CLIENT_ID = /^[a-zA-Z0-9_-]+$/;
