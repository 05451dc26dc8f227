import type { Bus, BusSubscription, Clock, Logger, Random, Timer } from "@nats-streaming/kernel";
import { textToByteString } from "@nats-streaming/protocol";
import { partitionSubject } from "@nats-streaming/protocol/spb";
import { readChannelListRequest } from "./answering.ts";
import { channelScope } from "./channel-scope.ts";
import { createConflictSearch } from "./conflict-search.ts";
import { probeList } from "./probe-list.ts";
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
  /** The server ID in the heartbeats of the own group's active server; undefined as long as none has been heard. */
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
  readonly #names: readonly string[];
  readonly #warned = new Set<string>();
  #lists: BusSubscription | undefined;
  #settling: Timer | undefined;
  #isConnected = true;
  #isClosed = false;
  /** Of the newest probe; what an older one finds is nothing any more. */
  #probe = 0;
  isClear = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
    const read = channelScope(options.entries);
    this.#names = read.kind === "scope" ? read.scope.entries.map(textToByteString) : [];
    if (read.kind !== "scope") {
      options.logger.warn(partitionTexts.standbyConflict(read.message));
      return;
    }
    const { bus, clusterId, serverId } = options;
    const search = createConflictSearch(this.#names);
    this.#lists = bus.subscribe(partitionSubject(clusterId), (message) => {
      const payload = message.bytes.subarray(message.start, message.end);
      const request = readChannelListRequest(payload, message.reply, serverId);
      if (request.kind !== "list" || request.isProbe) return;
      if (request.serverId === options.activeServerId()) return;
      // Somebody is about to serve, or serves, what this one would: nothing is clear before it was asked for again.
      if (search.find(request.channels) !== undefined) this.#changed();
    });
    bus.onTopologyChange(() => this.#changed());
    bus.onStatus((status) => {
      this.#isConnected = status.kind === "connected";
      this.#changed();
    });
    void this.#check();
  }

  activate(options: ActivationOptions): Promise<PartitionOutcome> {
    const isVerified = this.isClear;
    this.close();
    return startPartition({ ...this.#options, ...options, isVerified });
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
    this.#probe++;
    this.#settling?.cancel();
    this.#settling = this.#options.clock.setTimer(this.#timing.settleMillis, () => void this.#check());
  }

  async #check(): Promise<void> {
    if (this.#isClosed || !this.#isConnected) return;
    const probe = ++this.#probe;
    const idleMillis = this.#timing.replyIdleMillis;
    const result = await probeList({
      ...this.#options,
      names: this.#names,
      idleMillis,
      totalMillis: idleMillis * PROBE_IDLES_MAX,
    });
    if (this.#isClosed || probe !== this.#probe) return;
    const active = this.#options.activeServerId();
    const objections = result.objections.filter(({ serverId }) => serverId !== active);
    for (const { name, serverId } of objections) {
      const message = partitionTexts.conflict(name, serverId);
      if (this.#warned.has(message) || this.#warned.size >= WARNED_MAX) continue;
      this.#warned.add(message);
      this.#options.logger.warn(partitionTexts.standbyConflict(message));
    }
    this.isClear = objections.length === 0 && result.failure === undefined;
  }
}

/** Objections warned of, each once. */
const WARNED_MAX = 256;
