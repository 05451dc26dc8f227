import { textToByteString } from "@nats-streaming/protocol";
import { createSubjectTree } from "@nats-streaming/subject";
import { channelScope } from "./channel-scope.ts";
import type { PartitionMap } from "./partition-map.ts";

/** What would become of a channel list. Names are text. */
export type MapCheck =
  | {
      readonly kind: "checked";
      /** Entries that overlap what another server lists, in the order of the list. */
      readonly conflicts: readonly CheckConflict[];
      /** Stored channels that would have no owner. By name. */
      readonly unowned: readonly string[];
      /** Whether the map was complete: if not, there may be more of both. */
      readonly isComplete: boolean;
    }
  /** The list itself is wrong; `message` is what a start with it would say. */
  | { readonly kind: "invalid"; readonly message: string };

/** An entry of a list under test, and whose entry it overlaps. */
export interface CheckConflict {
  readonly entry: string;
  readonly with: string;
  readonly serverId: string;
}

/** Conflicts reported for one entry at most; one is enough to refuse it. */
const CONFLICTS_PER_ENTRY_MAX = 16;

/**
 * What a channel list would conflict with, and which stored channels would have no owner with it.
 * @param entries text, in file order
 * @param options.replaces server ID of the server whose list it would take the place of; left out for an additional server
 */
export function checkAgainstMap(
  map: PartitionMap,
  entries: Iterable<string>,
  options: { readonly replaces?: string } = {},
): MapCheck {
  const read = channelScope(entries);
  if (read.kind !== "scope") return { kind: "invalid", message: read.message };
  const { scope } = read;
  const others = createSubjectTree<{ readonly serverId: string; readonly entry: string }>({ cacheSize: 0 });
  for (const { serverId, entries: theirs } of map.servers) {
    if (serverId === options.replaces) continue;
    for (const entry of theirs) others.insert(textToByteString(entry), { serverId, entry });
  }
  const conflicts = scope.entries.flatMap((entry): CheckConflict[] =>
    others
      .reverseMatch(textToByteString(entry))
      .slice(0, CONFLICTS_PER_ENTRY_MAX)
      .map(({ value }) => ({ entry, with: value.entry, serverId: value.serverId })),
  );
  const unowned = map.stored
    .map(({ channel }) => channel)
    .filter((channel) => !scope.owns(channel) && !others.hasInterest(textToByteString(channel)));
  return { kind: "checked", conflicts, unowned, isComplete: map.isComplete };
}
