import type { ClientInfo } from "@nats-streaming/store";
import { createByteMap } from "./byte-map.ts";
import { type Client, closed, newClient } from "./client.ts";
import { createClientDigest } from "./client-digest.ts";
import { rangeEquals } from "./range-equals.ts";

/** All registered clients, by client ID and by connection ID. */
export interface Clients {
  readonly size: number;
  get(clientId: string): Client | undefined;
  /**
   * The owner of a connection ID given as a range of bytes; undefined for an empty one.
   * Of two clients with one connection ID the later owns it. @see protocol.md 7.5
   */
  byConnection(bytes: Uint8Array, start: number, end: number): Client | undefined;
  /** The client ID must be free. */
  add(info: ClientInfo): Client;
  /** Forgets a client and stops its heartbeats; harmless for one that is not registered any more. */
  remove(client: Client): void;
  all(): IterableIterator<Client>;
  /** Client IDs in byte order; the same array until a client comes or goes. */
  sortedIds(): readonly string[];
  /** 8 bytes that are equal when the same clients are registered. */
  digest(): Uint8Array;
}

export function createClients(): Clients {
  const byId = new Map<string, Client>();
  const byConnId = createByteMap<Client>();
  const digest = createClientDigest();
  let sorted: readonly string[] | undefined;
  /** Whom the last publish came from: mostly who sends the next one, too. */
  let latest: Client | undefined;

  return {
    get size() {
      return byId.size;
    },
    get: (clientId) => byId.get(clientId),
    byConnection(bytes, start, end) {
      if (start === end) return undefined;
      if (latest !== undefined && rangeEquals(bytes, start, end, latest.info.connId)) return latest;
      const client = byConnId.get(bytes, start, end);
      if (client !== undefined) latest = client;
      return client;
    },
    add(info) {
      const client = newClient(info);
      byId.set(info.id, client);
      digest.add(info);
      if (info.connId.length > 0) byConnId.set(info.connId, client);
      sorted = undefined;
      latest = undefined;
      return client;
    },
    remove(client) {
      closed(client);
      if (byId.get(client.info.id) !== client) return;
      byId.delete(client.info.id);
      digest.remove(client.info);
      const { connId } = client.info;
      if (byConnId.get(connId, 0, connId.length) === client) byConnId.delete(connId);
      sorted = undefined;
      latest = undefined;
    },
    all: () => byId.values(),
    sortedIds() {
      sorted ??= [...byId.keys()].sort();
      return sorted;
    },
    digest: () => digest.bytes(),
  };
}
