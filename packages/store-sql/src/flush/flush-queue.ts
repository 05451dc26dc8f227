import { type Clock, type Deferred, deferred, type Logger, type Timer } from "@nats-streaming/kernel";
import { StoreError } from "@nats-streaming/store";
import { writeFailure } from "../errors.ts";
import type { BatchBuilder, BatchedLog, Gathering, LazyWriter, RecordedChange } from "../store-context.ts";
import type { Batch, BatchWriter } from "./batch-writer.ts";

/** Acks and positions are at most this late in the database. @see the design's durability rule 5 */
const LAZY_MILLIS = 500;

/**
 * Makes what gathers durable, one batch after the other.
 *
 * ```text
 *  gathering ─▶ seal() ─▶ one transaction ─▶ settled()
 *                              │ fails
 *                              ▼
 *               refused(): messages are taken back, those that gathered meanwhile too;
 *               every other change stays and goes into the next batch
 * ```
 *
 * While a batch is on its way, or somebody has the database for himself ({@link exclusively}), the next one gathers.
 */
export interface FlushQueue extends Gathering {
  /** undefined when there is nothing to wait for. @throws (rejects) StoreError `write_failed`, `sync_failed`, `closed` */
  flush(): Promise<void> | undefined;
  /** Writes all that is not messages. What fails is logged and tried again. @throws (rejects) StoreError `sync_failed` */
  flushRecords(): Promise<void>;
  /** Writes all that is not messages, and one more change. @throws (rejects) StoreError; the change is not made then */
  writeNow(change: RecordedChange): Promise<void>;
  /** Runs `work` while no batch is written. Its failure is the caller's alone, but `sync_failed` is final. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** Nothing can be made durable any more. */
  fail(error: StoreError): void;
  readonly failure: StoreError | undefined;
  /** No timer is set any more. */
  stop(): void;
}

export interface FlushQueueOptions {
  readonly writer: BatchWriter;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onFailure: (error: StoreError) => void;
}

export function createFlushQueue(options: FlushQueueOptions): FlushQueue {
  return new BatchQueue(options);
}

class BatchQueue implements FlushQueue {
  readonly #options: FlushQueueOptions;
  #logs: BatchedLog[] = [];
  #changes: RecordedChange[] = [];
  /** Whether a flush has to wait for the changes. */
  #isUrgent = false;
  #lazy: LazyWriter[] = [];
  #lazyTimer: Timer | undefined;
  #isStopped = false;
  /** What has the database now: a batch, or somebody for himself. */
  #running: Promise<unknown> | undefined;
  /** Flushes that came meanwhile. */
  #waiting: Deferred | undefined;
  /** Those who wait to have the database for themselves, longest first. */
  readonly #claims: (() => void)[] = [];
  /** A batch that nobody asked for has failed: whoever flushes next has to know. */
  #unreported: StoreError | undefined;
  gatheredBytes = 0;
  failure: StoreError | undefined;

  constructor(options: FlushQueueOptions) {
    this.#options = options;
  }

  touchMessages(log: BatchedLog): void {
    this.#logs.push(log);
  }

  record(change: RecordedChange): void {
    this.#isUrgent = true;
    this.recordLazily(change);
  }

  recordLazily(change: RecordedChange): void {
    this.#changes.push(change);
    this.#armLazyTimer();
  }

  touchLazily(writer: LazyWriter): void {
    this.#lazy.push(writer);
    this.#armLazyTimer();
  }

