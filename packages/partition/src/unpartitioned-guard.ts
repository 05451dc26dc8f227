import type { Bus, Clock, Logger, Random } from "@nats-streaming/kernel";
import { channelScope } from "./channel-scope.ts";
import { createPartitionServer } from "./partition-server.ts";
import { partitionTexts } from "./texts.ts";
import { DEFAULT_TIMING, type PartitionTiming } from "./timing.ts";

/** What a server without partitioning needs to keep partition servers away. */
export interface GuardOptions {
  readonly clusterId: string;
  readonly serverId: string;
  /** Is not closed here. */
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  /** A partition server has served longer under this cluster ID: this one has to end, with `message`. */
  onConflict(message: string): void;
  /** See {@link PartitionOptions.activeServerId}: the former active of the own group keeps nobody away. */
  activeServerId?(): string | undefined;
  /** See {@link PartitionOptions.isHeldUp}. */
  isHeldUp?(): boolean;
  readonly timing?: Partial<PartitionTiming>;
}

/** Stands in for a server that is not partitioned in the exchange of channel lists. */
export interface UnpartitionedGuard {
  /** Idempotent. */
  close(): void;
}

/**
 * Makes a server that is not partitioned, and so serves every channel, take part in the exchange of channel lists as the
 * owner of `>`: partition servers with its cluster ID are refused beside it. Holds up nothing.
 * @throws BusError `closed`
 * @see partitioning.md 11, 19 D10
 */
export function guardUnpartitioned(options: GuardOptions): UnpartitionedGuard {
  const read = channelScope([">"]);
  if (read.kind !== "scope") return { close: () => {} };
  const conflict = (): void => options.onConflict(partitionTexts.partitionedServer(options.clusterId));
  const server = createPartitionServer(read.scope, {
    ...options,
    timing: { ...DEFAULT_TIMING, ...options.timing },
    conflictRule: "younger_exits",
    ignoresTopology: true,
    onAdmitted: () => {},
    onRefused: (_, message) => options.logger.error(message),
    onConflict: conflict,
  });
  server.start(true);
  return { close: () => server.close() };
}
