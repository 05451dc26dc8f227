import { type Clock, type Deferred, deferred, type Logger, type Timer } from "@nats-streaming/kernel";
import { StoreError } from "@nats-streaming/store";
import type { CommitLog } from "./commit-log/commit-log.ts";
import { finalFailure, storeFailure } from "./errors.ts";
import type { FilePool, PooledFile } from "./files/file-pool.ts";
import { syncFiles } from "./files/sync-files.ts";
import type { Flushable, Gathering } from "./store-context.ts";

/**
 * Makes what gathers durable, one batch after the other.
 *
 * ```text
 *  gathering ─▶ prepare() ─▶ seal() into the commit log ─▶ commit ─▶ settled() ─▶ write() into the compatible files
 *                  │ fails                    fails to write │  │ fails to sync       │ fails
 *                  ▼                                         ▼  ▼                     ▼
 *              refused(): messages are taken back, those   nothing is           durable all the same: written before
 *              that gathered meanwhile too                 durable any more     the next batch, or that is refused
 * ```
 *
 * A batch of very many logs is written together with those that follow, a moment later: a write of a file costs more
 * than all else that a message does.
 *
 * While a batch is on its way, or somebody has the files for himself ({@link exclusively}), the next one gathers.
 */
export interface FlushQueue extends Gathering {
  /** undefined when there is nothing to wait for. @throws (rejects) StoreError `write_failed`, `sync_failed`, `closed` */
  flush(): Promise<void> | undefined;
  /** Writes and commits records that nobody waits for. What fails is logged and tried again. */
  flushRecords(): Promise<void>;
  /** Runs `work` while nothing is written or committed. Its failure is the caller's alone, but `sync_failed` is final. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** A sync has failed somewhere: nothing can be made durable any more. */
  fail(error: StoreError): void;
  readonly failure: StoreError | undefined;
  /** Messages or records wait for a flush. */
  readonly hasGathered: boolean;
  /** Whether the files hold everything that is durable; tries to make it so. */
  writeBacklog(): boolean;
}

export interface FlushQueueOptions {
  readonly pool: FilePool;
  readonly logger: Logger;
  readonly clock: Clock;
  /**
   * A batch of at most so many logs is written into its files in the turn in which it has become durable. A larger one waits
   * for those behind it, which usually have something for the same files; a killed process leaves it to recovery.
   */
  readonly writtenAtOnceMax: number;
  /** Whether a flush has to survive a power loss. */
  readonly sync: boolean;
  /** undefined with `sync` off. */
  readonly commitLog: () => CommitLog | undefined;
  /** Records wait for {@link FlushQueue.flushRecords}. */
  readonly onLazyRecords: () => void;
  /** A batch has become durable. */
  readonly onSettled: () => void;
  readonly onFailure: (error: StoreError) => void;
}

export function createFlushQueue(options: FlushQueueOptions): FlushQueue {
  return new BatchQueue(options);
}

/**
 * How long a log of a batch of more than {@link FlushQueueOptions.writtenAtOnceMax} waits for more, or until so much is committed.
 * With many logs waiting they wait longer, so that writing them all takes about a third of the time.
 */
const WRITE_BEHIND_MILLIS = 50;
const WRITE_BEHIND_MILLIS_PER_LOG = 0.06;
const WRITE_BEHIND_MILLIS_MAX = 1_000;
const WRITE_BEHIND_BYTES_MAX = 8 * 1024 * 1024;
/** Logs written in one turn unless there are too many bytes: some milliseconds' worth, in which nothing else is done. */
const WRITE_BEHIND_LOGS_MAX = 512;

/** When a batch was committed, and what the commit log had taken then. */
interface Moment {
  readonly millis: number;
  readonly bytes: number;
}

/** Logs of one batch that wait to be written, since when: those of `items` whose `behindSince` this is, from `next` on. */
interface Behind extends Moment {
  readonly items: readonly Flushable[];
  next: number;
}

class BatchQueue implements FlushQueue {
  readonly #options: FlushQueueOptions;
  #messages: Flushable[] = [];
  #records: Flushable[] = [];
  #lazyRecords: Flushable[] = [];
  /** What is durable and could not be written into its files. */
  readonly #backlog = new Set<Flushable>();
  /** What is durable and waits to be written with what comes: what waits longest first. */
  #behind: Behind[] = [];
  /** How many logs that are. */
  #behindCount = 0;
  #behindTimer: Timer | undefined;
  #syncFirst = new Set<PooledFile>();
  /** What has the files now: a batch, or somebody for himself. */
  #running: Promise<unknown> | undefined;
  /** Flushes that came meanwhile. */
  #waiting: Deferred | undefined;
  /** Those who wait to have the files for themselves, longest first. */
  readonly #claims: (() => void)[] = [];
  failure: StoreError | undefined;

