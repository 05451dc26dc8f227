import type { Clock, Logger, Random } from "@nats-streaming/kernel";
import type { Authenticator } from "./authorization.ts";
import type { ChunkPool } from "./chunk-pool.ts";
import type { ClientInfo } from "./client-info.ts";
import type { Connection } from "./connection.ts";
import type { Counters } from "./counters.ts";
import type { Delivery } from "./delivery.ts";
import type { Limits } from "./options.ts";
import type { Router } from "./router.ts";
import type { Turn } from "./turn.ts";

/** What the connections of one broker share. */
export interface ConnectionContext {
  /** One object for as long as the broker lives; what it holds changes with a reload. */
  readonly limits: Limits;
  readonly router: Router;
  readonly delivery: Delivery;
  readonly turn: Turn;
  readonly pool: ChunkPool;
  readonly counters: Counters;
  /** Changes with a reload. */
  authenticator: Authenticator;
  readonly info: ClientInfo;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The connection serves no more. */
  readonly onClosed: (connection: Connection) => void;
  /** Its socket is gone, too. */
  readonly onGone: (connection: Connection) => void;
}
