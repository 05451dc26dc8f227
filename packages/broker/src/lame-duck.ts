import type { Clock, Random } from "@nats-streaming/kernel";

/** How clients are sent away before the end. */
export interface LameDuck {
  /** How long clients that were told may leave by themselves. */
  readonly gracePeriodMillis: number;
  /** How long all of it may take, the grace period included: those who stay are closed one by one over the rest. */
  readonly durationMillis: number;
}

/** Between two connections no more time passes than this: few of them need not take the whole duration. */
const GAP_MAX_MILLIS = 1_000;

/** Nor less: with more connections than fit, several are closed at a time. */
const GAP_MIN_MILLIS = 10;

/** When the grace period takes all the time there is, connections are closed within this. */
const SPREAD_MIN_MILLIS = 1_000;

export interface Dismissal extends LameDuck {
  readonly clock: Clock;
  readonly random: Random;
  /** Closes the next ones, as many as are asked for. @returns how many are left */
  readonly dismiss: (count: number) => number;
  /** The grace period is over. @returns how many there are to dismiss */
  readonly begin: () => number;
}

/**
 * Sends connections away over time, at uneven intervals of half the gap to all of it, so that they do not arrive elsewhere in
 * step. @returns a function that ends it early
 */
export function dismissOverTime(dismissal: Dismissal): () => void {
  const { clock, random, gracePeriodMillis, durationMillis, begin, dismiss } = dismissal;
  const spread = Math.max(durationMillis - gracePeriodMillis, SPREAD_MIN_MILLIS);
  let gap = 0;
  let batch = 1;
  const next = (): void => {
    if (dismiss(batch) > 0) timer = clock.setTimer(gap * (0.5 + random.next() / 2), next);
  };
  let timer = clock.setTimer(gracePeriodMillis, () => {
    const count = begin();
    gap = Math.min(GAP_MAX_MILLIS, Math.max(GAP_MIN_MILLIS, spread / Math.max(1, count)));
    batch = Math.max(1, Math.ceil((count * gap) / spread));
    next();
  });
  return () => timer.cancel();
}
