import type { Integer } from "./source.ts";

/** What the engine has done since the start, beyond the counters of {@link ServerSnapshot}. */
export interface WorkSnapshot {
  /** Messages sent again. */
  readonly redelivered: Integer;
  /** From the arrival of a publish until its PubAck is sent. */
  readonly publishLatency: HistogramSnapshot;
  /** How long the store takes to make a batch durable. */
  readonly flushLatency: HistogramSnapshot;
}

/** How often something took how long. */
export interface HistogramSnapshot {
  /** Upper ends of the buckets in milliseconds, ascending. */
  readonly bounds: readonly number[];
  /** How many fell into each bucket alone; the last one, beyond the bounds, has no end. */
  readonly counts: ArrayLike<number>;
  /** Of all, in milliseconds. */
  readonly sum: number;
  readonly count: number;
}

/** What a store tells of itself; each is absent where the store has no such thing. */
export interface StorageSnapshot {
  /** Bytes in the commit log since the last checkpoint: what a recovery has to look through. */
  readonly commitLogBytes?: number;
  /** Bytes of its files, those included that wait to be used again. */
  readonly commitLogDiskBytes?: number;
  /** Checkpoints since the start. */
  readonly checkpoints?: number;
  /** Those that could not be completed. */
  readonly failedCheckpoints?: number;
  /** Since the last checkpoint, or the start. */
  readonly checkpointAgeMillis?: number;
  readonly openFiles?: number;
  /** Messages kept in memory. */
  readonly cachedBytes?: number;
}
