import { WINDOW } from "./job.ts";

/** One line of the plan for a store that persists. */
export interface StoreRun {
  readonly name: string;
  readonly title: string;
  readonly publishers: number;
  readonly subscribersPerChannel: number;
  readonly channelsPerPublisher: number;
  readonly window: number;
  /** Messages in all, as a share of `--messages`. */
  readonly share: number;
  /** The most CPU seconds per million messages that the project allows itself. */
  readonly target?: number;
}

const run = (name: string, title: string, more: Partial<StoreRun> = {}): StoreRun => ({
  name,
  title,
  publishers: 1,
  subscribersPerChannel: 0,
  channelsPerPublisher: 1,
  window: WINDOW,
  share: 1,
  ...more,
});

export const STORE_RUNS: readonly StoreRun[] = [
  run("1+0", "1 publisher, 1 channel", { target: 3.0 }),
  run("1+1", "1 publisher, 1 subscriber", { subscribersPerChannel: 1, target: 4.0 }),
  run("4+4", "4 pairs, a channel each", { publishers: 4, subscribersPerChannel: 1 }),
  run("100", "1 publisher, 100 channels", { channelsPerPublisher: 100 }),
  run("1000", "1 publisher, 1,000 channels", { channelsPerPublisher: 1000 }),
  run("10000", "1 publisher, 10,000 channels", { channelsPerPublisher: 10_000 }),
];

/** One message at a time, each waiting for its PubAck. */
export const SYNCHRONOUS: StoreRun = run("sync", "1 synchronous publisher", { window: 1, share: 1 / 100 });
