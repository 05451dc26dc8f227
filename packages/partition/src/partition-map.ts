import { byteStringToText } from "@nats-streaming/protocol";
import { createSubjectTree, type SubjectTree } from "@nats-streaming/subject";

/** Who owns what in a cluster, as far as was found out. Names are text. */
export interface PartitionMap {
  readonly clusterId: string;
  /** By server ID. */
  readonly servers: readonly MappedServer[];
  /** Overlaps between two servers, those that serve and those that were refused. By name. */
  readonly conflicts: readonly MapConflict[];
  /** Stored channels that no list covers. By name. */
  readonly unowned: readonly StoredChannel[];
  /** Every stored channel that was asked for. By name. */
  readonly stored: readonly StoredChannel[];
  /** Whether everybody who was found has told everything. */
  readonly isComplete: boolean;
}

export interface MappedServer {
  readonly serverId: string;
  /** `other`: one of another kind, such as the original; it tells no more than one of its channels when it is asked. */
  readonly kind: "partitioned" | "other";
  readonly phase: "serving" | "starting" | "unknown";
  /** Wall-clock milliseconds since 1970 since which it serves; 0 for unknown. */
  readonly since: number;
  /** Undefined for unknown. */
  readonly clientCount: number | undefined;
  /** Its list in file order; of another kind, what others have heard. */
  readonly entries: readonly string[];
}

export interface MapConflict {
  readonly name: string;
  /** The two servers, the lower server ID first. */
  readonly servers: readonly [string, string];
}

export interface StoredChannel {
  readonly channel: string;
  /** Who stores it. */
  readonly serverIds: readonly string[];
}

/** What one server has told; names are byte strings. */
export interface ServerReport {
  readonly serverId: string;
  readonly kind: MappedServer["kind"];
  readonly phase: MappedServer["phase"];
  readonly since: number;
  readonly clientCount: number | undefined;
  readonly owned: readonly string[];
  readonly stored: readonly string[];
  /** Lists of third servers that it has heard. */
  readonly heard: ReadonlyMap<string, readonly string[]>;
  readonly conflicts: readonly { readonly name: string; readonly serverId: string }[];
}

/** Overlaps listed at most; a map with more is wrong from the ground up. */
const CONFLICTS_MAX = 10_000;

/** Puts together what servers have told. */
export function assembleMap(clusterId: string, reports: readonly ServerReport[], isComplete: boolean): PartitionMap {
  const present = new Map(reports.map((report) => [report.serverId, report]));
  const lists = new Map<string, Set<string>>();
  for (const report of reports) lists.set(report.serverId, new Set(report.owned));
  for (const report of reports) {
    for (const [serverId, names] of report.heard) {
      // Of its own list everybody who is of our kind knows best; who did not answer at all is gone.
      if (present.get(serverId)?.kind !== "other") continue;
      for (const name of names) lists.get(serverId)?.add(name);
    }
  }

  const owners = createSubjectTree<string>({ cacheSize: 0 });
  for (const [serverId, names] of lists) for (const name of names) owners.insert(name, serverId);
  const stored = storedChannels(reports);
  return {
    clusterId,
    servers: reports.map((report) => mappedServer(report, lists.get(report.serverId) ?? [])).sort(byServerId),
    conflicts: conflictsOf(lists, owners, reports),
    unowned: stored.filter(({ name }) => !owners.hasInterest(name)).map(({ channel }) => channel),
    stored: stored.map(({ channel }) => channel),
    isComplete,
  };
}

function mappedServer(report: ServerReport, names: Iterable<string>): MappedServer {
  const { serverId, kind, phase, since, clientCount } = report;
  return { serverId, kind, phase, since, clientCount, entries: [...names].map(byteStringToText) };
}

const byServerId = (a: MappedServer, b: MappedServer): number => compare(a.serverId, b.serverId);

function storedChannels(
  reports: readonly ServerReport[],
): readonly { readonly name: string; readonly channel: StoredChannel }[] {
  const holders = new Map<string, string[]>();
  for (const { serverId, stored } of reports) {
    for (const name of stored) {
      const known = holders.get(name);
      if (known === undefined) holders.set(name, [serverId]);
      else known.push(serverId);
    }
  }
  return [...holders]
    .sort(([a], [b]) => compare(a, b))
    .map(([name, serverIds]) => ({ name, channel: { channel: byteStringToText(name), serverIds: serverIds.sort() } }));
}

function conflictsOf(
  lists: ReadonlyMap<string, ReadonlySet<string>>,
  owners: SubjectTree<string>,
  reports: readonly ServerReport[],
): readonly MapConflict[] {
  const found = new Map<string, MapConflict>();
  const add = (name: string, one: string, other: string): void => {
    if (one === other || found.size >= CONFLICTS_MAX) return;
    const servers: readonly [string, string] = one < other ? [one, other] : [other, one];
    found.set(`${name} ${servers[0]} ${servers[1]}`, { name: byteStringToText(name), servers });
  };
  for (const [serverId, names] of lists) {
    for (const name of names) {
      for (const entry of owners.reverseMatch(name)) add(name, serverId, entry.value);
    }
  }
  for (const report of reports) for (const { name, serverId } of report.conflicts) add(name, report.serverId, serverId);
  return [...found.values()].sort(
    (a, b) => compare(a.name, b.name) || compare(a.servers[0], b.servers[0]) || compare(a.servers[1], b.servers[1]),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
