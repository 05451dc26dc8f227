import type { Clock, Logger } from "@nats-streaming/kernel";
import { type Database, DatabaseError, type Operation, type Statement } from "../database.ts";
import { type MessagePart, packMessages } from "../messages/pack-messages.ts";
import type { RecordedChange } from "../store-context.ts";

/** First and longest pause between two attempts to write a batch while the database is away. */
const PAUSE_MILLIS_MIN = 50;
const PAUSE_MILLIS_MAX = 1000;

/** What is made durable at once. */
export interface Batch {
  readonly before: readonly RecordedChange[];
  readonly parts: readonly MessagePart[];
  readonly after: readonly RecordedChange[];
}

export interface BatchWriterOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isUncached: boolean;
  /** How long a batch is tried again while the database cannot be spoken to. */
  readonly retryMillis: number;
  /** Owner ID of the exclusive lock; empty without one. */
  readonly guard: () => string;
}

/**
 * Writes batches, and is the one that knows what the database may hold of those that failed.
 *
 * A commit whose answer got lost may have taken place, and without caching a batch may have been written in part. Such a
 * batch is followed by the statements that take its inserts away again: so it can be written a second time, and what was
 * refused does not come back. They are the first thing that the next batch does, whatever it is.
 */
export class BatchWriter {
  readonly #options: BatchWriterOptions;
  #undo: Statement[] = [];
  /** The last batch held something that the database will never accept. */
  #isSuspicious = false;
  #isDown = false;
  #isClosing = false;
  #wake: (() => void) | undefined;
  /** When the database last confirmed a write, on the monotonic clock. */
  confirmedAt: number = Number.NEGATIVE_INFINITY;

  constructor(options: BatchWriterOptions) {
    this.#options = options;
  }

  /** The database may hold something that was refused: an empty batch takes it away. */
  get hasRemains(): boolean {
    return this.#undo.length > 0;
  }

  /** The database does not answer, and a batch waits for it. */
  get isDown(): boolean {
    return this.#isDown;
  }

  /** Ends the pause of a batch that waits, and lets none wait any more. */
  close(): void {
    this.#isClosing = true;
    this.#wake?.();
  }

  /** @param isPatient whether to wait for a database that is away @throws (rejects) DatabaseError */
  async write(batch: Batch, isPatient: boolean): Promise<void> {
    const { clock, logger, retryMillis } = this.#options;
    const until = clock.monotonicMillis() + (isPatient ? retryMillis : 0);
    let pause = PAUSE_MILLIS_MIN;
    for (;;) {
      try {
        await (this.#isSuspicious ? this.#writeApart(batch) : this.#writeOnce(batch));
        this.confirmedAt = clock.monotonicMillis();
        if (this.#isDown) logger.info("The database can be written to again");
        this.#isDown = false;
        return;
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        this.#isSuspicious ||= error.code === "invalid";
        if (!this.#isDown && error.code === "connection_lost") {
          logger.error(`Unable to write to the database: ${error.message}`);
        }
        this.#isDown = error.code === "connection_lost";
        if (!this.#isDown || this.#isClosing || clock.monotonicMillis() + pause > until) throw error;
      }
      await this.#pause(pause);
      pause = Math.min(2 * pause, PAUSE_MILLIS_MAX);
    }
  }

  async #writeOnce({ before, parts, after }: Batch): Promise<void> {
    const { isUncached, guard, database } = this.#options;
    const operations = operationsOf(before);
    try {
      await database.write({
        guard: guard(),
        before: this.#undo.length > 0 ? [this.#undo, ...operations] : operations,
        messages: packMessages(parts),
        after: operationsOf(after),
        oneByOne: isUncached,
      });
      this.#undo = [];
    } catch (error) {
      const isPartly = isUncached || (error instanceof DatabaseError && error.isOutcomeUnknown);
      if (isPartly) this.#remember([...before, ...after], parts);
      throw error;
    }
  }

  /**
   * Change by change, so that the one that is not accepted is found, reported and dropped, and does not hold up all others
   * for ever. The messages of the batch are refused then: they may belong to it.
   */
  async #writeApart(batch: Batch): Promise<void> {
    let rejection: DatabaseError | undefined;
    const alone = async (changes: readonly RecordedChange[]): Promise<void> => {
      for (const change of changes) {
        if (dropped.has(change)) continue;
        try {
          await this.#writeOnce({ before: [change], parts: [], after: [] });
        } catch (error) {
          if (!(error instanceof DatabaseError) || error.code !== "invalid") throw error;
          dropped.add(change);
          this.#options.logger.error(`The database does not take a change, which is dropped: ${error.message}`);
          change.onRejected?.(error.message);
          rejection ??= error;
        }
      }
    };
    await alone(batch.before);
    // Only records can be written again and again: messages were refused with the batch that failed.
    if (rejection === undefined && batch.parts.length > 0) {
      await this.#writeOnce({ before: [], parts: batch.parts, after: [] });
    }
    await alone(batch.after);
    if (this.hasRemains) await this.#writeOnce({ before: [], parts: [], after: [] });
    this.#isSuspicious = false;
    if (rejection !== undefined && batch.parts.length > 0) {
      throw new DatabaseError("refused", rejection.message, { cause: rejection });
    }
  }

  #remember(changes: readonly RecordedChange[], parts: readonly MessagePart[]): void {
    for (const { channel, from } of parts) this.#undo.push({ name: "deleteMessagesFrom", params: [channel, from] });
    for (const { undo } of changes) if (undo !== undefined) this.#undo.push(...undo);
  }

  #pause(millis: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(millis, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

/** Changes that were dropped, which a batch that is put together again may still name. */
const dropped = new WeakSet<RecordedChange>();

function operationsOf(changes: readonly RecordedChange[]): Operation[] {
  const operations: Operation[] = [];
  for (const change of changes) if (!dropped.has(change)) operations.push(change.operation);
  return operations;
}
