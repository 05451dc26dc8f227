import type { Engine } from "@nats-streaming/engine";
import type { ServerState as ReportedState, ServerPhase } from "@nats-streaming/monitoring";

/**
 * Where a server stands.
 *
 * ```text
 *   starting ──────────────────▶ recovering ──▶ active ──▶ stopped
 *      │ └──▶ standby ──▶ activating ────┼────────▲ │
 *      │         │             │         │          │
 *      └─────────┴──▶ failed ◀─┴─────────┴──────────┘
 * ```
 */
export type ServerState =
  | { readonly kind: "starting" }
  /** It reads its store; nobody objects to its channel list. */
  | { readonly kind: "recovering" }
  /** A member of a fault tolerance group that waits for the store's lock. */
  | { readonly kind: "standby" }
  /** A member that has the lock, and recovers. */
  | { readonly kind: "activating" }
  | { readonly kind: "active"; readonly engine: Engine; readonly isMember: boolean }
  /** It could not start, or could not go on. */
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "stopped" };

/** How monitoring names the state. @see monitoring.md 2 */
export function reportedState(state: ServerState): ReportedState {
  switch (state.kind) {
    case "starting":
    case "recovering":
      return "STANDALONE";
    case "standby":
      return "FT_STANDBY";
    case "activating":
      return "FT_ACTIVE";
    case "active":
      return state.isMember ? "FT_ACTIVE" : "STANDALONE";
    case "failed":
      return "FAILED";
    case "stopped":
      return "SHUTDOWN";
  }
}

/** What monitoring says that the server is doing. */
export function reportedPhase(state: ServerState): ServerPhase {
  return state.kind === "activating" ? "recovering" : state.kind;
}