  constructor(options: FlushQueueOptions) {
    this.#options = options;
  }

  get hasGathered(): boolean {
    return this.#messages.length + this.#records.length + this.#lazyRecords.length > 0;
  }

  touchMessages(log: Flushable): void {
    this.#messages.push(log);
  }

  touchRecords(records: Flushable): void {
    this.#records.push(records);
    this.#options.onLazyRecords();
  }

  touchRecordsLazily(records: Flushable): void {
    this.#lazyRecords.push(records);
    this.#options.onLazyRecords();
  }

  syncFirst(file: PooledFile): void {
    if (this.#options.commitLog() !== undefined) this.#syncFirst.add(file);
  }

  flush(): Promise<void> | undefined {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.#running !== undefined) {
      this.#waiting ??= deferred();
      return this.#waiting.promise;
    }
    if (this.#messages.length === 0 && this.#records.length === 0) return undefined;
    return this.#flushNow();
  }

  async flushRecords(): Promise<void> {
    if (this.failure !== undefined) return;
    await this.exclusively(async () => {
      const batch = [...this.#records, ...this.#lazyRecords];
      this.#records = [];
      this.#lazyRecords = [];
      try {
        await this.#run(batch);
      } catch (error) {
        for (const item of batch) item.refused();
        if (!(error instanceof StoreError) || error.code !== "write_failed") throw error;
        this.#options.logger.error(`Unable to write subscriptions: ${error.message}`);
      }
    });
  }

  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const start = (): void => {
        const done = this.failure === undefined ? work() : Promise.reject(this.failure);
        this.#running = done;
        done.then(resolve, (error: unknown) => {
          const failure = finalFailure(error);
          if (failure !== undefined) this.fail(failure);
          reject(error);
        });
        done.then(this.#ended, this.#ended);
      };
      if (this.#running === undefined) start();
      else this.#claims.push(start);
    });
  }

  fail(error: StoreError): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
    this.#options.onFailure(error);
  }

  // --- one batch ---

