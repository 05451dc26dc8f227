import {
  type DurationNanos,
  errorText,
  nowNanos,
  quoteName,
  type Sequence,
  sequence,
  type Timestamp,
  type TimestampNanos,
} from "@nats-streaming/kernel";
import { encodeSubjectField, msgProtoSize, readMsgProtoTimestamp, writeMsgProto } from "@nats-streaming/protocol/stan";
import {
  type ByteRange,
  type ChannelLimits,
  createMessageArena,
  type IncomingMessage,
  LOOKUP_COLD,
  LOOKUP_FOUND,
  LOOKUP_NONE,
  type Lookup,
  limitsReachedText,
  type MessageArena,
  type MessageLog,
  type StoredMessage,
  StoreError,
} from "@nats-streaming/store";
import type { SqlRow } from "../database.ts";
import { readFailure } from "../errors.ts";
import { bigintOf, numberOf } from "../sql-values.ts";
import type { BatchBuilder, BatchedLog, LazyWriter, StoreContext } from "../store-context.ts";
import { FrontWindow, WINDOW_MESSAGES } from "./front-window.ts";
import { copyMark, type LogMark, logMark } from "./log-mark.ts";
import type { Evictable } from "./message-cache.ts";
import { ReadBlocks } from "./read-blocks.ts";

/** Messages of one log that gather before a batch is started without being asked for. @see sql-store.md 5 "store" */
const GATHERED_MESSAGES_MAX = 1024;
/**
 * Bytes of all logs that may wait for the database. What comes beyond is refused, so that a database which hangs does not
 * fill the memory.
 */
const GATHERED_BYTES_MAX = 256 * 1024 * 1024;
/** Messages and bytes that one load brings at most. */
const LOAD_MESSAGES_MAX = 4096;
const LOAD_BYTES_MAX = 1024 * 1024;
/** Most messages that expire in one turn, a few milliseconds' worth: a million at once must not stop the server. */
const EXPIRED_PER_TURN_MAX = 20_000;

/** What a log begins with. */
export interface LogContent extends LogMark {
  /** Highest sequence up to which the database holds nothing. */
  readonly deletedTo: number;
  /** Whether the channel's row tells the last sequence, which has to be so when there is no message. */
  readonly isLastKept: boolean;
}

/** Of a channel that never had a message. */
export const NO_CONTENT: LogContent = { ...logMark(), deletedTo: 0, isLastKept: false };

export interface SqlMessageLogOptions {
  readonly context: StoreContext;
  /** Byte string. */
  readonly channel: string;
  /** Channel number. */
  readonly id: number;
  /** In force: 0 means unlimited. */
  readonly limits: ChannelLimits;
  readonly content: LogContent;
}

export interface SqlMessageLog extends MessageLog, BatchedLog, LazyWriter {
  readonly expires: boolean;
  /** Removes what has reached max_age by `now`. @returns whether there is more of it, left for another turn */
  expire(now: TimestampNanos): boolean;
  /** Nothing can be stored any more: the database does not take the channel. */
  reject(text: string): void;
  /** Lets go of all memory; nothing is written. Idempotent. */
  close(): void;
}

export function createSqlMessageLog(options: SqlMessageLogOptions): SqlMessageLog {
  return new DatabaseLog(options);
}

/**
 * ```text
 *   append ─▶ arena (encoded once) ─▶ batch ─▶ settled()
 *   lookup ─▶ arena: the last messages, as many as the cache has room for
 *          ─▶ read blocks: what was loaded
 *          ─▶ LOOKUP_COLD
 * ```
 *
 * What limits remove stays in the database until the message that pushed it out is durable; until then all can be taken
 * back.
 */
class DatabaseLog implements SqlMessageLog, Evictable {
  readonly channel: string;
  readonly expires: boolean;
  readonly #id: number;
  readonly #context: StoreContext;
  readonly #limits: ChannelLimits;
  readonly #maxAge: DurationNanos;
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #subjectField: Uint8Array;

  /** From some sequence on to the last. */
  readonly #arena: MessageArena = createMessageArena();
  readonly #blocks: ReadBlocks;
  /** Of what is before the arena. */
  readonly #window = new FrontWindow();
  #isLoadingFront = false;
  #first: number;
  #last: number;
  #count: number;
  #bytes: number;

