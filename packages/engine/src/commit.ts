import { type Bus, BusError, type Clock, invariant, type Logger, type Timer } from "@nats-streaming/kernel";
import { type Decoded, textToByteString } from "@nats-streaming/protocol";
import { decodePubAck, encodePubAck, pubAckSize, writePubAck } from "@nats-streaming/protocol/stan";
import { type Store, StoreError } from "@nats-streaming/store";
import { type Channel, subscriptionsOf } from "./channel.ts";
import { observe, type Statistics } from "./statistics.ts";

/**
 * Makes batches durable, then lets the world know.
 *
 * ```text
 *  turn of the event loop: append … append … append        one batch
 *  end of the turn:        store.flush() ─────────────▶  deliver to subscribers ▶ PubAcks ▶ other waiters
 *  while a flush runs:     the next batch gathers
 * ```
 *
 * A batch crosses the await, not a message. Nothing is delivered or acknowledged before the flush that covers it.
 */
export interface CommitQueue {
  /** How many turns in which something gathered have ended: the same number means the same turn. */
  readonly turn: number;

  /** The gathering batch has messages for this channel. */
  touch(channel: Channel): void;

  /**
   * Sends a `PubAck` once the batch is durable.
   * @param reply where to; empty sends nothing.
   * @param bytes the guid is `bytes[start, end)`; copied.
   */
  acknowledge(reply: string, bytes: Uint8Array, start: number, end: number): void;

  /** Logs a line once the PubAcks of the gathering batch are sent; for traces only. */
  traceAcked(text: string): void;

  /** Calls `done` once everything that was changed in the store before is durable, `failed` if it cannot be made so. */
  whenDurable(done: () => void, failed: (error: StoreError) => void): void;

  /** Settles when everything gathered so far is durable and told, or has failed. */
  drain(): Promise<void>;
}

export interface CommitOptions {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly statistics: Statistics;
  /** A flush starts at the latest when this many messages have gathered, if none is under way. */
  readonly batchSize: number;
  /** How long a batch waits for more after its first message; 0: until the end of the turn. */
  readonly sleepMillis: number;
  /** Offers a channel's flushed messages to its subscribers. */
  readonly deliver: (channel: Channel) => void;
  /** The store cannot tell any more what is durable: the server has to stop. */
  readonly onFatal: (error: Error) => void;
}

interface Waiter {
  readonly done: () => void;
  readonly failed: (error: StoreError) => void;
}

interface Batch {
  readonly channels: Channel[];
  readonly waiters: Waiter[];
  /** Parallel to ackEnds. */
  readonly replies: string[];
  /** Where each encoded PubAck ends in ackBytes. */
  readonly ackEnds: number[];
  ackBytes: Uint8Array;
  messages: number;
  /** When the first of them came, monotonic milliseconds; meaningless without one. */
  since: number;
  /** Empty unless messages are traced. */
  readonly traces: string[];
}

const ACK_BYTES_START = 32 * 1024;
/** An ack buffer that grew beyond this for one large batch is not kept for the next. */
const ACK_BYTES_KEPT = 4 * 1024 * 1024;
/** Least time between two lines about batches that could not be stored. */
const REFUSAL_LOG_MILLIS = 1_000;

export function createCommitQueue(options: CommitOptions): CommitQueue {
  return new BatchingCommitQueue(options);
}

class BatchingCommitQueue implements CommitQueue {
  readonly #options: CommitOptions;
  #gathering: Batch = newBatch();
  #spare: Batch = newBatch();
  #isFlushing = false;
  /** The end of the present turn starts a flush. */
  #isScheduled = false;
  /** A batch waits for more messages. */
  #sleep: Timer | undefined;
  #hasFailed = false;
  /** Refused batches are not logged before then, but counted. */
  #quietUntil = 0;
  #unlogged = 0;
  turn = 0;

  constructor(options: CommitOptions) {
    this.#options = options;
  }

