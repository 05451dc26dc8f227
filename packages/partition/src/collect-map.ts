import { type Bus, BusError, type Clock, nuidSource, type Random, type Timer } from "@nats-streaming/kernel";
import {
  decodeMapEntry,
  decodePeerMsg,
  decodeRecords,
  encodePeerMsg,
  MapDetail,
  MapEntryKind,
  PeerKind,
  type PeerMsg,
  PeerPhase,
  peerSubject,
  peersSubject,
} from "@nats-streaming/protocol/spb";
import { assembleMap, type PartitionMap, type ServerReport } from "./partition-map.ts";
import { probeList } from "./probe-list.ts";
import { isServerId } from "./seniority.ts";

/** Who asks for a map, and of which cluster. */
export interface CollectMapOptions {
  /** Any connection that reaches the cluster's NATS network. */
  readonly bus: Bus;
  readonly clusterId: string;
  readonly clock: Clock;
  readonly random: Random;
  /** The map is put together after this time at the latest, and earlier when nobody has answered for a while. */
  readonly timeoutMillis: number;
}

/** What {@link collectReports} is asked by a server itself. */
export interface CollectReportsOptions extends CollectMapOptions {
  /** Its own server ID, so that it does not answer itself. */
  readonly serverId: string;
  readonly detail: MapDetail;
}

export interface Reports {
  readonly reports: readonly ServerReport[];
  readonly isComplete: boolean;
}

/** Nobody is waited for any longer than this after the last answer. */
const IDLE_MILLIS = 1_000;
/** Servers and names taken at most; whoever offers more is broken or means harm. */
const REPORTS_MAX = 16_384;
const NAMES_MAX = 8_000_000;

/**
 * Asks every server of the cluster for its list and its stored channels. Works from any machine that reaches NATS, changes
 * nothing, and finds servers of the original, too, of which it learns what others have heard.
 */
export async function collectMap(options: CollectMapOptions): Promise<PartitionMap> {
  const serverId = nuidSource(options.random)();
  const { reports, isComplete } = await collectReports({ ...options, serverId, detail: MapDetail.everything });
  return assembleMap(options.clusterId, reports, isComplete);
}

interface Draft {
  phase: ServerReport["phase"];
  since: number;
  clientCount: number;
  /** The cursor of the page that is awaited; undefined when it has told everything. */
  awaited: string | undefined;
  readonly owned: string[];
  readonly stored: string[];
  readonly heard: Map<string, string[]>;
  readonly conflicts: { readonly name: string; readonly serverId: string }[];
}

export async function collectReports(options: CollectReportsOptions): Promise<Reports> {
  const idleMillis = Math.min(IDLE_MILLIS, options.timeoutMillis);
  // Everybody who lists anything at all overlaps this. A server that only wants lists gets those of others from its peers.
  const everybody = options.detail === MapDetail.everything ? [">"] : [];
  const [own, all] = await Promise.all([
    collectPages({ ...options, idleMillis }),
    probeList({ ...options, names: everybody, idleMillis, totalMillis: options.timeoutMillis }),
  ]);
  const reports = [...own.drafts].map(
    ([serverId, draft]): ServerReport => ({ ...draft, serverId, kind: "partitioned" }),
  );
  for (const { serverId, name } of all.objections) {
    if (own.drafts.has(serverId) || serverId === options.serverId) continue;
    reports.push({
      serverId,
      kind: "other",
      phase: "unknown",
      since: 0,
      clientCount: undefined,
      owned: [name],
      stored: [],
      heard: new Map(),
      conflicts: [],
    });
  }
  return { reports, isComplete: own.isComplete && all.failure === undefined };
}

interface Pages {
  readonly drafts: ReadonlyMap<string, Draft>;
  readonly isComplete: boolean;
}

function collectPages(options: CollectReportsOptions & { readonly idleMillis: number }): Promise<Pages> {
  const { bus, clock, clusterId } = options;
  const drafts = new Map<string, Draft>();
  let names = 0;
  let isComplete = true;
  return new Promise((resolve) => {
    const inbox = `_INBOX.${nuidSource(options.random)()}`;
    let idle: Timer | undefined;
    let unsubscribe = (): void => {};
    const end = (): void => {
      idle?.cancel();
      total.cancel();
      unsubscribe();
      for (const draft of drafts.values()) if (draft.awaited !== undefined) isComplete = false;
      resolve({ drafts, isComplete });
    };
    const total = clock.setTimer(options.timeoutMillis, end);
    const ask = (subject: string, cursor: string): void => {
      const { serverId, detail } = options;
      const question = { kind: PeerKind.map, serverId, phase: PeerPhase.observer, cursor, detail };
      try {
        bus.publish(subject, encodePeerMsg(question), inbox);
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        isComplete = false;
      }
    };
    const take = (message: PeerMsg): void => {
      if (message.kind !== PeerKind.map || !isServerId(message.serverId)) return;
      let draft = drafts.get(message.serverId);
      if (draft === undefined) {
        if (drafts.size >= REPORTS_MAX) {
          isComplete = false;
          return;
        }
        draft = newDraft(message);
        drafts.set(message.serverId, draft);
      }
      // An answer repeats the cursor of its question; a second one to the same question is dropped.
      if (draft.awaited === undefined || message.clientId !== draft.awaited) return;
      idle?.cancel();
      idle = clock.setTimer(options.idleMillis, end);
      names += readPage(message.data, draft);
      if (names > NAMES_MAX || (message.cursor !== "" && Number(message.cursor) <= Number(draft.awaited))) {
        isComplete = false;
        draft.awaited = undefined;
        return;
      }
      draft.awaited = message.cursor === "" ? undefined : message.cursor;
      if (draft.awaited !== undefined) ask(peerSubject(clusterId, message.serverId), draft.awaited);
    };
    try {
      const subscription = bus.subscribe(inbox, (message) => {
        const read = decodePeerMsg(message.bytes, message.start, message.end);
        if (read.kind === "ok") take(read.value);
      });
      unsubscribe = () => subscription.unsubscribe();
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      isComplete = false;
      end();
      return;
    }
    idle = clock.setTimer(options.idleMillis, end);
    ask(peersSubject(clusterId), "");
  });
}

function newDraft(message: PeerMsg): Draft {
  return {
    phase:
      message.phase === PeerPhase.serving ? "serving" : message.phase === PeerPhase.starting ? "starting" : "unknown",
    since: message.since,
    clientCount: message.clientCount,
    awaited: "",
    owned: [],
    stored: [],
    heard: new Map(),
    conflicts: [],
  };
}

/** @returns how many names it held; what cannot be read is skipped. */
function readPage(data: Uint8Array, draft: Draft): number {
  const records = decodeRecords(data) ?? [];
  for (const record of records) {
    const read = decodeMapEntry(record);
    if (read.kind === "invalid") continue;
    const { kind, name, serverId } = read.value;
    if (kind === MapEntryKind.owned) draft.owned.push(name);
    else if (kind === MapEntryKind.stored) draft.stored.push(name);
    else if (kind === MapEntryKind.conflict) draft.conflicts.push({ name, serverId });
    else if (kind === MapEntryKind.heard) {
      const list = draft.heard.get(serverId);
      if (list === undefined) draft.heard.set(serverId, [name]);
      else list.push(name);
    }
  }
  return records.length;
}
