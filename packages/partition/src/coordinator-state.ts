/** Where a coordinator stands. Drawn in `coordinator.ts`. */
export type State =
  | { readonly kind: "idle" }
  | { readonly kind: "starting"; readonly round: 1 | 2; readonly activity: Activity }
  | { readonly kind: "serving"; readonly activity: Activity }
  | { readonly kind: "ended" };

/** What it does there. */
export type Activity =
  | { readonly kind: "quiet" }
  /** Cut off: the check begins when the connection is back. */
  | { readonly kind: "unconnected" }
  /** Waits before it sends; `until` moves with each further change, up to `latest`. */
  | { readonly kind: "settling"; readonly until: number; readonly latest: number }
  | { readonly kind: "sending"; readonly check: number; readonly purpose: Purpose }
  | Listening;

/** The list has been sent, and objections may come. */
export interface Listening {
  readonly kind: "listening";
  readonly check: number;
  readonly purpose: Purpose;
  readonly until: number;
  /** How often it was prolonged because others had not said since when they serve. */
  readonly waits: number;
}

/** What a check is about: the list that counts, or what a changed one adds. */
export type Purpose = "list" | "proposal";

export const QUIET: Activity = { kind: "quiet" };
export const UNCONNECTED: Activity = { kind: "unconnected" };
export const ENDED: State = { kind: "ended" };