  #flushNow(): Promise<void> | undefined {
    const batch = [...this.#messages, ...this.#records];
    this.#messages = [];
    this.#records = [];
    const { sync } = this.#options;
    if (!sync) return this.#writeNow(batch);
    const flushed = this.#run(batch).then(this.#ended, (error: unknown) => {
      this.#refuse(batch, error);
      throw error;
    });
    this.#running = flushed;
    return flushed;
  }

  /** Without syncs a batch is done before the call returns. */
  #writeNow(batch: readonly Flushable[]): Promise<void> | undefined {
    try {
      this.#writeUnlogged(batch);
    } catch (error) {
      const failure = storeFailure(error);
      this.#refuse(batch, failure);
      return Promise.reject(failure);
    }
    return undefined;
  }

  /** @throws FileError */
  #writeUnlogged(batch: readonly Flushable[]): void {
    for (const item of batch) {
      item.prepare();
      item.seal(undefined);
      item.write();
    }
    for (const item of batch) item.settled();
    this.#options.onSettled();
  }

  /** @throws (rejects) StoreError; nothing has been taken back then */
  async #run(batch: readonly Flushable[]): Promise<void> {
    const commitLog = this.#options.commitLog();
    try {
      if (commitLog === undefined) {
        this.#writeUnlogged(batch);
        return;
      }
      for (const item of this.#backlog) item.write();
      this.#backlog.clear();
      for (const item of batch) item.prepare();
      for (const item of batch) item.seal(commitLog);
      if (this.#syncFirst.size > 0) await this.#syncBefore();
      await commitLog.commit();
    } catch (error) {
      throw storeFailure(error);
    }
    for (const item of batch) item.settled();
    if (batch.length <= this.#options.writtenAtOnceMax) for (const item of batch) this.#write(item);
    else this.#writeLater(batch, commitLog);
    this.#options.onSettled();
  }

  #writeLater(items: readonly Flushable[], commitLog: CommitLog): void {
    const now = this.#momentOf(commitLog);
    const behind: Behind = { ...now, items, next: 0 };
    for (const item of items) {
      if (item.behindSince !== undefined) continue;
      item.behindSince = behind;
      this.#behindCount++;
    }
    this.#behind.push(behind);
    this.#writeDue(now);
    this.#setBehindTimer(now);
  }

  #momentOf(commitLog: CommitLog): Moment {
    return { millis: this.#options.clock.monotonicMillis(), bytes: commitLog.bytesSinceCheckpoint };
  }

  get #behindMillis(): number {
    const millis = Math.max(WRITE_BEHIND_MILLIS, this.#behindCount * WRITE_BEHIND_MILLIS_PER_LOG);
    return Math.min(millis, WRITE_BEHIND_MILLIS_MAX);
  }

  /** The batch with the log that waits longest, which is `items[next]` then. */
  #oldestBehind(): Behind | undefined {
    for (let behind = this.#behind[0]; behind !== undefined; behind = this.#behind[0]) {
      while (behind.next < behind.items.length && behind.items[behind.next]!.behindSince !== behind) behind.next++;
      if (behind.next < behind.items.length) return behind;
      this.#behind.shift();
    }
    return undefined;
  }

  /** Writes those that have waited long enough. */
  #writeDue(now: Moment): void {
    const since = now.millis - this.#behindMillis;
    let written = 0;
    for (let behind = this.#oldestBehind(); behind !== undefined; behind = this.#oldestBehind()) {
      const isPressing = now.bytes - behind.bytes > WRITE_BEHIND_BYTES_MAX;
      if (!isPressing && (behind.millis > since || written >= WRITE_BEHIND_LOGS_MAX)) return;
      this.#write(behind.items[behind.next]!);
      written++;
    }
  }

  #setBehindTimer(now: Moment): void {
    if (this.#behindTimer !== undefined) return;
    const oldest = this.#oldestBehind();
    if (oldest === undefined) return;
    const millis = Math.max(1, oldest.millis + this.#behindMillis - now.millis);
    this.#behindTimer = this.#options.clock.setTimer(millis, () => this.#catchUp());
  }

  /** Nobody may have flushed for a while. */
  #catchUp(): void {
    this.#behindTimer = undefined;
    const commitLog = this.#options.commitLog();
    if (this.#behindCount === 0 || this.failure !== undefined || commitLog === undefined) return;
    const work = async (): Promise<void> => {
      const now = this.#momentOf(commitLog);
      this.#writeDue(now);
      this.#setBehindTimer(now);
    };
    // What fails is in the backlog then, and in the log.
    this.exclusively(work).catch(() => {});
  }

  /** The batch is durable: a file that cannot take it now gets it before the next one. */
  #write(item: Flushable): void {
    if (item.behindSince !== undefined) {
      item.behindSince = undefined;
      this.#behindCount--;
    }
    try {
      item.write();
    } catch (error) {
      const failure = storeFailure(error);
      if (this.#backlog.size === 0) this.#options.logger.error(`Unable to write: ${failure.message}`);
      this.#backlog.add(item);
    }
  }

  writeBacklog(): boolean {
    this.#behindTimer?.cancel();
    this.#behindTimer = undefined;
    for (let behind = this.#oldestBehind(); behind !== undefined; behind = this.#oldestBehind()) {
      this.#write(behind.items[behind.next]!);
    }
    try {
      for (const item of this.#backlog) item.write();
      this.#backlog.clear();
      return true;
    } catch (error) {
      storeFailure(error);
      return false;
    }
  }

  /** Syncs what the commit log must be able to rely on. */
  async #syncBefore(): Promise<void> {
    const files = [...this.#syncFirst];
    this.#syncFirst = new Set();
    await syncFiles(files);
  }

  readonly #ended = (): void => {
    this.#running = undefined;
    this.#next();
  };

  /** A batch of messages has failed: what gathered meanwhile goes with it, and who waits for that is told. */
  #refuse(batch: readonly Flushable[], error: unknown): void {
    this.#running = undefined;
    const failure = storeFailure(error);
    if (failure.code === "write_failed") {
      const gathered = [...batch, ...this.#messages, ...this.#records];
      this.#messages = [];
      this.#records = [];
      for (const item of gathered) item.refused();
      this.#waiting?.reject(failure);
      this.#waiting = undefined;
    } else {
      this.fail(failure);
    }
    this.#next();
  }

  /** Whoever waits longest has his turn: claims first, as they are rare and short. */
  #next(): void {
    const claim = this.#claims.shift();
    if (claim !== undefined) {
      claim();
      return;
    }
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    const flushed = this.flush();
    if (flushed === undefined) waiting.resolve();
    else flushed.then(waiting.resolve, waiting.reject);
  }
}
