import { runSteps, sortInSteps } from "@nats-streaming/kernel";
import { byteStringToText } from "@nats-streaming/protocol";
import { createSubjectTree, isValidLiteralSubject, type SubjectTree } from "@nats-streaming/subject";

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

/** A server with its share of the channels. */
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

/** A name that two servers claim. */
export interface MapConflict {
  readonly name: string;
  /** The two servers, the lower server ID first. */
  readonly servers: readonly [string, string];
}

/** A channel that has messages somewhere. */
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

/** Names that are gone through between two yields: a millisecond of work, or two where there are patterns. */
export const MAP_STEP_NAMES: number = 512;

/** Puts together what servers have told. */
export function assembleMap(clusterId: string, reports: readonly ServerReport[], isComplete: boolean): PartitionMap {
  return runSteps(assemblingMap(clusterId, reports, isComplete));
}

/**
 * Does what {@link assembleMap} does in steps of {@link MAP_STEP_NAMES} names: with 100,000 entries all of it at once would hold
 * up a server for half a second. The reports must not change meanwhile.
 */
export function* assemblingMap(
  clusterId: string,
  reports: readonly ServerReport[],
  isComplete: boolean,
): Generator<void, PartitionMap> {
  const lists = yield* ownedLists(reports);
  const owners = yield* ownersOf(lists);
  const stored = yield* storedChannels(reports);
  const unowned: StoredChannel[] = [];
  for (const [i, { name, channel }] of stored.entries()) {
    if (!owners.literals.has(name) && !owners.patterns.hasInterest(name)) unowned.push(channel);
    if (isStep(i)) yield;
  }
  const servers: MappedServer[] = [];
  for (const report of reports) servers.push(yield* mappedServer(report, lists.get(report.serverId) ?? new Set()));
  const conflicts = yield* conflictsOf(lists, owners, reports);
  return {
    clusterId,
    servers: yield* sortInSteps(servers, byServerId),
    conflicts,
    unowned,
    stored: stored.map(({ channel }) => channel),
    isComplete,
  };
}

/** Whether the name at a place is the last of its step. */
function isStep(index: number): boolean {
  return (index + 1) % MAP_STEP_NAMES === 0;
}

type Lists = ReadonlyMap<string, ReadonlySet<string>>;

function* ownedLists(reports: readonly ServerReport[]): Generator<void, Lists> {
  const kinds = new Map(reports.map(({ serverId, kind }) => [serverId, kind]));
  const lists = new Map<string, Set<string>>();
  let count = 0;
  for (const report of reports) {
    const list = new Set<string>();
    lists.set(report.serverId, list);
    for (const name of report.owned) {
      list.add(name);
      if (isStep(count++)) yield;
    }
  }
  for (const report of reports) {
    for (const [serverId, names] of report.heard) {
      // Of its own list everybody who is of our kind knows best; who did not answer at all is gone.
      if (kinds.get(serverId) !== "other") continue;
      for (const name of names) {
        lists.get(serverId)?.add(name);
        if (isStep(count++)) yield;
      }
    }
  }
  return lists;
}

/** An entry of a list with wildcards. */
interface OwnedPattern {
  readonly pattern: string;
  readonly serverId: string;
}

/** Who lists what. A tree of all names would take ten times as long: nearly all of them are literal. */
interface Owners {
  readonly literals: ReadonlyMap<string, readonly string[]>;
  readonly patterns: SubjectTree<OwnedPattern>;
}

function* ownersOf(lists: Lists): Generator<void, Owners> {
  const literals = new Map<string, string[]>();
  const patterns = createSubjectTree<OwnedPattern>({ cacheSize: 0 });
  let count = 0;
  for (const [serverId, names] of lists) {
    for (const name of names) {
      if (isValidLiteralSubject(name)) {
        const others = literals.get(name);
        if (others === undefined) literals.set(name, [serverId]);
        else others.push(serverId);
      } else patterns.insert(name, { pattern: name, serverId });
      if (isStep(count++)) yield;
    }
  }
  return { literals, patterns };
}

function* mappedServer(report: ServerReport, names: ReadonlySet<string>): Generator<void, MappedServer> {
  const { serverId, kind, phase, since, clientCount } = report;
  const entries: string[] = [];
  for (const name of names) {
    entries.push(byteStringToText(name));
    if (isStep(entries.length)) yield;
  }
  return { serverId, kind, phase, since, clientCount, entries };
}

const byServerId = (a: MappedServer, b: MappedServer): number => compare(a.serverId, b.serverId);

interface NamedStored {
  readonly name: string;
  readonly channel: StoredChannel;
}

function* storedChannels(reports: readonly ServerReport[]): Generator<void, readonly NamedStored[]> {
  const holders = new Map<string, string[]>();
  let count = 0;
  for (const { serverId, stored } of reports) {
    for (const name of stored) {
      const known = holders.get(name);
      if (known === undefined) holders.set(name, [serverId]);
      else known.push(serverId);
      if (isStep(count++)) yield;
    }
  }
  const channels: NamedStored[] = [];
  for (const [name, serverIds] of holders) {
    channels.push({ name, channel: { channel: byteStringToText(name), serverIds: serverIds.sort() } });
    if (isStep(channels.length)) yield;
  }
  return yield* sortInSteps(channels, (a, b) => compare(a.name, b.name));
}

function* conflictsOf(
  lists: Lists,
  owners: Owners,
  reports: readonly ServerReport[],
): Generator<void, readonly MapConflict[]> {
  const found = new Map<string, MapConflict>();
  const add = (name: string, one: string, other: string): void => {
    if (one === other || found.size >= CONFLICTS_MAX) return;
    const servers: readonly [string, string] = one < other ? [one, other] : [other, one];
    found.set(`${name} ${servers[0]} ${servers[1]}`, { name: byteStringToText(name), servers });
  };
  const { literals, patterns } = owners;
  let count = 0;
  for (const [name, servers] of literals) {
    for (const [i, one] of servers.entries()) {
      for (const other of servers.slice(i + 1)) add(name, one, other);
      if (found.size >= CONFLICTS_MAX) break;
      if (patterns.count === 0) continue;
      for (const { pattern, serverId } of patterns.match(name)) {
        add(name, one, serverId);
        add(pattern, serverId, one);
      }
    }
    if (found.size >= CONFLICTS_MAX) break;
    if (isStep(count++)) yield;
  }
  for (const [serverId, names] of patterns.count === 0 ? [] : lists) {
    for (const name of names) {
      if (found.size >= CONFLICTS_MAX) break;
      // Literal names have been held against all patterns.
      if (!literals.has(name)) for (const { value } of patterns.reverseMatch(name)) add(name, serverId, value.serverId);
      if (isStep(count++)) yield;
    }
  }
  for (const report of reports) for (const { name, serverId } of report.conflicts) add(name, report.serverId, serverId);
  return yield* sortInSteps(
    [...found.values()],
    (a, b) => compare(a.name, b.name) || compare(a.servers[0], b.servers[0]) || compare(a.servers[1], b.servers[1]),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
