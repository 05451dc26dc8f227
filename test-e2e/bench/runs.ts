/** One line of the plan: who publishes how much to whom. */
export interface Run {
  readonly name: string;
  readonly title: string;
  readonly publishers: number;
  readonly subscribersPerChannel: number;
  /** Messages in all, as a share of `--messages`. */
  readonly share: number;
  /** The most CPU seconds per million messages that the project allows itself; see the architecture, section 4. */
  readonly target?: number;
}

export const RUNS: readonly Run[] = [
  { name: "1+0", title: "1 publisher", publishers: 1, subscribersPerChannel: 0, share: 1, target: 2.0 },
  { name: "1+1", title: "1 publisher, 1 subscriber", publishers: 1, subscribersPerChannel: 1, share: 1, target: 4.0 },
  { name: "4+4", title: "4 pairs, a channel each", publishers: 4, subscribersPerChannel: 1, share: 1 },
  { name: "1+100", title: "1 publisher, 100 subscribers", publishers: 1, subscribersPerChannel: 100, share: 1 / 50 },
];

export const MEMORY_RUN = "memory";
