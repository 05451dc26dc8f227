import type { Bus, Clock, Logger, Random } from "@nats-streaming/kernel";
import { textToByteString } from "@nats-streaming/protocol";
import { type ChannelScope, channelScope } from "./channel-scope.ts";
import { createCoordinator } from "./coordinator.ts";
import type { RefusalReason } from "./coordinator-io.ts";
import { openExchange } from "./exchange.ts";
import { DEFAULT_TIMING, type PartitionTiming } from "./timing.ts";

export interface PartitionOptions {
  readonly clusterId: string;
  /** New at each start, 22 characters. */
  readonly serverId: string;
  /** Channel names and patterns in file order. */
  readonly entries: Iterable<string>;
  /**
   * A connection that is used for nothing else, so that no message of clients delays a peer's answer. It is not closed
   * here.
   */
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  /**
   * Another server turned out, after the start, to serve some of the same channels. `message` is the line to end with
   * (`Partitioning error: channel "foo" causes conflict with …`). Called once per check that finds a conflict. An owner that
   * ends because of it calls {@link Partition.close} at once, so that the other server survives.
   */
  onConflict(message: string): void;
  readonly timing?: Partial<PartitionTiming>;
  /** Gives the start up; its outcome is `stopped` then. Without effect afterwards. */
  readonly signal?: AbortSignal;
}

/** What became of a start. @see partitioning.md 3 */
export type PartitionOutcome =
  /** Nobody objected. */
  | { readonly kind: "serving"; readonly partition: Partition }
  /** `message` is the error of the start, to the letter of the original. */
  | { readonly kind: "refused"; readonly reason: PartitionRefusal; readonly message: string }
  /** The signal came first. */
  | { readonly kind: "stopped" };

export type PartitionRefusal = RefusalReason | "no_channel" | "invalid_channel";

/** A server's share of the channels; peers are answered and the list is sent again until it is closed. */
export interface Partition {
  readonly scope: ChannelScope;
  /** Answers nobody any more. The bus stays open. Idempotent. */
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * Checks the own list against the other servers of the cluster and, when none objects within the idle time, answers for
 * it from then on. Takes a second at least, two when another server with an overlapping list was met.
 *
 * The list is sent again whenever the NATS network has changed or the connection has come back.
 * @see partitioning.md 6 to 9
 */
export function startPartition(options: PartitionOptions): Promise<PartitionOutcome> {
  const read = channelScope(options.entries);
  if (read.kind !== "scope") return Promise.resolve({ kind: "refused", reason: read.kind, message: read.message });
  const { scope } = read;
  const { bus, signal } = options;
  if (signal?.aborted === true) return Promise.resolve({ kind: "stopped" });

  return new Promise((resolve) => {
    const coordinator = createCoordinator({
      serverId: options.serverId,
      names: scope.entries.map(textToByteString),
      timing: { ...DEFAULT_TIMING, ...options.timing },
      maxPayload: () => bus.maxPayload,
    });
    const settle = (outcome: PartitionOutcome): void => {
      signal?.removeEventListener("abort", stop);
      if (outcome.kind !== "serving") exchange.close();
      resolve(outcome);
    };
    const stop = (): void => settle({ kind: "stopped" });
    signal?.addEventListener("abort", stop);

    const exchange = openExchange({
      ...options,
      coordinator,
      onAdmitted(): void {
        const close = (): void => exchange.close();
        settle({ kind: "serving", partition: { scope, close, [Symbol.dispose]: close } });
      },
      onRefused: (reason, message) => settle({ kind: "refused", reason, message }),
    });
    exchange.start();
  });
}
