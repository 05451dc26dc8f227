import { type ClientInfo, PeerKind, type PeerMsg } from "@nats-streaming/protocol/spb";
import { type ClientCollector, type CollectorOutput, createClientCollector } from "../src/client-collector.ts";
import { type ClientSource, noClients } from "../src/client-source.ts";
import type { PeerBook } from "../src/peer-book.ts";
import type { SimulatedNetwork } from "./simulated-network.ts";
import type { SimulatedServer } from "./simulated-server.ts";

/** The clients of a simulated server, which learns them and keeps them as the streaming engine does. */
export interface SimulatedClients {
  readonly source: ClientSource;
  readonly ids: ReadonlySet<string>;
  /** Whether it answers clients. */
  readonly isLive: boolean;
  /** How long it took to learn the others' clients, in milliseconds. */
  readonly collectMillis: number;
  readonly isComplete: boolean;
  /** What those knew who were there when it began to learn, and who still serve and know it. */
  missed(): readonly string[];
  /** The server has been admitted: learns what the others know before it answers anybody. */
  begin(): void;
  request(id: string, action: "connect" | "close"): void;
  take(message: PeerMsg): void;
}

export function createSimulatedClients(
  network: SimulatedNetwork,
  server: Pick<SimulatedServer, "id" | "island" | "isAlive" | "isConnected">,
  book: PeerBook,
  say: (to: string | undefined, message: Partial<PeerMsg>) => void,
): SimulatedClients {
  return new LearningClients(network, server, book, say);
}

class LearningClients implements SimulatedClients {
  readonly ids = new Set<string>();
  isLive = false;
  isComplete = false;
  collectMillis = 0;
  readonly #network: SimulatedNetwork;
  readonly #server: Pick<SimulatedServer, "id" | "island" | "isAlive" | "isConnected">;
  readonly #book: PeerBook;
  readonly #say: (to: string | undefined, message: Partial<PeerMsg>) => void;
  readonly #collector: ClientCollector = createClientCollector();
  readonly #kept: (readonly [id: string, action: "connect" | "close"])[] = [];
  /** What the others knew when it began to ask, and who. */
  readonly #due = new Map<string, SimulatedServer[]>();
  #begunAt = 0;
  #digest = 0;
  #armed: number | undefined;

  constructor(
    network: SimulatedNetwork,
    server: Pick<SimulatedServer, "id" | "island" | "isAlive" | "isConnected">,
    book: PeerBook,
    say: (to: string | undefined, message: Partial<PeerMsg>) => void,
  ) {
    this.#network = network;
    this.#server = server;
    this.#book = book;
    this.#say = say;
  }

  get source(): ClientSource {
    const ids = this.ids;
    const digest = new Uint8Array(8);
    new DataView(digest.buffer).setInt32(0, this.#digest);
    return {
      ...noClients,
      clientCount: ids.size,
      clientDigest: () => digest,
      clientIds: () => [...ids].sort(),
      client: (id) => (ids.has(id) ? infoOf(id) : undefined),
    };
  }

  begin(): void {
    const { queue, servers } = this.#network;
    this.#begunAt = queue.now;
    const known = new Set(this.#book.serving().map(({ serverId }) => serverId));
    for (const peer of servers) {
      const isThere = peer.isAlive && peer.isConnected && peer.island === this.#server.island;
      if (!isThere || !known.has(peer.id)) continue;
      for (const id of peer.clients.ids) this.#due.set(id, [...(this.#due.get(id) ?? []), peer]);
    }
    this.#step({ kind: "begin", peers: [...known] });
  }

  request(id: string, action: "connect" | "close"): void {
    if (!this.isLive) {
      this.#kept.push([id, action]);
      return;
    }
    if (action === "connect") this.#add(id);
    else if (this.ids.delete(id)) this.#digest = (this.#digest - hash(id)) | 0;
  }

  missed(): readonly string[] {
    const isKnown = (id: string, peers: readonly SimulatedServer[]): boolean =>
      peers.some((peer) => peer.fate === "serving" && peer.clients.ids.has(id));
    return [...this.#due].filter(([id, peers]) => !this.ids.has(id) && isKnown(id, peers)).map(([id]) => id);
  }

  take(message: PeerMsg): void {
    if (message.kind === PeerKind.hello || message.kind === PeerKind.clients) this.#step({ kind: "message", message });
  }

  #add(id: string): void {
    if (this.ids.has(id)) return;
    this.ids.add(id);
    this.#digest = (this.#digest + hash(id)) | 0;
  }

  #step(input: Parameters<ClientCollector["step"]>[0]): void {
    const { queue } = this.#network;
    for (const output of this.#collector.step(input, queue.now)) this.#carryOut(output);
    const { deadline } = this.#collector;
    if (deadline === undefined || deadline === this.#armed) return;
    this.#armed = deadline;
    queue.at(deadline, () => {
      if (this.#armed === deadline) this.#armed = undefined;
      if (this.#server.isAlive) this.#step({ kind: "time" });
    });
  }

  #carryOut(output: CollectorOutput): void {
    switch (output.kind) {
      case "send_hello":
        this.#say(undefined, { kind: PeerKind.hello });
        return;
      case "ask_page":
        this.#say(output.serverId, { kind: PeerKind.clients, cursor: output.cursor });
        return;
      case "adopt":
        for (const { id } of output.clients) this.#add(id);
        return;
      default:
        this.isLive = true;
        this.isComplete = output.isComplete;
        this.collectMillis = this.#network.queue.now - this.#begunAt;
        for (const [id, action] of this.#kept) this.request(id, action);
    }
  }
}

function infoOf(id: string): ClientInfo {
  const connId = Buffer.from(`connection-of-${id}`);
  return { id, hbInbox: `_INBOX.heartbeats-of-${id}`, connId, protocol: 1, pingInterval: 5, pingMaxOut: 3 };
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return Math.imul(value ^ (value >>> 15), 0x85ebca6b);
}
