import { type Timestamp, unreachable } from "@nats-streaming/kernel";

/**
 * Where a member of a group stands.
 *
 * ```text
 *   standby ◀──busy, error── trying ──lock──▶ active (activating ──▶ serving)
 *      └────────silence────────▲                 │
 *                                                ├── activation failed, lock lost, earlier active heard ──▶ failed
 *   from everywhere but failed ── close ──▶ stopped
 * ```
 *
 * There is no way back from active to standby.
 */
export type FaultToleranceState =
  | { readonly kind: "standby" }
  /** A lock attempt is under way. */
  | { readonly kind: "trying" }
  /** Holds the lock since then; `activating` until the activation has succeeded. */
  | { readonly kind: "active"; readonly phase: "activating" | "serving"; readonly since: Timestamp }
  | { readonly kind: "failed"; readonly failure: FaultToleranceFailure }
  | { readonly kind: "stopped" };

/** Why a member has ended by itself, and what the process is to end with. */
export interface FaultToleranceFailure {
  readonly reason: "activation_failed" | "earlier_active" | "lock_lost";
  /** Has been logged as fatal. */
  readonly message: string;
  /** One of {@link FaultToleranceExit}. */
  readonly exitStatus: FaultToleranceExit;
}

/** Exit statuses of a process whose member has failed. @see fault-tolerance.md 6 to 8 */
export const FaultToleranceExit = { activationFailed: 1, aborted: 2 } as const;
export type FaultToleranceExit = (typeof FaultToleranceExit)[keyof typeof FaultToleranceExit];

/** How monitoring names the state. @see fault-tolerance.md 1, 11 */
export function monitoredState(state: FaultToleranceState): "FT_STANDBY" | "FT_ACTIVE" | "FAILED" | "SHUTDOWN" {
  switch (state.kind) {
    case "standby":
    case "trying":
      return "FT_STANDBY";
    case "active":
      return "FT_ACTIVE";
    case "failed":
      return "FAILED";
    case "stopped":
      return "SHUTDOWN";
    default:
      return unreachable(state, "unknown state");
  }
}