  touch(channel: Channel): void {
    if (channel.isTouched) return;
    channel.isTouched = true;
    this.#gathering.channels.push(channel);
    this.#schedule();
  }

  acknowledge(reply: string, bytes: Uint8Array, start: number, end: number): void {
    const batch = this.#gathering;
    // One look at the clock per batch: its first message waits longest, and stands for all of them.
    if (batch.messages === 0) batch.since = this.#options.clock.monotonicMillis();
    batch.messages++;
    if (reply !== "") {
      const at = batch.ackEnds.length === 0 ? 0 : batch.ackEnds[batch.ackEnds.length - 1]!;
      const size = pubAckSize(end - start);
      if (at + size > batch.ackBytes.length) growAcks(batch, size);
      batch.replies.push(reply);
      batch.ackEnds.push(writePubAck(batch.ackBytes, at, bytes, start, end));
    }
    this.#schedule();
    if (batch.messages >= this.#options.batchSize && !this.#isFlushing) this.#start();
  }

  traceAcked(text: string): void {
    this.#gathering.traces.push(text);
  }

  whenDurable(done: () => void, failed: (error: StoreError) => void): void {
    this.#gathering.waiters.push({ done, failed });
    // Only publishes wait for others to fill a batch.
    this.#schedule(0);
  }

  drain(): Promise<void> {
    return new Promise((resolve) => this.whenDurable(resolve, () => resolve()));
  }

  #schedule(sleepMillis: number = this.#options.sleepMillis): void {
    if (this.#isScheduled) return;
    const { clock } = this.#options;
    if (sleepMillis === 0) {
      this.#isScheduled = true;
      this.#sleep?.cancel();
      this.#sleep = undefined;
      clock.defer(this.#endOfTurn);
    } else if (this.#sleep === undefined) {
      this.#sleep = clock.setTimer(sleepMillis, () => {
        this.#sleep = undefined;
        this.#endOfTurn();
      });
    }
  }

  readonly #endOfTurn = (): void => {
    this.#isScheduled = false;
    this.turn++;
    if (!this.#isFlushing) this.#start();
  };

  #start(): void {
    if (isEmpty(this.#gathering)) return;
    const batch = this.#gathering;
    this.#gathering = this.#spare;
    this.#spare = batch;
    for (const channel of batch.channels) {
      channel.isTouched = false;
      channel.flushTarget = channel.messages.lastSequence;
    }
    if (this.#hasFailed) {
      this.#refuse(batch, new StoreError("closed", "the store has failed"));
      return;
    }
    let flushed: Promise<void> | undefined;
    try {
      flushed = this.#options.store.flush();
    } catch (error) {
      this.#onFlushError(batch, error);
      return;
    }
    if (flushed === undefined) {
      this.#complete(batch);
      return;
    }
    this.#isFlushing = true;
    const { clock, statistics } = this.#options;
    const startedAt = clock.monotonicMillis();
    flushed.then(
      () => {
        this.#isFlushing = false;
        observe(statistics.flushLatency, clock.monotonicMillis() - startedAt, 1);
        this.#complete(batch);
        this.#start();
      },
      (error) => {
        this.#isFlushing = false;
        this.#onFlushError(batch, error);
        this.#start();
      },
    );
  }

  #complete(batch: Batch): void {
    for (const channel of batch.channels) channel.flushedSequence = channel.flushTarget;
    for (const channel of batch.channels) this.#options.deliver(channel);
    this.#sendAcks(batch);
    if (batch.messages > 0) {
      const { clock, statistics } = this.#options;
      observe(statistics.publishLatency, clock.monotonicMillis() - batch.since, batch.messages);
    }
    for (const text of batch.traces) this.#options.logger.trace(text);
    const waiters = batch.waiters.splice(0);
    reset(batch);
    for (const waiter of waiters) waiter.done();
  }

