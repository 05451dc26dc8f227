import {
  type Bus,
  type Clock,
  invariant,
  type Logger,
  nowMillis,
  type Random,
  runStepsInTurns,
} from "@nats-streaming/kernel";
import { textToByteString } from "@nats-streaming/protocol";
import { MapDetail, type MapEntry, MapEntryKind } from "@nats-streaming/protocol/spb";
import { type ChannelScope, channelScope } from "./channel-scope.ts";
import { type ClientSource, noClients } from "./client-source.ts";
import { collectReports } from "./collect-map.ts";
import { type ConflictLog, createConflictLog } from "./conflict-log.ts";
import { type Coordinator, createCoordinator } from "./coordinator.ts";
import type { CoordinatorInput, RefusalReason } from "./coordinator-io.ts";
import { type Exchange, openExchange } from "./exchange.ts";
import { createKnownLists, type KnownLists } from "./known-lists.ts";
import { type ListChange, listChange } from "./list-change.ts";
import { type LiveScope, liveScope } from "./live-scope.ts";
import { createOwnership, type Ownership } from "./ownership.ts";
import { assemblingMap, type PartitionMap, type ServerReport } from "./partition-map.ts";
import type { PartitionPeers } from "./partition-peers.ts";
import { createPeerAnswers } from "./peer-answers.ts";
import { createPeerBook, type PeerBook } from "./peer-book.ts";
import { openPeerLink, type PeerLink } from "./peer-link.ts";
import type { ConflictRule } from "./seniority.ts";
import { partitionTexts } from "./texts.ts";
import type { PartitionTiming } from "./timing.ts";

/** What became of a changed list. */
export type ReloadOutcome =
  /** It counts from now on. Text, in file order. */
  | ({ readonly kind: "applied" } & ListChange)
  /** Everything is as it was. */
  | { readonly kind: "refused"; readonly reason: string };

/** Hears that the scope shows another list, in that moment. A change is done when what it returns has settled. */
export type ScopeListener = () => Promise<void>;

export interface PartitionServerOptions {
  readonly clusterId: string;
  readonly serverId: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  readonly timing: PartitionTiming;
  readonly conflictRule: ConflictRule;
  readonly ignoresTopology?: boolean;
  activeServerId?(): string | undefined;
  isHeldUp?(): boolean;
  onAdmitted(): void;
  onRefused(reason: RefusalReason, message: string): void;
  onConflict(message: string): void;
}

/** How long the first look at the others' lists may take; it holds up nothing. */
const MAP_MILLIS = 5_000;

/** One server's part in a partitioned cluster: the exchange of lists, the line to the others, and what is known of them. */
export interface PartitionServer {
  readonly peers: PartitionPeers;
  readonly scope: ChannelScope;
  /** Begins to listen and to check. @throws BusError `closed` */
  start(verified: boolean): void;
  onScopeChange(listener: ScopeListener): void;
  reload(entries: Iterable<string>): Promise<ReloadOutcome>;
  map(): Promise<PartitionMap>;
  /** Idempotent. */
  close(): void;
}

export function createPartitionServer(scope: ChannelScope, options: PartitionServerOptions): PartitionServer {
  return new BusPartitionServer(scope, options);
}

class BusPartitionServer implements PartitionServer {
  readonly peers: PartitionPeers;
  readonly #options: PartitionServerOptions;
  readonly #scope: LiveScope;
  readonly #coordinator: Coordinator;
  readonly #exchange: Exchange;
  readonly #link: PeerLink;
  readonly #book: PeerBook;
  readonly #lists: KnownLists = createKnownLists();
  readonly #conflicts: ConflictLog;
  readonly #ownership: Ownership;
  readonly #scopeListeners: ScopeListener[] = [];
  #source: ClientSource = noClients;
  #reloading: { readonly next: ChannelScope; readonly settle: (outcome: ReloadOutcome) => void } | undefined;
  #isClosed = false;

