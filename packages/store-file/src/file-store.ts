import {
  type Clock,
  errorText,
  FileError,
  type FileSystem,
  type Logger,
  type Random,
  systemFileSystem,
  systemRandom,
  type Timer,
  type Timestamp,
} from "@nats-streaming/kernel";
import { encodeServerInfo } from "@nats-streaming/protocol/spb";
import {
  type ChannelLimits,
  type ChannelStore,
  type ClientInfo,
  cloneChannelLimits,
  defaultStoreLimits,
  type LimitsInForce,
  type LockOutcome,
  limitsInForce,
  type RecoveredState,
  type ServerInfo,
  type Store,
  StoreError,
  type StoreKind,
  type StoreLimits,
  storeError,
} from "@nats-streaming/store";
import { type ChannelDirectory, createDirectory, openDirectory } from "./channel-directory.ts";
import { type Checkpoints, createCheckpoints } from "./checkpoints.ts";
import type { ClientLog } from "./clients/client-log.ts";
import type { ReplayReport } from "./commit-log/commit-log.ts";
import { type CommitLogOptions, type OpenedCommitLog, openCommitLog } from "./commit-log/open-commit-log.ts";
import { type StartedReplay, startReplay } from "./commit-log/replay.ts";
import { storeFailure, writeFailed } from "./errors.ts";
import { type Compactable, compact } from "./files/compaction.ts";
import { createFilePool, defaultFilesLimit, type PooledFile } from "./files/file-pool.ts";
import { channelDirectory, indexOfSlice, LOCK_FILE, SERVER_FILE } from "./files/names.ts";
import { pathIn } from "./files/paths.ts";
import { syncFiles } from "./files/sync-files.ts";
import { wholeReads } from "./files/whole-reads.ts";
import { createFlushQueue, type FlushQueue } from "./flush-queue.ts";
import { checksum, checksumSteps } from "./format/crc32.ts";
import { foreignRecords } from "./format/foreign-records.ts";
import { encodeRecord, FILE_HEADER, FILE_HEADER_SIZE } from "./format/record.ts";
import { type DirectoryLock, nativeDirectoryLock } from "./lock/directory-lock.ts";
import { createMessageCache } from "./messages/message-cache.ts";
import { createSliceArchive, type RunScript, runScript } from "./messages/slice-archive.ts";
import { type FileStoreOptions, fileStoreOptions, type RecoveryMode } from "./options.ts";
import { type QuarantinedChannel, quarantined } from "./quarantine.ts";
import type { Damage } from "./recovery/damage.ts";
import { recoverStore } from "./recovery/store-recovery.ts";
import { type OpenedRoot, openRoot, syncAncestors, type Truncation } from "./root-directory.ts";
import type { StoreContext } from "./store-context.ts";

/** What a file store is opened with. */
export interface FileStoreSetup {
  /** Root directory; made if it does not exist. */
  readonly directory: string;
  /** As configured; the default limits when left out. */
  readonly limits?: StoreLimits;
  /** What is left out has its default. */
  readonly options?: Partial<FileStoreOptions>;
  /** `quarantine` when left out. */
  readonly recovery?: RecoveryMode;
  /** Most bytes of messages that are kept in memory once they are durable; {@link CACHE_BYTES_DEFAULT} when left out. */
  readonly cacheBytes?: number;
  /**
   * A batch that touches more channels than that is written into their files a moment after it has become durable in the
   * commit log, together with the batches behind it: a write of a file costs more than all else that a message does. The moment
   * is 50 ms, or 60 ms for each 1,000 channels that wait where that is more, at most a second; until then a killed process leaves
   * the completion of the files to the next recovery. {@link WRITTEN_AT_ONCE_DEFAULT} when left out.
   */
  readonly writtenAtOnceMax?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The machine's own when left out. */
  readonly fileSystem?: FileSystem;
  readonly random?: Random;
  readonly lock?: DirectoryLock;
  /** Used when `sync` is on; the package's own when left out. */
  readonly openCommitLog?: (options: CommitLogOptions) => Promise<OpenedCommitLog>;
  /** Starts the archive script. */
  readonly runScript?: RunScript;
  /** Called once when a sync has failed: nothing can be made durable any more, the server has to stop. */
  readonly onFailure?: (error: StoreError) => void;
}

