import type { Clock, FileSystem, Logger } from "@nats-streaming/kernel";
import type { CommitLog } from "./commit-log/commit-log.ts";
import type { FilePool, PooledFile } from "./files/file-pool.ts";
import type { Checksum, ChecksumSteps } from "./format/crc32.ts";
import type { MessageCache } from "./messages/message-cache.ts";
import type { SliceArchive } from "./messages/slice-archive.ts";
import type { FileStoreOptions } from "./options.ts";

/** What takes part in a batch. The calls come in this order; one that throws ends the batch. */
export interface Flushable {
  /** Gets its files ready to be appended to. @throws FileError */
  prepare(): void;
  /** What has gathered is the batch: hands it to the commit log, if there is one. */
  seal(commitLog: CommitLog | undefined): void;
  /** The batch is durable. */
  settled(): void;
  /** The batch could not be made durable, nor will be what was added since. */
  refused(): void;
  /**
   * Writes what was sealed into the compatible files. With a commit log that comes last, so that they never hold anything
   * that a crash could leave there in part; without one it comes first. @throws FileError; a later call does it again
   */
  write(): void;
  /** The flush queue's: since when it waits to be written, if it does. */
  behindSince: object | undefined;
}

/** Where those with something to write make themselves known; each once until its {@link Flushable.write}. */
export interface Gathering {
  /** Messages that the next flush has to cover. When that cannot be done, they are taken back. */
  touchMessages(log: Flushable): void;
  /** Records that the next flush has to cover. */
  touchRecords(records: Flushable): void;
  /** Records that have to be written within a second, whether or not there is a flush. */
  touchRecordsLazily(records: Flushable): void;
  /**
   * The file has bytes that the commit log knows nothing of, or has been cut: it is synced before anything behind that
   * is committed.
   */
  syncFirst(file: PooledFile): void;
}

/** What the parts of one open store share. */
export interface StoreContext {
  /** Root directory as configured. */
  readonly root: string;
  readonly options: FileStoreOptions;
  readonly checksum: Checksum;
  /** The same, piece by piece. */
  readonly checksums: ChecksumSteps;
  /** The same if reading has to verify. */
  readonly verify: Checksum | undefined;
  readonly fileSystem: FileSystem;
  readonly pool: FilePool;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cache: MessageCache;
  readonly gathering: Gathering;
  readonly archive: SliceArchive;
  /** undefined while there is none: before recovery, and with `sync` off. */
  commitLog: CommitLog | undefined;
}
