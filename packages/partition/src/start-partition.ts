import { type Bus, type Clock, errorText, type Logger, type Random } from "@nats-streaming/kernel";
import { type ChannelScope, channelScope } from "./channel-scope.ts";
import type { RefusalReason } from "./coordinator-io.ts";
import type { PartitionMap } from "./partition-map.ts";
import type { PartitionPeers } from "./partition-peers.ts";
import {
  createPartitionServer,
  type PartitionServer,
  type ReloadOutcome,
  type ScopeListener,
} from "./partition-server.ts";
import type { ConflictRule } from "./seniority.ts";
import { partitionTexts } from "./texts.ts";
import { DEFAULT_TIMING, type PartitionTiming } from "./timing.ts";
import { findsUnpartitionedServer } from "./unpartitioned-probe.ts";

/** What a partition server is made from. */
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
   * Another server turned out, after the start, to serve some of the same channels, and this one is the one to end.
   * `message` is the line to end with (`Partitioning error: channel "foo" causes conflict with …`). An owner that ends because
   * of it calls {@link Partition.close} at once, so that the other server is not disturbed any more.
   */
  onConflict(message: string): void;
  /** What becomes of two servers that serve overlapping lists when they meet; `younger_exits` if left out. */
  readonly conflictRule?: ConflictRule;
  /** The list has been checked beforehand, and nothing has changed since: see {@link watchPartition}. */
  readonly isVerified?: boolean;
  /**
   * The server ID in the heartbeats of the other members of this server's fault tolerance group; undefined as long as none has
   * been heard. Once this server is active, that is the former active. Its list is this server's own and its objections count
   * for nothing: it may still answer for a moment when it wakes after a pause in which its lock was taken, being the elder.
   * @see partitioning.md 14
   */
  activeServerId?(): string | undefined;
  /**
   * Whether this server, being active in a fault tolerance group, has just woken from a pause in which its lock may have been
   * taken. It answers no list then, and sends its own half a second later if it still serves.
   */
  isHeldUp?(): boolean;
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

/** Why a server must not serve its list; docs/errors.md#between-partition-servers has the texts. */
export type PartitionRefusal = RefusalReason | "no_channel" | "invalid_channel" | "unpartitioned_server";

/** A server's share of the channels; peers are answered and the list is sent again until it is closed. */
export interface Partition {
  /** The same object as long as the partition lives; it always shows the list that counts now. */
  readonly scope: ChannelScope;
  /** The other servers of this kind, for the streaming engine. */
  readonly peers: PartitionPeers;
  /**
   * Changes the list: what it adds is checked against the other servers first. Nothing changes unless all of it may. One
   * change at a time.
   * @param entries the whole list, in file order
   */
  reload(entries: Iterable<string>): Promise<ReloadOutcome>;
  /**
   * Calls back in the moment in which {@link scope} shows another list. What comes back settles when the list is followed: a
   * {@link reload} waits for it.
   */
  onScopeChange(listener: ScopeListener): void;
  /**
   * The cluster's partition map, as far as this server knows it: without asking anybody, so without others' stored channels. It
   * is put together in short turns; what changes meanwhile is in the next one.
   */
  map(): Promise<PartitionMap>;
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
  const { signal } = options;
  if (signal?.aborted === true) return Promise.resolve({ kind: "stopped" });

  return new Promise((resolve) => {
    let isSettled = false;
    const settle = (outcome: PartitionOutcome): void => {
      if (isSettled) return;
      isSettled = true;
      signal?.removeEventListener("abort", stop);
      if (outcome.kind !== "serving") server.close();
      resolve(outcome);
    };
    const stop = (): void => settle({ kind: "stopped" });
    signal?.addEventListener("abort", stop);
    const refuse = (reason: PartitionRefusal, message: string): void => settle({ kind: "refused", reason, message });

    const admitted = async (): Promise<void> => {
      const { clusterId } = options;
      // One that is not partitioned takes no part in the exchange: it serves every channel, and ours with them.
      if (await findsUnpartitionedServer({ ...options, entries: scope.entries })) {
        refuse("unpartitioned_server", partitionTexts.unpartitionedServer(clusterId));
        return;
      }
      settle({ kind: "serving", partition: partitionOf(server) });
    };

    const server = createPartitionServer(scope, {
      ...options,
      timing: { ...DEFAULT_TIMING, ...options.timing },
      conflictRule: options.conflictRule ?? "younger_exits",
      onAdmitted: () => void admitted(),
      onRefused: refuse,
      onConflict(message): void {
        // Between its admission and the end of its start it has not served anybody yet.
        if (isSettled) options.onConflict(message);
        else refuse("conflict", message);
      },
    });
    try {
      server.start(options.isVerified ?? false);
    } catch (error) {
      refuse("bus_failed", partitionTexts.subscribeFailed(errorText(error)));
    }
  });
}

function partitionOf(server: PartitionServer): Partition {
  const close = (): void => server.close();
  return {
    scope: server.scope,
    peers: server.peers,
    reload: (entries) => server.reload(entries),
    onScopeChange: (listener) => server.onScopeChange(listener),
    map: () => server.map(),
    close,
    [Symbol.dispose]: close,
  };
}