  #sendAcks(batch: Batch): void {
    const { bus } = this.#options;
    let start = 0;
    for (let i = 0; i < batch.replies.length; i++) {
      const end = batch.ackEnds[i]!;
      try {
        bus.publish(batch.replies[i]!, batch.ackBytes, "", start, end);
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        // A subject that cannot be sent to costs its own PubAck only; without a connection they are all lost alike,
        // and their publishers ask again.
        if (error.code === "closed" || error.code === "disconnected") return;
      }
      start = end;
    }
  }

  #onFlushError(batch: Batch, cause: unknown): void {
    const error = cause instanceof StoreError ? cause : new StoreError("sync_failed", String(cause), { cause });
    if (error.code !== "write_failed") {
      this.#hasFailed = true;
      reset(batch);
      this.#options.onFatal(error);
      return;
    }
    this.#logRefusal(error);
    this.#refuse(batch, error);
    // What was appended while that flush ran has been taken back with it.
    const gathered = this.#gathering;
    this.#gathering = newBatch();
    for (const channel of gathered.channels) channel.isTouched = false;
    this.#refuse(gathered, error);
  }

  /** A full disk refuses thousands of batches a second: one line a second says so. */
  #logRefusal(error: StoreError): void {
    const { clock, logger } = this.#options;
    const now = clock.monotonicMillis();
    if (now < this.#quietUntil) {
      this.#unlogged++;
      return;
    }
    const more = this.#unlogged === 0 ? "" : ` (and ${this.#unlogged} more batches before)`;
    logger.error(`Unable to store: ${error.message}${more}`);
    this.#quietUntil = now + REFUSAL_LOG_MILLIS;
    this.#unlogged = 0;
  }

  /** Tells everybody of a batch that it was not stored. */
  #refuse(batch: Batch, error: StoreError): void {
    for (const channel of batch.channels) {
      const last = channel.store.messages.lastSequence;
      channel.flushedSequence = Math.min(channel.flushedSequence, last);
      // A position beyond the log would skip the messages that get these sequences next.
      for (const subscription of subscriptionsOf(channel)) {
        subscription.lastSent = Math.min(subscription.lastSent, last);
      }
      for (const group of channel.groups.values()) group.lastSent = Math.min(group.lastSent, last);
    }
    let start = 0;
    for (let i = 0; i < batch.replies.length; i++) {
      const end = batch.ackEnds[i]!;
      const { guid } = valueIn(decodePubAck(batch.ackBytes, start, end));
      const payload = encodePubAck({ guid, error: textToByteString(error.message) });
      try {
        this.#options.bus.publish(batch.replies[i]!, payload);
      } catch {
        // Nobody to tell: the publisher's own timeout does.
      }
      start = end;
    }
    const waiters = batch.waiters.splice(0);
    reset(batch);
    for (const waiter of waiters) waiter.failed(error);
  }
}

function newBatch(): Batch {
  return {
    channels: [],
    waiters: [],
    replies: [],
    ackEnds: [],
    ackBytes: new Uint8Array(ACK_BYTES_START),
    messages: 0,
    since: 0,
    traces: [],
  };
}

function isEmpty(batch: Batch): boolean {
  return batch.channels.length === 0 && batch.waiters.length === 0 && batch.messages === 0;
}

function reset(batch: Batch): void {
  batch.channels.length = 0;
  batch.waiters.length = 0;
  batch.replies.length = 0;
  batch.ackEnds.length = 0;
  batch.messages = 0;
  batch.traces.length = 0;
  if (batch.ackBytes.length > ACK_BYTES_KEPT) batch.ackBytes = new Uint8Array(ACK_BYTES_START);
}

function growAcks(batch: Batch, size: number): void {
  const grown = new Uint8Array((batch.ackBytes.length + size) * 2);
  grown.set(batch.ackBytes);
  batch.ackBytes = grown;
}

/** What was encoded here is decoded here: it cannot be invalid. */
function valueIn<T>(decoded: Decoded<T>): T {
  invariant(decoded.kind === "ok", "a PubAck of our own cannot be read");
  return decoded.value;
}
