/** Counters since the start of the process. @see monitoring.md 2 */
export interface Statistics {
  /** Publishes received, counted before validation. */
  inMessages: number;
  inBytes: number;
  /** Messages sent to subscribers, redeliveries included. */
  outMessages: number;
  outBytes: number;
  /** Of those, the ones that were sent again. */
  redelivered: number;
  /** From the first message of a batch until the PubAcks of the batch are sent; counted once per message. */
  readonly publishLatency: LatencyHistogram;
  /** How long the store takes to make a batch durable; counted once per flush. */
  readonly flushLatency: LatencyHistogram;
}

export function newStatistics(): Statistics {
  return {
    inMessages: 0,
    inBytes: 0,
    outMessages: 0,
    outBytes: 0,
    redelivered: 0,
    publishLatency: latencyHistogram(),
    flushLatency: latencyHistogram(),
  };
}

/** How often something took how long. */
export interface LatencyHistogram {
  /** Upper ends of the buckets in milliseconds, ascending; beyond the last there is one more bucket. */
  readonly bounds: readonly number[];
  /** How many fell into each bucket alone; one longer than `bounds`. */
  readonly counts: Float64Array;
  /** Of all, in milliseconds. */
  sum: number;
  count: number;
}

/** From a tenth of a millisecond, less than a turn takes, to ten seconds, when clients have given up. */
const BOUNDS_MILLIS: readonly number[] = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
];

export function latencyHistogram(): LatencyHistogram {
  return { bounds: BOUNDS_MILLIS, counts: new Float64Array(BOUNDS_MILLIS.length + 1), sum: 0, count: 0 };
}

/** Counts that something took `millis`, `times` over: once per batch rather than once per message. */
export function observe(histogram: LatencyHistogram, millis: number, times: number): void {
  const { bounds, counts } = histogram;
  let bucket = 0;
  while (bucket < bounds.length && millis > bounds[bucket]!) bucket++;
  counts[bucket]! += times;
  histogram.sum += millis * times;
  histogram.count += times;
}
