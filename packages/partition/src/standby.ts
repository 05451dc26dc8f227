import type { Bus, BusSubscription, Clock, Logger, Random, Timer } from "@nats-streaming/kernel";
import { textToByteString } from "@nats-streaming/protocol";
import { partitionSubject } from "@nats-streaming/protocol/spb";
import { readChannelListRequest } from "./answering.ts";
import { type ChannelScope, channelScope } from "./channel-scope.ts";
import { type ConflictSearch, createConflictSearch } from "./conflict-search.ts";
import { listChange } from "./list-change.ts";
import type { ReloadOutcome } from "./partition-server.ts";
import { type ProbeResult, probeList } from "./probe-list.ts";
import { type PartitionOptions, type PartitionOutcome, startPartition } from "./start-partition.ts";
import { partitionTexts } from "./texts.ts";
import { DEFAULT_TIMING, type PartitionTiming } from "./timing.ts";

/** What a standby needs to compare its list with those of serving servers. */
export interface WatchOptions {
  readonly clusterId: string;
  readonly serverId: string;
  /** Channel names and patterns in file order. */
  readonly entries: readonly string[];
  /** Is not closed here. */
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  /**
   * The server ID in the heartbeats of the own group's active server; undefined as long as none has been heard, for which an
   * objection is kept back for three seconds.
   */
  activeServerId(): string | undefined;
  readonly timing?: Partial<PartitionTiming>;
}

/** What a server that becomes active adds to {@link WatchOptions}. */
export type ActivationOptions = Pick<PartitionOptions, "onConflict" | "conflictRule" | "isHeldUp" | "signal">;

/** A standby's eye on its channel list. It answers nobody, and has no effect on anybody. */
export interface PartitionWatch {
  /** Whether the list has been checked, nobody but the own active server objected, and nothing has changed since. */
  readonly isClear: boolean;
  /**
   * Starts the partition when the standby becomes active: without the check beforehand when the list is clear. The watch
   * ends.
   */
  activate(options: ActivationOptions): Promise<PartitionOutcome>;
  /**
   * Changes the list that this standby will serve: what it adds is checked against the serving servers first, the own active
   * server apart. Nothing changes unless all of it may. One change at a time.
   * @param entries the whole list, in file order
   */
  reload(entries: Iterable<string>): Promise<ReloadOutcome>;
  /** Idempotent. */
  close(): void;
}

/** However many answers come: a probe is over after so many times the idle time. */
const PROBE_IDLES_MAX = 5;

/**
 * Checks a standby's list beforehand, and again whenever the network has changed, so that a wrong one is found before it is
 * needed. An objection leaves a warning.
 * @see partitioning.md 14, 19 D11
 */
export function watchPartition(options: WatchOptions): PartitionWatch {
  return new ListWatch(options);
}