  constructor(scope: ChannelScope, options: PartitionServerOptions) {
    this.#options = options;
    const { bus, clock, serverId, timing } = options;
    this.#scope = liveScope(scope);
    this.#conflicts = createConflictLog(clock);
    this.#ownership = createOwnership({ ...options, lists: this.#lists });
    this.#book = createPeerBook(serverId);
    this.#coordinator = createCoordinator({
      serverId,
      names: scope.entries.map(textToByteString),
      timing,
      conflictRule: options.conflictRule,
      activeServerId: () => options.activeServerId?.(),
      isHeldUp: () => options.isHeldUp?.() === true,
      // 0 stands for unknown.
      wallMillis: () => Math.max(1, nowMillis(clock)),
      maxPayload: () => bus.maxPayload,
    });
    this.#link = openPeerLink({
      ...options,
      book: this.#book,
      answers: createPeerAnswers({
        serverId,
        since: () => this.#coordinator.since,
        source: () => this.#source,
        mapEntries: (isWhole) => this.#mapEntries(isWhole),
        maxPayload: () => bus.maxPayload,
      }),
      onChallenged: (peer, since, name) => this.#take({ kind: "challenged", serverId: peer, since, name }),
      onBye: (peer) => this.#lists.forget(peer),
    });
    this.#exchange = openExchange({
      ...options,
      coordinator: this.#coordinator,
      askStanding: (peer, name) => this.#link.askStanding(peer, name),
      onAdmitted: () => {
        this.#link.sayHello();
        void this.#learnLists();
        options.onAdmitted();
      },
      onHeard: (peer, group, names) => {
        this.#lists.heard(peer, group, names);
        this.#ownership.listHeard();
      },
      onOverlap: (peer, name) => {
        this.#lists.forget(peer);
        this.#conflicts.add(peer, name);
      },
      onProposalApplied: () => void this.#applied(),
      onProposalRefused: (_, message) => this.#settleReload({ kind: "refused", reason: message }),
      onChecking: () => this.#link.sayHello(),
    });
    this.peers = this.#peers();
  }

  get scope(): ChannelScope {
    return this.#scope.scope;
  }

  start(verified: boolean): void {
    this.#link.start();
    this.#exchange.start(verified);
  }

  #take(input: CoordinatorInput): void {
    this.#exchange.take(input);
  }

  onScopeChange(listener: ScopeListener): void {
    this.#scopeListeners.push(listener);
  }

  reload(entries: Iterable<string>): Promise<ReloadOutcome> {
    const read = channelScope(entries);
    if (read.kind !== "scope") return Promise.resolve({ kind: "refused", reason: read.message });
    if (this.#isClosed) return Promise.resolve({ kind: "refused", reason: partitionTexts.stopping });
    if (this.#reloading !== undefined) {
      return Promise.resolve({ kind: "refused", reason: partitionTexts.proposalUnderWay });
    }
    return new Promise((settle) => {
      this.#reloading = { next: read.scope, settle };
      this.#take({ kind: "propose", names: read.scope.entries.map(textToByteString) });
    });
  }

  async map(): Promise<PartitionMap> {
    const reports: ServerReport[] = [];
    const { clock, clusterId, serverId } = this.#options;
    const serving = new Map(this.#book.serving().map((peer) => [peer.serverId, peer]));
    const report = (id: string, names: readonly string[]): ServerReport =>
      reportOf(id, names, this.#book.has(id), serving.get(id)?.since);
    reports.push({
      ...report(serverId, this.#coordinator.names),
      kind: "partitioned",
      phase: this.#coordinator.isServing ? "serving" : "starting",
      since: this.#coordinator.since,
      clientCount: this.#source.clientCount,
      stored: this.#source.channelNames(),
      conflicts: this.#conflicts.present(),
    });
    // As they are now: a name that moves from one list to another meanwhile would look like a conflict.
    for (const [peer, names] of this.#lists.entries()) reports.push(report(peer, names));
    return runStepsInTurns(assemblingMap(clusterId, reports, this.#lists.isComplete), clock);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#exchange.close();
    this.#link.close();
    this.#settleReload({ kind: "refused", reason: partitionTexts.stopping });
  }

  #peers(): PartitionPeers {
    const link = this.#link;
    const book = this.#book;
    return {
      get isAlone() {
        return book.serving().length === 0;
      },
      attach: (source) => {
        this.#source = source;
      },
      collectClients: (adopt) => link.collectClients(adopt),
      lookup: (question) => link.lookup(question),
      isOwned: (channel) => this.#ownership.isOwned(channel),
    };
  }

  /** A newcomer has heard nobody's list: those who are there before it send theirs when the network changes. */
  async #learnLists(): Promise<void> {
    if (this.#book.size === 0) return;
    const { serverId } = this.#options;
    const { reports } = await collectReports({ ...this.#options, detail: MapDetail.lists, timeoutMillis: MAP_MILLIS });
    if (this.#isClosed) return;
    for (const report of reports) {
      // What was heard from the server itself meanwhile is newer.
      if (report.serverId === serverId || this.#lists.has(report.serverId)) continue;
      this.#lists.heard(report.serverId, "", report.owned);
      if (report.kind !== "other") continue;
      for (const { heard } of reports) this.#lists.heard(report.serverId, "", heard.get(report.serverId) ?? []);
    }
  }

  async #applied(): Promise<void> {
    const reloading = this.#reloading;
    invariant(reloading !== undefined, "a changed list was applied that nobody asked for");
    const change = listChange(this.#scope.scope.entries, reloading.next.entries);
    this.#scope.replace(reloading.next);
    // Whoever asked for the change may use the new channels as soon as it is told.
    await Promise.allSettled(this.#scopeListeners.map((listener) => listener()));
    this.#settleReload({ kind: "applied", ...change });
  }

  #settleReload(outcome: ReloadOutcome): void {
    const reloading = this.#reloading;
    this.#reloading = undefined;
    reloading?.settle(outcome);
  }

  #mapEntries(isWhole: boolean): readonly MapEntry[] {
    const entries: MapEntry[] = [];
    for (const name of this.#coordinator.names) entries.push({ kind: MapEntryKind.owned, name, serverId: "" });
    for (const { name, serverId } of this.#conflicts.present()) {
      entries.push({ kind: MapEntryKind.conflict, name, serverId });
    }
    for (const [serverId, names] of this.#lists.entries()) {
      // Servers of our kind answer for themselves.
      if (this.#book.has(serverId)) continue;
      for (const name of names) entries.push({ kind: MapEntryKind.heard, name, serverId });
    }
    if (!isWhole) return entries;
    for (const name of this.#source.channelNames()) entries.push({ kind: MapEntryKind.stored, name, serverId: "" });
    return entries;
  }
}

/** @param servesSince undefined for one that is not known to serve */
function reportOf(
  serverId: string,
  owned: readonly string[],
  isOurKind: boolean,
  servesSince: number | undefined,
): ServerReport {
  return {
    serverId,
    kind: isOurKind ? "partitioned" : "other",
    phase: servesSince === undefined ? "unknown" : "serving",
    since: servesSince ?? 0,
    clientCount: undefined,
    owned,
    stored: [],
    heard: new Map(),
    conflicts: [],
  };
}
