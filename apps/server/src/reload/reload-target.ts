import type { StoreLimits } from "@nats-streaming/store";
import type { NatsOptions } from "../options/nats-options.ts";
import type { ServerPorts } from "./ports-file.ts";

/** What became of changed limits. */
export type LimitsOutcome =
  | { readonly kind: "applied"; readonly added: readonly string[]; readonly removed: readonly string[] }
  /** Nothing has changed. */
  | { readonly kind: "refused"; readonly reason: string };

/** How long clients are given to leave, in milliseconds, as the broker's lame duck mode has it. */
export interface Leaving {
  readonly gracePeriodMillis: number;
  readonly durationMillis: number;
}

/** What signals ask of a server that runs. `Server` of `server.ts` is one. */
export interface ReloadTarget {
  /** Where it listens. */
  readonly ports: ServerPorts;
  /**
   * Hands changed options to the embedded NATS server; files that they name are read again. Nothing without one.
   * @throws (rejects) what cannot be used; nothing has changed then
   */
  reloadBroker(nats: NatsOptions): Promise<void>;
  /** Puts changed limits, and the list of channels with partitioning, in force. @param limits with text names */
  reloadLimits(limits: StoreLimits): Promise<LimitsOutcome>;
  /** Sends the embedded NATS server's clients away; settles when they are gone, not before the grace period is over. */
  lameDuck(leaving: Leaving): Promise<void>;
}
