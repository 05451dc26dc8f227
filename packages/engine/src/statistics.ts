/** Counters since the start of the process. @see monitoring.md 2 */
export interface Statistics {
  /** Publishes received, counted before validation. */
  inMessages: number;
  inBytes: number;
  /** Messages sent to subscribers, redeliveries included. */
  outMessages: number;
  outBytes: number;
}

export function newStatistics(): Statistics {
  return { inMessages: 0, inBytes: 0, outMessages: 0, outBytes: 0 };
}