  /** The state to return to when the present batch cannot be made durable; valid while dirty or in flight. */
  readonly #durable: LogMark = logMark();
  /** The state that the batch in flight makes durable. */
  readonly #flushing: LogMark = logMark();
  #isDirty = false;
  #isInFlight = false;
  #isLazy = false;
  /** The last sequence that has been in a batch. */
  #sealedLast: number;
  #gatheredCount = 0;
  #gatheredBytes = 0;
  #inFlightBytes = 0;
  /** What batches have deleted, or will. */
  #deletedTo: number;
  #isMaxSequenceWritten = false;
  /** Nothing expires before. */
  #expiryDue = 0n;
  #warned = false;
  #isClosed = false;
  #rejection: string | undefined;

  constructor({ context, channel, id, limits, content }: SqlMessageLogOptions) {
    this.channel = channel;
    this.#id = id;
    this.#context = context;
    this.#limits = limits;
    this.#subjectField = encodeSubjectField(channel);
    this.#maxMessages = limits.maxMessages === 0 ? Number.POSITIVE_INFINITY : limits.maxMessages;
    this.#maxBytes = limits.maxBytes === 0 ? Number.POSITIVE_INFINITY : limits.maxBytes;
    this.#maxAge = limits.maxAge;
    this.expires = limits.maxAge > 0n;
    this.#blocks = new ReadBlocks(context.cache);
    this.#first = content.first;
    this.#last = content.last;
    this.#count = content.count;
    this.#bytes = content.bytes;
    this.#sealedLast = content.last;
    this.#deletedTo = content.deletedTo;
    this.#isMaxSequenceWritten = content.isLastKept;
    this.#window.isComplete = content.count === 0;
    copyMark(content, this.#durable);
    this.#touchIfRemoved();
  }

  get firstSequence(): Sequence {
    return sequence(this.#first);
  }

  get lastSequence(): Sequence {
    return sequence(this.#last);
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(sequence: Sequence, message: IncomingMessage, timestamp: Timestamp): void {
    if (sequence <= this.#last || this.#isClosed) return;
    const { replyStart, replyEnd, dataStart, dataEnd } = message;
    const field = this.#subjectField;
    const size = msgProtoSize(sequence, field.length, replyEnd - replyStart, dataEnd - dataStart, timestamp);
    const { gathering, facts, cache } = this.#context;
    if (size > facts.maxMessageBytes) throw tooLong(size, facts.maxMessageBytes);
    if (this.#rejection !== undefined) throw new StoreError("write_failed", this.#rejection);
    if (gathering.gatheredBytes + size > GATHERED_BYTES_MAX) throw tooMuchWaits();
    if (this.#gatheredCount >= GATHERED_MESSAGES_MAX) gathering.flushSoon();
    if (!this.#isDirty) this.#begin();

    const arena = this.#arena;
    const at = arena.reserve(size);
    writeMsgProto(
      arena.reserved,
      at,
      sequence,
      field,
      message.bytes,
      replyStart,
      replyEnd,
      dataStart,
      dataEnd,
      timestamp,
    );
    arena.commit(sequence);
    if (this.#count === 0) {
      this.#first = sequence;
      this.#expiryDue = 0n;
      this.#window.clear(true);
    }
    this.#last = sequence;
    this.#count++;
    this.#bytes += size;
    this.#gatheredCount++;
    this.#gatheredBytes += size;
    gathering.gatheredBytes += size;
    cache.used += size;
    if (this.#count > this.#maxMessages || this.#bytes > this.#maxBytes) this.#enforceLimits();
  }

  lookup(sequence: number, out: StoredMessage): Lookup {
    if (sequence < this.#first || sequence > this.#last) return LOOKUP_NONE;
    const arena = this.#arena;
    if (arena.locate(sequence, out)) return LOOKUP_FOUND;
    if (arena.count > 0 && sequence >= arena.firstSequence) return LOOKUP_NONE;
    return this.#blocks.lookup(sequence, out) ?? LOOKUP_COLD;
  }

  async load(from: number, count: number): Promise<void> {
    const start = Math.max(from, this.#first);
    if (start > this.#last || this.#count === 0) return;
    const out: StoredMessage = { bytes: NO_BYTES, start: 0, end: 0 };
    if (this.lookup(start, out) !== LOOKUP_COLD) return;
    const to = this.#coldLast;
    const most = Math.max(1, Math.min(count, LOAD_MESSAGES_MAX));
    const { epoch } = this.#blocks;
    try {
      const request = { channel: this.#id, from: start, to, count: most, bytes: LOAD_BYTES_MAX };
      const block = await this.#context.database.readMessages(request);
      if (epoch !== this.#blocks.epoch || this.#isClosed) return;
      const end = block.count === 0 ? to + 1 : block.sequences[block.count - 1]! + 1;
      this.#blocks.add(start, end, block);
    } catch (error) {
      throw readFailure(error);
    }
  }

  sequenceFromTimestamp(timestamp: TimestampNanos): number | Promise<number> {
    if (this.#count === 0) return this.#first;
    const arena = this.#arena;
    if (arena.count === 0 || arena.firstSequence > this.#first) {
      if (arena.count === 0 || timestamp <= timeAt(arena, arena.firstSequence))
        return this.#coldFromTimestamp(timestamp);
    }
    let low: number = arena.firstSequence;
    let high = this.#last + 1;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      const present = arena.nextSequence(middle);
      if (present === 0 || timeAt(arena, present) >= timestamp) high = middle;
      else low = present + 1;
    }
    return low > this.#last ? low : arena.nextSequence(low);
  }

  /** Not to be taken back: what a failing flush restores is the empty log. */
  empty(): void {
    const operation = [
      { name: "deleteMessagesFrom", params: [this.#id, 0] },
      { name: "updateMaxSequence", params: [0, this.#id] },
    ] as const;
    this.#context.gathering.record({ operation });
    this.#forgetMemory();
    this.#first = this.#last = this.#count = this.#bytes = this.#sealedLast = this.#deletedTo = 0;
    this.#isMaxSequenceWritten = false;
    this.#window.clear(true);
    this.#context.gathering.gatheredBytes -= this.#gatheredBytes;
    this.#gatheredCount = this.#gatheredBytes = 0;
    for (const mark of [this.#durable, this.#flushing]) copyMark(EMPTY, mark);
  }

  reject(text: string): void {
    this.#rejection = text;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#context.gathering.gatheredBytes -= this.#gatheredBytes + this.#inFlightBytes;
    this.#gatheredBytes = this.#inFlightBytes = 0;
    this.#forgetMemory();
  }

  // --- the batch ---

  seal(builder: BatchBuilder): void {
    if (this.#isClosed) return;
    this.#isDirty = false;
    this.#isInFlight = true;
    this.#save(this.#flushing);
    if (this.#gatheredCount > 0) {
      builder.parts.push({
        channel: this.#id,
        arena: this.#arena,
        from: this.#sealedLast + 1,
        to: this.#last,
        count: this.#gatheredCount,
        bytes: this.#gatheredBytes,
      });
    }
    this.#sealedLast = this.#last;
    this.#inFlightBytes += this.#gatheredBytes;
    this.#gatheredCount = this.#gatheredBytes = 0;
    this.#sealRemovals(builder);
  }

  sealRecords(builder: BatchBuilder): void {
    this.#isLazy = false;
    if (!this.#isClosed) this.#sealRemovals(builder);
  }

  settled(): void {
    if (!this.#isInFlight || this.#isClosed) return;
    const { cache, gathering } = this.#context;
    this.#isInFlight = false;
    gathering.gatheredBytes -= this.#inFlightBytes;
    this.#inFlightBytes = 0;
    // What was removed since the batch was sealed is removed for good when nothing was appended.
    if (this.#isDirty) copyMark(this.#flushing, this.#durable);
    else this.#save(this.#durable);
    this.#touchIfRemoved();
    cache.touch(this);
    if (cache.used > cache.limit) cache.trim();
  }

  refused(): void {
    if (this.#isClosed) return;
    const { gathering, cache } = this.#context;
    gathering.gatheredBytes -= this.#gatheredBytes + this.#inFlightBytes;
    this.#gatheredBytes = this.#gatheredCount = this.#inFlightBytes = 0;
    this.#isDirty = this.#isInFlight = false;
    const mark = this.#durable;
    this.#first = mark.first;
    this.#last = this.#sealedLast = mark.last;
    this.#count = mark.count;
    this.#bytes = mark.bytes;
    this.#expiryDue = 0n;
    const arena = this.#arena;
    const held = arena.bytes;
    arena.truncateAfter(mark.last);
    cache.used -= held - arena.bytes;
    // What limits had removed is in the database only.
    this.#window.clear(mark.count === 0 || (arena.count > 0 && arena.firstSequence <= mark.first));
    this.#blocks.clear();
  }

  // --- memory ---

  evict(wanted: number): number {
    const arena = this.#arena;
    const window = this.#window;
    // Reading from the database is only for what is there, and no failing flush can take back.
    const durable = this.#isDirty || this.#isInFlight ? this.#durable.last : this.#last;
    let freed = 0;
    while (freed < wanted && arena.count > 0 && arena.firstSequence <= durable) {
      const first = arena.firstSequence;
      const isKept = window.isComplete && (this.expires || this.#isLimited);
      const time = isKept ? timeAt(arena, first) : 0n;
      const size = arena.removeFirst();
      if (!isKept || !window.push(first, size, time)) window.isComplete = false;
      freed += size;
    }
    return freed;
  }

  get isEmpty(): boolean {
    return this.#arena.count === 0;
  }

  get #isLimited(): boolean {
    return this.#maxMessages !== Number.POSITIVE_INFINITY || this.#maxBytes !== Number.POSITIVE_INFINITY;
  }

  #forgetMemory(): void {
    const { cache } = this.#context;
    cache.used -= this.#arena.bytes;
    cache.forget(this);
    this.#arena.clear();
    this.#blocks.clear();
  }

  // --- appending ---

  /** The first change since everything was durable, or since a batch went on its way. */
  #begin(): void {
    this.#isDirty = true;
    if (!this.#isInFlight) this.#save(this.#durable);
    this.#context.gathering.touchMessages(this);
  }

  #save(mark: LogMark): void {
    mark.first = this.#first;
    mark.last = this.#last;
    mark.count = this.#count;
    mark.bytes = this.#bytes;
  }

  // --- removing ---

  #enforceLimits(): void {
    while (this.#count > 1 && (this.#count > this.#maxMessages || this.#bytes > this.#maxBytes)) {
      if (!this.#removeFirst()) break;
      if (this.#warned) continue;
      this.#warned = true;
      this.#context.logger.warn(limitsReachedText(this.channel, this.#count, this.#bytes, this.#limits));
    }
    this.#changedAlone();
  }

  expire(now: TimestampNanos): boolean {
    if (this.#count === 0 || now < this.#expiryDue || this.#isClosed) return false;
    let isMore = false;
    for (let removed = 0; this.#count > 0; removed++) {
      const time = this.#firstTime();
      if (time === undefined) break;
      if (time + this.#maxAge > now) {
        this.#expiryDue = time + this.#maxAge;
        break;
      }
      if (removed === EXPIRED_PER_TURN_MAX) {
        isMore = true;
        break;
      }
      this.#removeFirst();
    }
    this.#changedAlone();
    return isMore;
  }

  /** undefined when it has to be read first. */
  #firstTime(): bigint | undefined {
    if (this.#window.length > 0) return this.#window.time;
    if (this.#window.isComplete) return timeAt(this.#arena, this.#arena.firstSequence);
    this.#loadFront();
    return undefined;
  }

  /** Takes the first message away, in memory only. @returns false when nothing is known of it yet: it is being read */
  #removeFirst(): boolean {
    const window = this.#window;
    const arena = this.#arena;
    let size: number;
    if (window.length > 0) {
      size = window.size;
      this.#first = window.sequence + 1;
      window.shift();
    } else if (window.isComplete) {
      this.#first = arena.firstSequence + 1;
      size = arena.removeFirst();
      this.#context.cache.used -= size;
    } else {
      this.#loadFront();
      return false;
    }
    this.#count--;
    this.#bytes -= size;
    this.#expiryDue = 0n;
    if (this.#count === 0) {
      this.#first = this.#last + 1;
      window.clear(true);
    } else if (window.length > 0) {
      this.#first = window.sequence;
    } else if (window.isComplete) {
      this.#first = arena.firstSequence;
    }
    return true;
  }

  /** Reads sizes and times of the oldest messages; limits act when they are there, for a moment too late. */
  #loadFront(): void {
    if (this.#isLoadingFront) return;
    this.#isLoadingFront = true;
    const { epoch } = this.#blocks;
    const { database, logger } = this.#context;
    database.query("selectSizesFrom", [this.#id, this.#first, WINDOW_MESSAGES]).then(
      (rows) => {
        this.#isLoadingFront = false;
        if (epoch !== this.#blocks.epoch || this.#isClosed || this.#window.length > 0) return;
        this.#fillWindow(rows);
        this.#enforceLimits();
        if (this.expires) this.expire(nowNanos(this.#context.clock));
      },
      (error: unknown) => {
        this.#isLoadingFront = false;
        const name = quoteName(this.channel);
        // The next message, or the next look at what has expired, tries again.
        logger.error(`Unable to perform expiration for channel ${name}: ${errorText(error)}`);
      },
    );
  }

  #fillWindow(rows: readonly SqlRow[]): void {
    const window = this.#window;
    const arena = this.#arena;
    const below = this.#coldLast + 1;
    window.clear(rows.length < WINDOW_MESSAGES);
    for (const [seq, size, time] of rows) {
      if (numberOf(seq) >= below) {
        window.isComplete = true;
        break;
      }
      window.push(numberOf(seq), numberOf(size), bigintOf(time));
    }
    if (window.length > 0) {
      this.#first = Math.max(this.#first, window.sequence);
      return;
    }
    // There is nothing where something should be: somebody else has deleted it.
    const missing = { count: this.#count - arena.count, bytes: this.#bytes - arena.bytes };
    this.#count -= missing.count;
    this.#bytes -= missing.bytes;
    this.#first = arena.count > 0 ? arena.firstSequence : this.#last + 1;
    for (const mark of [this.#durable, this.#flushing]) {
      mark.count = Math.max(0, mark.count - missing.count);
      mark.bytes = Math.max(0, mark.bytes - missing.bytes);
      mark.first = Math.min(Math.max(mark.first, this.#first), mark.last + 1);
    }
  }

  /** With nothing under way the durable state is the present one. */
  #changedAlone(): void {
    if (this.#isDirty || this.#isInFlight) return;
    this.#save(this.#durable);
    this.#touchIfRemoved();
  }

  #touchIfRemoved(): void {
    if (this.#isLazy || !this.#hasRemovals) return;
    this.#isLazy = true;
    this.#context.gathering.touchLazily(this);
  }

  get #hasRemovals(): boolean {
    const { first, count, last } = this.#durable;
    return first - 1 > this.#deletedTo || (count === 0 && last > 0 && !this.#isMaxSequenceWritten);
  }

  /** Deletes what was removed in the state that is durable: that is never taken back. */
  #sealRemovals({ after }: BatchBuilder): void {
    if (!this.#hasRemovals) return;
    const { first, count, last } = this.#durable;
    const to = first - 1;
    const deletion = { name: "deleteMessagesTo", params: [this.#id, to] } as const;
    if (count === 0) {
      // Without a message the last sequence would be forgotten.
      after.push({ operation: [{ name: "updateMaxSequence", params: [last, this.#id] }, deletion] });
      this.#isMaxSequenceWritten = true;
    } else {
      after.push({ operation: [deletion] });
      this.#isMaxSequenceWritten = false;
    }
    this.#deletedTo = Math.max(this.#deletedTo, to);
  }

  // --- reading ---

  /** The last sequence that only the database may have. */
  get #coldLast(): number {
    return this.#arena.count > 0 ? this.#arena.firstSequence - 1 : this.#last;
  }

  /** Looks by halves for the first message not before a time: times do not fall within a channel. */
  async #coldFromTimestamp(timestamp: TimestampNanos): Promise<number> {
    const { database } = this.#context;
    let low = this.#first;
    const end = this.#coldLast + 1;
    let high = end;
    try {
      while (low < high) {
        const middle = low + Math.floor((high - low) / 2);
        const [row] = await database.query("selectSizesFrom", [this.#id, middle, 1]);
        const found = row === undefined ? end : numberOf(row[0]);
        if (row === undefined || found >= high || bigintOf(row[2]) >= timestamp) high = middle;
        else low = found + 1;
      }
      const [row] = await database.query("selectSizesFrom", [this.#id, low, 1]);
      const found = row === undefined ? end : numberOf(row[0]);
      return Math.min(found, end, this.#last + 1);
    } catch (error) {
      throw readFailure(error);
    }
  }
}

function tooLong(size: number, limit: number): StoreError {
  const text = `Data too long for column 'data' of table Messages: the message takes ${size} bytes, the column ${limit}`;
  return new StoreError("write_failed", text);
}

function tooMuchWaits(): StoreError {
  return new StoreError("write_failed", `more than ${GATHERED_BYTES_MAX} bytes wait for the database`);
}

function timeAt(arena: MessageArena, sequence: number): bigint {
  arena.locate(sequence, place);
  return readMsgProtoTimestamp(place.bytes, place.start, place.end);
}

const NO_BYTES = new Uint8Array(0);
const EMPTY: LogMark = logMark();
const place: ByteRange = { bytes: NO_BYTES, start: 0, end: 0 };
