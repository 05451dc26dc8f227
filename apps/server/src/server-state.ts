import type { Engine } from "@nats-streaming/engine";
import type { ServerState as ReportedState } from "@nats-streaming/monitoring";

/**
 * Where a server stands.
 *
 * ```text
 *   starting ──▶ active ──▶ stopped
 *      │            │
 *      └──▶ failed ◀┘        (standby lies between starting and active once fault tolerance is there)
 * ```
 */
export type ServerState =
  | { readonly kind: "starting" }
  | { readonly kind: "active"; readonly engine: Engine }
  /** It could not start, or could not go on. */
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "stopped" };

/** How monitoring names the state. @see monitoring.md 2 */
export function reportedState(state: ServerState): ReportedState {
  switch (state.kind) {
    case "starting":
    case "active":
      return "STANDALONE";
    case "failed":
      return "FAILED";
    case "stopped":
      return "SHUTDOWN";
  }
}