class ListWatch implements PartitionWatch {
  readonly #options: WatchOptions;
  readonly #timing: PartitionTiming;
  readonly #warned = new Set<string>();
  #scope: ChannelScope | undefined;
  /** Of the scope. */
  #search: ConflictSearch = createConflictSearch([]);
  #isReloading = false;
  #lists: BusSubscription | undefined;
  #settling: Timer | undefined;
  #isConnected = true;
  #isClosed = false;
  /** Of the newest check; what an older one finds is nothing any more. */
  #checks = 0;
  isClear = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
    const read = channelScope(options.entries);
    if (read.kind !== "scope") {
      options.logger.warn(partitionTexts.standbyConflict(read.message));
      return;
    }
    this.#use(read.scope);
  }

  activate(options: ActivationOptions): Promise<PartitionOutcome> {
    const isVerified = this.isClear;
    this.close();
    const entries = this.#scope?.entries ?? this.#options.entries;
    return startPartition({ ...this.#options, ...options, entries, isVerified });
  }

  async reload(entries: Iterable<string>): Promise<ReloadOutcome> {
    const read = channelScope(entries);
    if (read.kind !== "scope") return { kind: "refused", reason: read.message };
    if (this.#isReloading) return { kind: "refused", reason: partitionTexts.proposalUnderWay };
    const change = listChange(this.#scope?.entries ?? [], read.scope.entries);
    this.#isReloading = true;
    const objection = await this.#objectionTo(change.added);
    this.#isReloading = false;
    if (objection !== undefined) return { kind: "refused", reason: objection };
    this.#use(read.scope);
    return { kind: "applied", ...change };
  }

  /** Why these entries cannot be served beside the servers there are. */
  async #objectionTo(entries: readonly string[]): Promise<string | undefined> {
    if (entries.length > 0 && !this.#isConnected) return partitionTexts.proposalCutOff;
    const { objections, failure } = await this.#probe(entries.map(textToByteString));
    if (this.#isClosed) return partitionTexts.takingOver;
    const [first] = objections;
    return failure ?? (first && partitionTexts.conflict(first.name, first.serverId));
  }

  /** From now on this is the list; the first time, others begin to be listened to. */
  #use(scope: ChannelScope): void {
    this.#scope = scope;
    this.#search = createConflictSearch(scope.entries.map(textToByteString));
    if (this.#lists === undefined) this.#listen();
    this.isClear = false;
    void this.#check();
  }

  #listen(): void {
    const { bus, clusterId, serverId } = this.#options;
    this.#lists = bus.subscribe(partitionSubject(clusterId), (message) => {
      const payload = message.bytes.subarray(message.start, message.end);
      const request = readChannelListRequest(payload, message.reply, serverId);
      if (request.kind !== "list" || request.isProbe) return;
      if (request.serverId === this.#options.activeServerId()) return;
      // Somebody is about to serve, or serves, what this one would: nothing is clear before it was asked for again.
      if (this.#search.find(request.channels) !== undefined) this.#changed();
    });
    bus.onTopologyChange(() => this.#changed());
    bus.onStatus((status) => {
      this.#isConnected = status.kind === "connected";
      this.#changed();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.isClear = false;
    this.#lists?.unsubscribe();
    this.#settling?.cancel();
  }

  #changed(): void {
    if (this.#isClosed) return;
    this.isClear = false;
    this.#checks++;
    this.#settling?.cancel();
    this.#settling = this.#options.clock.setTimer(this.#timing.settleMillis, () => void this.#check());
  }

  async #check(): Promise<void> {
    if (this.#isClosed || !this.#isConnected) return;
    const check = ++this.#checks;
    const { objections, failure } = await this.#probe(this.#scope?.entries.map(textToByteString) ?? []);
    if (this.#isClosed || check !== this.#checks) return;
    for (const { name, serverId } of objections) {
      const message = partitionTexts.conflict(name, serverId);
      if (this.#warned.has(message) || this.#warned.size >= WARNED_MAX) continue;
      this.#warned.add(message);
      this.#options.logger.warn(partitionTexts.standbyConflict(message));
    }
    this.isClear = objections.length === 0 && failure === undefined;
  }

  /** Asks everybody; what the own active server objects is left out. */
  async #probe(names: readonly string[]): Promise<Pick<ProbeResult, "objections" | "failure">> {
    const idleMillis = this.#timing.replyIdleMillis;
    const totalMillis = idleMillis * PROBE_IDLES_MAX;
    const { objections, failure } = await probeList({ ...this.#options, names, idleMillis, totalMillis });
    const active = objections.length === 0 ? undefined : await this.#activeServerId();
    return { objections: objections.filter(({ serverId }) => serverId !== active), failure };
  }

  /** The own active server's ID: a standby that has just started knows it with the first heartbeat only. */
  async #activeServerId(): Promise<string | undefined> {
    const { activeServerId, clock } = this.#options;
    for (let look = 0; look < ACTIVE_LOOKS_MAX && !this.#isClosed && activeServerId() === undefined; look++) {
      await new Promise<void>((resolve) => {
        clock.setTimer(ACTIVE_LOOK_MILLIS, resolve);
      });
    }
    return activeServerId();
  }
}

/** Objections warned of, each once. */
const WARNED_MAX = 256;
/** Heartbeats come every second: an active server that has not been heard of for three is not among the objectors. */
const ACTIVE_LOOK_MILLIS = 100;
const ACTIVE_LOOKS_MAX = 30;
