import type { Bus, Clock, Logger, Random } from "@nats-streaming/kernel";
import type { Store } from "@nats-streaming/store";
import type { ClientPeers } from "./peers.ts";
import type { RedeliveryRule } from "./redelivery-rule.ts";
import type { ChannelScope } from "./scope.ts";

/** What an engine needs. Times are in milliseconds. @see protocol.md 16 */
export interface EngineOptions {
  readonly bus: Bus;
  /** Limits are set. The engine recovers, uses and closes it. */
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly clusterId: string;
  /** `_STAN.discover` if left out; a persistent store's recorded one wins. */
  readonly discoverPrefix?: string;
  /** Which channels are handled; all of them if left out. */
  readonly scope?: ChannelScope;
  /** The other servers of a partitioned cluster; without them, or without a scope, this one decides alone. */
  readonly peers?: ClientPeers;
  /**
   * What becomes of a publish or subscription on a channel that no server of a partitioned cluster owns: `silent`, the
   * default, leaves the client to its timeout; `error` answers it. Needs {@link peers}.
   */
  readonly unowned?: "silent" | "error";
  /** Asks at the start whether another server with this cluster ID runs; not for partitions and fault tolerance. */
  readonly probe: boolean;
  readonly replaceDurable: boolean;
  /**
   * A durable, or an offline durable queue group, that resumes gets no more than its max in flight at once; by default it
   * gets everything pending, as from the original.
   */
  readonly honourMaxInFlightOnResume?: boolean;
  /** When redelivering ends on a channel (text); never if left out. Asked once per channel. */
  readonly redeliveryRule?: (channel: string) => RedeliveryRule | undefined;
  readonly heartbeatIntervalMillis: number;
  readonly heartbeatTimeoutMillis: number;
  readonly heartbeatFailCount: number;
  /** Messages after which a batch is flushed at the latest; 0 and 1 are one message a batch. */
  readonly batchSize: number;
  /** How long a batch waits for more; 0: until the end of the turn. */
  readonly batchSleepMillis: number;
  /** The engine cannot go on: the server has to stop with a non-zero exit. Called once. */
  readonly onFatal: (error: Error) => void;
  /** How long the owner of a client ID may take to answer the duplicate check. */
  readonly duplicateCheckMillis?: number;
  /** How long a request that overtook its client's connect waits, in partition mode. */
  readonly earlyRequestMillis?: number;
  readonly probeTimeoutMillis?: number;
}

/** The fixed times of the original. @see protocol.md 16 */
export const DUPLICATE_CHECK_MILLIS = 500;
export const EARLY_REQUEST_MILLIS = 1000;
export const PROBE_TIMEOUT_MILLIS = 250;