/** A {@link Store} over a directory, and what it has to say beyond that. */
export interface FileStore extends Store {
  /** What recovery found damaged. */
  readonly damage: readonly Damage[];
  /** Channels that are not served. */
  readonly quarantined: readonly QuarantinedChannel[];
  /** What of the commit log had to be put into the files; undefined before recovery. */
  readonly replay: ReplayReport | undefined;
  /** Files that are open now. */
  readonly openFiles: number;
  /** Bytes of messages in memory. */
  readonly cachedBytes: number;
  /** Figures of the commit log as they are now; undefined where there is none: before recovery, and with `sync` off. */
  readonly commitLog: CommitLogStatistics | undefined;
}

/** How much the commit log holds, and how its checkpoints go. */
export interface CommitLogStatistics {
  /** Committed since the last checkpoint: what a recovery would have to look through. */
  readonly bytesSinceCheckpoint: number;
  /** Bytes of its segment files, those included that wait to be used again. */
  readonly diskBytes: number;
  /** Since the start. */
  readonly checkpoints: number;
  /** Checkpoints since the start that could not be completed; the log grows until one is. */
  readonly failedCheckpoints: number;
  /** Milliseconds since the last checkpoint that was completed, or the start. */
  readonly checkpointAgeMillis: number;
}

/** Enough for the live traffic of a busy server; everything else is read when it is asked for. */
export const CACHE_BYTES_DEFAULT: number = 64 * 1024 * 1024;

/** A millisecond's worth of writes. */
export const WRITTEN_AT_ONCE_DEFAULT: number = 128;

/** Acks and positions are at most this late on disk. @see the design's durability rule 5 */
const LAZY_MILLIS = 500;
/** How often messages expire and unused files are closed. @see file-store.md 11, 16 */
const TICK_MILLIS = 1000;

/**
 * Makes a store over a directory that this server or an original one has written, or an empty one. Nothing is read before
 * {@link Store.recover}, which comes before everything else.
 * @throws StoreError `invalid_options`, `invalid_limits`, `write_failed` when the directory cannot be made
 */
export function createFileStore(setup: FileStoreSetup): FileStore {
  return new DirectoryStore(setup);
}

