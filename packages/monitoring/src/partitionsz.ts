import { type Clock, nowNanos, timestampNanos } from "@nats-streaming/kernel";
import { arrayTexts, elementWithArray } from "./array-texts.ts";
import { type JsonValue, toJson, withoutEnd } from "./json.ts";
import type { LongDocument, LongElement } from "./long-document.ts";
import { type Page, pageRange, readPage } from "./paging.ts";
import type { PartitionServer, PartitionSnapshot } from "./partition-snapshot.ts";
import type { MonitoringSource } from "./source.ts";
import { formatTime } from "./time.ts";

const NOBODY: PartitionSnapshot = { servers: [], conflicts: [], unowned: [], isComplete: true };

/**
 * The partition map. `offset` and `limit` page each of its lists: the entries of every server, the conflicts and the
 * channels without owner; the totals say how long they are.
 */
export function partitionszDocument(
  source: MonitoringSource,
  map: PartitionSnapshot | undefined,
  clock: Clock,
  query: URLSearchParams,
): LongDocument {
  const page = readPage(query);
  const { servers, conflicts, unowned, isComplete } = map ?? NOBODY;
  const { clusterId, serverId } = source.server();
  const opening = toJson({
    cluster_id: clusterId,
    server_id: serverId,
    now: formatTime(nowNanos(clock)),
    partitioning: map !== undefined,
    complete: isComplete,
    offset: page.offset,
    limit: page.limit,
  });
  const some = servers.length > 0;
  return {
    head: () => `${withoutEnd(opening)},\n  "servers": [`,
    elements: serverElements(servers, serverId, page),
    expected: servers.length,
    *tail(): Iterable<string> {
      yield `${some ? "\n  " : ""}],\n  "conflicts_total": ${conflicts.length},\n  "conflicts": `;
      yield* arrayTexts(cut(page, conflicts), "  ", ({ name, servers: both }) => ({ name, servers: [...both] }));
      yield `,\n  "unowned_total": ${unowned.length},\n  "unowned": `;
      yield* arrayTexts(cut(page, unowned), "  ", ({ channel, serverIds }) => ({ channel, stored_by: [...serverIds] }));
      yield "\n}";
    },
  };
}

function* serverElements(servers: readonly PartitionServer[], own: string, page: Page): Iterable<LongElement> {
  for (const server of servers) {
    const value: JsonValue = {
      server_id: server.serverId,
      self: server.serverId === own,
      kind: server.kind,
      state: server.phase,
      since: server.since === 0 ? undefined : formatTime(timestampNanos(BigInt(Math.trunc(server.since)) * 1_000_000n)),
      clients: server.clientCount,
      entries_total: server.entries.length,
    };
    yield* elementWithArray(value, "entries", cut(page, server.entries), (entry) => entry);
  }
}

function cut<T>(page: Page, list: readonly T[]): readonly T[] {
  const { offset, limit } = pageRange(page, list.length);
  return list.slice(offset, offset + limit);
}
