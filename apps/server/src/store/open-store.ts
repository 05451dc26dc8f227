import type { Clock, Logger, Random } from "@nats-streaming/kernel";
import type { StorageSnapshot } from "@nats-streaming/monitoring";
import { textToByteString } from "@nats-streaming/protocol";
import { type Store, StoreError, type StoreLimits } from "@nats-streaming/store";
import { encryptStore } from "@nats-streaming/store-encryption";
import { createFileStore, type FileStore } from "@nats-streaming/store-file";
import { createMemoryStore } from "@nats-streaming/store-memory";
import { createSqlStore } from "@nats-streaming/store-sql";
import type { StreamingOptions } from "../options/streaming-options.ts";
import { recoveryMode } from "./recovery-mode.ts";

export interface StoreOpening {
  readonly streaming: StreamingOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  /** Nothing can be made durable any more: the server has to stop. Called once at most. */
  readonly onFailure: (error: StoreError) => void;
  /** Another server has taken the store's lock: nothing may be written or answered any more. Called once at most. */
  readonly onLockLost: (error: StoreError) => void;
}

/** A channel that exists and is not served. */
export interface ChannelLeftOut {
  /** Byte string. */
  readonly channel: string;
  readonly reason: string;
}

/** The store of a server, before it is recovered. */
export interface OpenedStore {
  /** What the engine works with; encryption, if any, is around it. */
  readonly store: Store;
  /** Known once the store is recovered. */
  readonly leftOut: () => readonly ChannelLeftOut[];
  /** For monitoring; undefined when there is nothing to tell. */
  readonly storage?: () => StorageSnapshot;
}

/**
 * Makes the store that the options ask for. Nothing is read and nothing is locked yet.
 * @throws StoreError, EncryptionError, with the text that a failed start prints
 */
export function openStore(opening: StoreOpening): OpenedStore {
  const bare = bareStore(opening);
  const { streaming, random } = opening;
  if (!streaming.encrypt) return bare;
  const key = new Uint8Array(Buffer.from(streaming.encryptionKey));
  return { ...bare, store: encryptStore(bare.store, { cipher: streaming.encryptionCipher, key, random }) };
}

function bareStore(opening: StoreOpening): OpenedStore {
  const { streaming, clock, logger } = opening;
  const limits = inByteStrings(streaming.storeLimits);
  switch (streaming.storeType) {
    case "MEMORY":
      return { store: createMemoryStore({ limits, clock, logger }), leftOut: () => [] };
    case "FILE": {
      const store = fileStore(opening, limits);
      return { store, leftOut: () => store.quarantined, storage: () => fileStorage(store) };
    }
    case "SQL":
      return { store: sqlStore(opening, limits), leftOut: () => [] };
    default:
      throw new StoreError("invalid_options", `unsupported store type: ${streaming.storeType}`);
  }
}

function fileStorage(store: FileStore): StorageSnapshot {
  const { openFiles, cachedBytes, commitLog } = store;
  if (commitLog === undefined) return { openFiles, cachedBytes };
  const { bytesSinceCheckpoint, diskBytes, ...checkpoints } = commitLog;
  return {
    openFiles,
    cachedBytes,
    commitLogBytes: bytesSinceCheckpoint,
    commitLogDiskBytes: diskBytes,
    ...checkpoints,
  };
}

function fileStore({ streaming, clock, logger, random, onFailure }: StoreOpening, limits: StoreLimits): FileStore {
  const { recovery, cacheBytes, ...options } = streaming.fileStore;
  const mode = recoveryMode(recovery);
  if (mode === undefined) throw new StoreError("invalid_options", `unknown file recovery mode: ${recovery}`);
  const { directory } = streaming;
  return createFileStore({ directory, limits, options, recovery: mode, cacheBytes, clock, logger, random, onFailure });
}

function sqlStore(
  { streaming, clock, logger, random, onFailure, onLockLost }: StoreOpening,
  limits: StoreLimits,
): Store {
  const { maxOpenConnections, ...options } = streaming.sqlStore;
  const maxOpenConns = Math.max(0, maxOpenConnections);
  return createSqlStore({ ...options, maxOpenConns, limits, clock, logger, random, onFailure, onLockLost });
}

/**
 * Takes the lock that keeps other servers off a directory. The lock of a database is for fault tolerance only, as in the
 * original: a server that starts again after a crash would have to wait until its former self counts as dead.
 * @returns why the store cannot be had, or undefined when it is
 */
export async function lockStore(store: Store, streaming: StreamingOptions): Promise<string | undefined> {
  if (store.kind !== "FILE") return undefined;
  const outcome = await store.acquireLock();
  if (outcome.kind === "acquired") return undefined;
  const holder = outcome.holder === undefined ? "" : ` (${outcome.holder})`;
  return `the store in directory ${streaming.directory} is in use by another server${holder}: stop that one first, or run both with -ft_group`;
}

/** Inside the server the names of channels are byte strings; a configuration file has text. */
export function inByteStrings(limits: StoreLimits): StoreLimits {
  const channels = [...limits.channels].map(([name, own]) => [textToByteString(name), own] as const);
  return { ...limits, channels: new Map(channels) };
}