class DirectoryStore implements FileStore {
  readonly kind: StoreKind = "FILE";
  readonly #setup: FileStoreSetup;
  readonly #random: Random;
  readonly #mode: RecoveryMode;
  readonly #opened: OpenedRoot;
  readonly #context: StoreContext;
  readonly #queue: FlushQueue;
  readonly #checkpoints: Checkpoints;
  readonly #lock: DirectoryLock;
  readonly #serverFile: PooledFile;
  readonly #channels = new Map<string, ChannelDirectory>();
  /** Channels whose files are gone while the commit log has yet to be told. */
  readonly #halfDeleted = new Set<string>();
  readonly #quarantined = new Map<string, QuarantinedChannel>();
  readonly #damage: Damage[] = [];
  readonly #lastCompactions = new WeakMap<Compactable, number>();
  readonly #now: Timestamp = { millis: 0, nanos: 0 };
  #limits: LimitsInForce;
  #clients: ClientLog | undefined;
  #replay: ReplayReport | undefined;
  #lazyTimer: Timer | undefined;
  #tickTimer: Timer | undefined;
  #autoSyncTimer: Timer | undefined;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  constructor(setup: FileStoreSetup) {
    const { directory, clock, logger } = setup;
    const fileSystem = wholeReads(setup.fileSystem ?? systemFileSystem(), () => this.#context.pool.makeRoom());
    const options = fileStoreOptions(setup.options ?? {});
    this.#limits = limitsInForce(setup.limits ?? defaultStoreLimits);
    this.#setup = setup;
    this.#random = setup.random ?? systemRandom();
    this.#mode = setup.recovery ?? "quarantine";
    this.#lock = setup.lock ?? nativeDirectoryLock();
    this.#opened = openRoot(directory, truncationOf(options, this.#mode), fileSystem);
    const { root } = this.#opened;
    const filesLimit = options.fileDescriptorsLimit || defaultFilesLimit(fileSystem.openFilesMax?.());
    const pool = createFilePool(fileSystem, filesLimit, this.#random);
    const check = checksum(options.crcPolynomial);
    this.#queue = createFlushQueue({
      pool,
      logger,
      clock,
      writtenAtOnceMax: setup.writtenAtOnceMax ?? WRITTEN_AT_ONCE_DEFAULT,
      sync: options.sync,
      commitLog: () => this.#context.commitLog,
      onLazyRecords: () => this.#armLazyTimer(),
      onSettled: () => this.#checkpoints.startIfDue(),
      onFailure: (error) => setup.onFailure?.(error),
    });
    this.#context = {
      root,
      options,
      checksum: check,
      checksums: checksumSteps(options.crcPolynomial),
      verify: options.crc ? check : undefined,
      fileSystem,
      pool,
      clock,
      logger,
      cache: createMessageCache(setup.cacheBytes ?? CACHE_BYTES_DEFAULT),
      gathering: this.#queue,
      archive: createSliceArchive(options.sliceArchiveScript, setup.runScript ?? runScript, logger),
      commitLog: undefined,
    };
    this.#checkpoints = createCheckpoints({
      pool,
      queue: this.#queue,
      commitLog: () => this.#context.commitLog,
      clock,
      logger,
    });
    this.#serverFile = pool.file(pathIn(root, SERVER_FILE));
  }

  get damage(): readonly Damage[] {
    return this.#damage;
  }

  get quarantined(): readonly QuarantinedChannel[] {
    return [...this.#quarantined.values()];
  }

  get replay(): ReplayReport | undefined {
    return this.#replay;
  }

  get openFiles(): number {
    return this.#context.pool.openCount;
  }

  get cachedBytes(): number {
    return this.#context.cache.used;
  }

  get commitLog(): CommitLogStatistics | undefined {
    const { commitLog } = this.#context;
    if (commitLog === undefined) return undefined;
    return {
      bytesSinceCheckpoint: commitLog.bytesSinceCheckpoint,
      diskBytes: commitLog.diskBytes,
      checkpoints: this.#checkpoints.count,
      failedCheckpoints: this.#checkpoints.failures,
      checkpointAgeMillis: this.#checkpoints.ageMillis,
    };
  }

  acquireLock(): Promise<LockOutcome> {
    return this.#lock.acquire(pathIn(this.#context.root, LOCK_FILE));
  }

  async init(info: ServerInfo): Promise<void> {
    const context = this.#context;
    const record = encodeRecord(0, encodeServerInfo(info), context.checksum);
    try {
      const file = this.#serverFile.forWriting();
      file.truncateNow(FILE_HEADER_SIZE);
      file.writeNow(FILE_HEADER, 0, FILE_HEADER_SIZE, 0);
      file.writeNow(record, 0, record.length, FILE_HEADER_SIZE);
      await syncFiles(
        context.options.sync ? [this.#serverFile, context.pool.directory(context.root)] : [this.#serverFile],
      );
    } catch (error) {
      const failure = writeFailed(error);
      if (failure.code === "sync_failed") this.#queue.fail(failure);
      throw failure;
    }
  }

  async recover(): Promise<RecoveredState | undefined> {
    const replay = await this.#replayLog();
    const recovery = {
      context: this.#context,
      mode: this.#mode,
      hasReplayed: replay.hasEntries,
      report: (damage: Damage): void => {
        this.#damage.push(damage);
        // A channel in quarantine gets a line of its own, which says what to do about it.
        if (damage.kind !== "quarantined") this.#context.logger.warn(damage.text);
      },
    };
    const result = await recoverStore(recovery, {
      serverFile: this.#serverFile,
      requestCompaction: this.#requestCompaction,
      open: (channel, files) => openDirectory(this.#parts(), channel, this.#limits.forChannel(channel), files),
      onClients: (clients) => {
        this.#clients = clients;
      },
    });
    await this.#startLog(replay);
    this.#startTimers();
    if (result === undefined) return undefined;
    for (const [name, channel] of result.channels) this.#channels.set(name, channel);
    for (const one of result.quarantined) this.#quarantine(one);
    return result.state;
  }

  setLimits(limits: StoreLimits): void {
    this.#limits = limitsInForce(limits);
  }

  get limits(): StoreLimits {
    return this.#limits.limits;
  }

  channelLimits(channel: string): ChannelLimits | undefined {
    const limits = this.#channels.get(channel)?.limits;
    return limits === undefined ? undefined : cloneChannelLimits(limits);
  }

  createChannel(channel: string): ChannelStore {
    if (this.#isClosed) throw storeError("closed");
    const damaged = this.#quarantined.get(channel);
    if (damaged !== undefined) throw quarantined(damaged);
    if (this.#channels.has(channel)) throw storeError("already_exists");
    if (this.#halfDeleted.has(channel)) throw new StoreError("write_failed", "the channel is still being deleted");
    const { maxChannels } = this.#limits.limits;
    if (maxChannels > 0 && this.#channels.size >= maxChannels) throw storeError("too_many_channels");
    const created = createDirectory(this.#parts(), channel, this.#limits.forChannel(channel));
    this.#channels.set(channel, created);
    return created;
  }

  async deleteChannel(channel: string): Promise<void> {
    const found = this.#channels.get(channel);
    if (found === undefined && !this.#halfDeleted.has(channel)) throw storeError("not_found");
    try {
      await this.#queue.exclusively(async () => {
        if (found !== undefined) await this.#removeDirectory(channel, found);
        const { commitLog } = this.#context;
        commitLog?.removeChannel(channelDirectory(channel));
        await commitLog?.commit();
        this.#halfDeleted.delete(channel);
      });
    } catch (error) {
      throw storeFailure(error);
    }
  }

  /** From here on the channel is gone, but for the commit log, which would bring back what it holds of it. */
  async #removeDirectory(channel: string, found: ChannelDirectory): Promise<void> {
    const { fileSystem, root, options, pool } = this.#context;
    const path = pathIn(root, channelDirectory(channel));
    found.closeFiles();
    fileSystem.removeDirectoryNow(path);
    pool.forgetBelow(path);
    // Whatever still gathers for it is not written any more.
    found.close();
    this.#channels.delete(channel);
    this.#halfDeleted.add(channel);
    // First the names: a directory that comes back after the log was told to forget it could not be completed.
    if (options.sync) await syncFiles([pool.directory(root)]);
  }

  addClient(client: ClientInfo): void {
    this.#clientLog().add(client);
  }

  deleteClient(clientId: string): void {
    this.#clientLog().delete(clientId);
  }

  flush(): Promise<void> | undefined {
    return this.#isClosed ? Promise.reject(storeError("closed")) : this.#queue.flush();
  }

  totals(): { readonly messages: number; readonly bytes: number } {
    let messages = 0;
    let bytes = 0;
    for (const channel of this.#channels.values()) {
      messages += channel.messages.count;
      bytes += channel.messages.bytes;
    }
    return { messages, bytes };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  // --- opening ---

  /** Brings the files up to what the commit log has; it says so only once all that is made out of that is on disk. */
  async #replayLog(): Promise<StartedReplay> {
    const { root: directory, fileSystem, logger } = this.#context;
    try {
      // Everything relies on its directory.
      await syncAncestors(this.#opened, fileSystem);
      const isForeign = foreignRecords(this.#context.checksum);
      return await startReplay({ directory, fileSystem, logger, isForeign, companion: indexOfSlice });
    } catch (error) {
      throw logUnusable(error);
    }
  }

  /** With `sync` off there is nothing to keep a log of. */
  async #startLog(replay: StartedReplay): Promise<void> {
    const { root: directory, fileSystem, clock, logger, options } = this.#context;
    try {
      this.#replay = await replay.finish();
      if (!options.sync) return;
      const open = this.#setup.openCommitLog ?? openCommitLog;
      this.#context.commitLog = (await open({ directory, fileSystem, clock, logger, random: this.#random })).log;
      this.#checkpoints.begin();
    } catch (error) {
      throw logUnusable(error);
    }
  }

  #parts(): { readonly context: StoreContext; readonly requestCompaction: RequestCompaction } {
    return { context: this.#context, requestCompaction: this.#requestCompaction };
  }

  #clientLog(): ClientLog {
    if (this.#isClosed || this.#clients === undefined) throw storeError("closed");
    return this.#clients;
  }

  #quarantine(one: QuarantinedChannel): void {
    this.#quarantined.set(one.channel, one);
    const error = quarantined(one);
    this.#context.logger.error(error.message);
  }

  // --- in the background ---

  #startTimers(): void {
    this.#tickTimer ??= this.#context.clock.setTimer(TICK_MILLIS, () => this.#tick());
    this.#armAutoSync();
  }

  #tick(): void {
    const { clock, pool } = this.#context;
    clock.read(this.#now);
    let isMore = false;
    for (const { messages } of this.#channels.values()) {
      if (messages.expires && messages.expire(this.#now)) isMore = true;
    }
    if (!isMore) pool.closeIdle();
    this.#tickTimer = clock.setTimer(isMore ? 0 : TICK_MILLIS, () => this.#tick());
  }

  #armLazyTimer(): void {
    if (this.#isClosed) return;
    this.#lazyTimer ??= this.#context.clock.setTimer(LAZY_MILLIS, () => {
      this.#lazyTimer = undefined;
      // What fails for good is told to whoever flushes next, and to `onFailure`.
      this.#queue.flushRecords().catch(() => {});
    });
  }

  #armAutoSync(): void {
    const { options, clock } = this.#context;
    const millis = Number(options.autoSync) / 1_000_000;
    if (millis <= 0) return;
    this.#autoSyncTimer ??= clock.setTimer(millis, () => {
      this.#autoSyncTimer = undefined;
      this.#autoSync()
        .catch((error: unknown) => {
          this.#context.logger.error(`Unable to sync: ${errorText(error)}`);
        })
        .finally(() => {
          if (!this.#isClosed && this.#queue.failure === undefined) this.#armAutoSync();
        });
    });
  }

  async #autoSync(): Promise<void> {
    if (this.#queue.hasGathered) {
      await this.#queue.flushRecords();
      await this.#queue.flush();
    }
    if (this.#context.pool.unsyncedCount > 0) await this.#checkpoints.run();
  }

  readonly #requestCompaction: RequestCompaction = (target, name, prefix, intervalMillis) => {
    const { clock, options } = this.#context;
    const now = clock.monotonicMillis();
    const last = this.#lastCompactions.get(target);
    if (last !== undefined && now - last < (intervalMillis ?? options.compactIntervalSeconds * 1000)) return;
    this.#lastCompactions.set(target, now);
    this.#queue
      .exclusively(async () => {
        // A channel of the same name may have been made since the target was deleted.
        if (!this.#isClosed && !target.isClosed) await compact(target, name, prefix, this.#context);
      })
      .catch(() => {});
  };

  // --- closing ---

  async #close(): Promise<void> {
    for (const timer of [this.#lazyTimer, this.#tickTimer, this.#autoSyncTimer]) timer?.cancel();
    let failure: unknown;
    const attempt = async (work: () => Promise<unknown> | undefined): Promise<void> => {
      try {
        await work();
      } catch (error) {
        failure ??= error;
      }
    };
    const { pool, archive, commitLog } = this.#context;
    if (this.#queue.failure === undefined) {
      await attempt(() => this.#queue.flushRecords());
      await attempt(() => this.#queue.flush());
      await attempt(() => this.#queue.exclusively(async () => {}));
      await attempt(() => this.#checkpoints.run());
    }
    this.#isClosed = true;
    this.#lazyTimer?.cancel();
    await archive.idle();
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
    pool.close();
    await attempt(() => commitLog?.close());
    this.#lock.release();
    if (failure !== undefined) throw failure;
  }
}

/**
 * Asks for a file to be compacted.
 * @param intervalMillis since the last compaction of the file; as configured if left out
 * @see file-store.md 13
 */
export type RequestCompaction = (target: Compactable, name: string, prefix: string, intervalMillis?: number) => void;

function truncationOf({ truncateUnexpectedEof }: FileStoreOptions, mode: RecoveryMode): Truncation {
  if (!truncateUnexpectedEof) return "off";
  return mode === "strict" ? "once" : "harmless";
}

/** @throws what is no failure of the disk */
function logUnusable(error: unknown): unknown {
  if (!(error instanceof FileError)) return error;
  return new StoreError("read_failed", `unable to open the commit log: ${error.message}`, { cause: error });
}