  flushSoon(): void {
    if (this.#running !== undefined || this.failure !== undefined || this.#unreported !== undefined) return;
    // Whoever flushes next is told of a failure.
    this.#flushNow(false).catch(() => {});
  }

  writeLazySoon(): void {
    this.#lazyTimer?.cancel();
    this.#lazyTimer = undefined;
    this.#writeLazily();
  }

  flush(): Promise<void> | undefined {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.#unreported !== undefined) return this.#report(this.#unreported);
    if (this.#running !== undefined) {
      this.#waiting ??= deferred();
      return this.#waiting.promise;
    }
    if (this.#logs.length === 0 && !this.#isUrgent) return undefined;
    return this.#flushNow(true);
  }

  async flushRecords(): Promise<void> {
    if (this.failure !== undefined) return;
    await this.exclusively(async () => {
      try {
        await this.#writeRecords();
      } catch (error) {
        const failure = writeFailure(error);
        if (failure.code === "sync_failed") throw failure;
        this.#options.logger.error(`Unable to write subscriptions: ${failure.message}`);
        this.#armLazyTimer();
      }
    });
  }

  writeNow(change: RecordedChange): Promise<void> {
    return this.exclusively(async () => {
      const { writer } = this.#options;
      try {
        await this.#writeRecords();
        await writer.write({ before: [change], parts: [], after: [] }, true);
      } catch (error) {
        throw writeFailure(error);
      }
    });
  }

  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const start = (): void => {
        const done = this.failure === undefined ? work() : Promise.reject(this.failure);
        this.#running = done;
        done.then(resolve, (error: unknown) => {
          if (error instanceof StoreError && error.code === "sync_failed") this.fail(error);
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
    this.stop();
    this.#options.onFailure(error);
  }

  stop(): void {
    this.#isStopped = true;
    this.#lazyTimer?.cancel();
    this.#lazyTimer = undefined;
  }

  // --- one batch ---

  /** @param isAwaited whether somebody waits for it, and so gets to know when it fails */
  #flushNow(isAwaited: boolean): Promise<void> {
    const logs = this.#logs;
    this.#logs = [];
    const batch = this.#takeBatch(logs, []);
    const flushed = this.#options.writer.write(batch, true).then(
      () => {
        for (const log of logs) log.settled();
        this.#ended();
      },
      (error: unknown) => {
        throw this.#refuse(logs, batch, error, isAwaited);
      },
    );
    this.#running = flushed;
    return flushed;
  }

  /** @throws (rejects) DatabaseError; the changes are kept then */
  async #writeRecords(): Promise<void> {
    const lazy = this.#lazy;
    this.#lazy = [];
    const batch = this.#takeBatch([], lazy);
    if (batch.before.length + batch.after.length === 0 && !this.#options.writer.hasRemains) return;
    try {
      await this.#options.writer.write(batch, false);
    } catch (error) {
      this.#keep(batch);
      throw error;
    }
  }

  #takeBatch(logs: readonly BatchedLog[], lazy: readonly LazyWriter[]): Batch {
    const builder: BatchBuilder = { parts: [], after: [] };
    for (const log of logs) log.seal(builder);
    for (const writer of lazy) writer.sealRecords(builder);
    const before = this.#changes;
    this.#changes = [];
    this.#isUrgent = false;
    return { before, parts: builder.parts, after: builder.after };
  }

  #keep({ before, after }: Batch): void {
    this.#changes = [...before, ...after, ...this.#changes];
    this.#isUrgent = this.#changes.length > 0;
  }

  readonly #ended = (): void => {
    this.#running = undefined;
    this.#next();
  };

  /** A batch of messages has failed: what gathered meanwhile goes with it, and who waits for that is told. */
  #refuse(logs: readonly BatchedLog[], batch: Batch, error: unknown, isAwaited: boolean): StoreError {
    this.#running = undefined;
    let failure: StoreError;
    try {
      failure = writeFailure(error);
    } catch (bug) {
      failure = new StoreError("sync_failed", String(bug), { cause: bug });
    }
    if (failure.code === "sync_failed") {
      this.fail(failure);
    } else {
      this.#keep(batch);
      this.#takeBack(logs);
      // Those who came while it ran wait for all that was appended before they came: they are told as well.
      if (!isAwaited && this.#waiting === undefined) this.#unreported = failure;
      this.#waiting?.reject(failure);
      this.#waiting = undefined;
      this.#armLazyTimer();
    }
    this.#next();
    return failure;
  }

  #takeBack(logs: readonly BatchedLog[]): void {
    const gathered = this.#logs;
    this.#logs = [];
    for (const log of logs) log.refused();
    for (const log of gathered) log.refused();
  }

  /** Messages that came after a failure which nobody was told of go the same way. */
  #report(failure: StoreError): Promise<void> {
    this.#unreported = undefined;
    this.#takeBack([]);
    return Promise.reject(failure);
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

  // --- what nobody waits for ---

  #armLazyTimer(): void {
    if (this.#isStopped) return;
    this.#lazyTimer ??= this.#options.clock.setTimer(LAZY_MILLIS, () => {
      this.#lazyTimer = undefined;
      this.#writeLazily();
    });
  }

  #writeLazily(): void {
    // What fails for good is told to whoever flushes next, and to `onFailure`.
    this.flushRecords().catch(() => {});
  }
}
