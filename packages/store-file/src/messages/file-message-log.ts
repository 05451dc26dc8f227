import {
  type Clock,
  errorText,
  FileError,
  type Sequence,
  sequence,
  type Timestamp,
  type TimestampNanos,
} from "@nats-streaming/kernel";
import { byteStringBytes } from "@nats-streaming/protocol";
import { msgProtoSize, readMsgProtoTime, subjectFieldSize } from "@nats-streaming/protocol/stan";
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
import type { CommitLog } from "../commit-log/commit-log.ts";
import { quoted, writeFailed } from "../errors.ts";
import type { PooledFile } from "../files/file-pool.ts";
import { type IndexEntry, indexEntry } from "../format/index-record.ts";
import { writeMessageRecord } from "../format/message-record.ts";
import { RECORD_HEADER_SIZE, recordSize } from "../format/record.ts";
import type { Flushable, StoreContext } from "../store-context.ts";
import { IndexWindow } from "./index-window.ts";
import { type LogMark, logMark } from "./log-mark.ts";
import type { Evictable } from "./message-cache.ts";
import { ReadBlocks } from "./read-blocks.ts";
import { findByTime } from "./sequence-from-timestamp.ts";
import { MESSAGE_OVERHEAD, type Slice } from "./slice.ts";
import type { SliceLimits } from "./slice-limits.ts";
import { SliceList } from "./slice-list.ts";

/** Most messages that expire in one turn, a few milliseconds' worth: a million at once must not stop the server. */
const EXPIRED_PER_TURN_MAX = 20_000;

/** How long to wait after an index could not be read. @see file-store.md 11 */
const EXPIRY_RETRY_MILLIS = 5000;

/** Expires messages and closes; beyond what the engine sees. */
export interface FileMessageLog extends MessageLog, Flushable {
  readonly expires: boolean;
  /**
   * Removes what has reached max_age by `now`.
   * @returns whether there is more of it, left for another turn
   */
  expire(now: Timestamp): boolean;
  /** Applies all limits to what was recovered, without a warning. */
  enforceRecovered(now: Timestamp): void;
  closeFiles(): void;
  /** The files that messages are appended to: none in a log that has no slice. */
  readonly tailFiles: readonly PooledFile[];
  /** Lets go of all memory; nothing is written. Idempotent. */
  close(): void;
}

export interface FileMessageLogOptions {
  readonly context: StoreContext;
  /** Byte string. */
  readonly channel: string;
  /** In force: 0 means unlimited. */
  readonly limits: ChannelLimits;
  readonly sliceLimits: SliceLimits;
  /** In the order of their numbers, each with a message. */
  readonly slices: Slice[];
  /** Makes the slice of that number, whose files are not there yet. */
  readonly newSlice: (number: number) => Slice;
  /** Number of the next slice. */
  readonly nextSlice: number;
  /** Removes every file of messages from the channel's directory. @throws FileError */
  readonly removeAll: () => void;
}

export function createFileMessageLog(options: FileMessageLogOptions): FileMessageLog {
  return new SliceLog(options);
}

const NO_BYTES = new Uint8Array(0);

/** More than ever gathers: the commit log refuses a quarter of it. */
const BUFFER_BYTES_MAX = 2 ** 30;

/**
 * ```text
 *   append ─▶ arena (encoded once, header in front) ─▶ write(): data file, index ─▶ commit log ─▶ settled()
 *   lookup ─▶ arena: the last messages, as many as the cache has room for
 *          ─▶ read blocks: what was loaded
 *          ─▶ LOOKUP_COLD
 * ```
 *
 * What limits remove stays on disk until the message that pushed it out is durable; until then all can be taken back.
 */
class SliceLog implements FileMessageLog, Evictable {
  // What every message and every batch look at stands together: with many channels each cache line is a miss.

  readonly #context: StoreContext;
  #last = 0;
  #isDirty = false;
  #isInFlight = false;
  #isClosed = false;
  /** Whether anything has to be compared at all: an infinite limit would be an object of its own. */
  readonly #isLimited: boolean;
  readonly #rollsByBytes: boolean;
  readonly #rollsByCount: boolean;
  readonly #rollsByAge: boolean;
  /** Bytes appended since the last write. */
  #buffered = 0;
  readonly #bufferBytes: number;
  readonly #sliceBytesMax: number;
  readonly #sliceMessagesMax: number;
  /** Records, from some sequence on to the last. */
  readonly #arena: MessageArena = createMessageArena(recordSize);
  /** The last of {@link #slices}, which would be one look more. */
  #tail: Slice | undefined;
  readonly #slices: SliceList;
  #count = 0;
  #bytes = 0;
  #first = 0;
  /** The last sequence that is in the files. */
  #writtenLast: number;
  /** The state to return to when the present batch cannot be made durable; valid while dirty or in flight. */
  #durable: LogMark = logMark();
  /** The state that the batch in flight makes durable. */
  #flushing: LogMark = logMark();
  older: Evictable | undefined;
  newer: Evictable | undefined;
  behindSince: object | undefined;

  /** Wall clock milliseconds before which nothing expires. */
  #expiryDue = 0;
  readonly channel: string;
  /** The channel's name, for messages that do not bring it. */
  readonly #name: Uint8Array;
  readonly expires: boolean;
  readonly #options: FileMessageLogOptions;
  readonly #clock: Clock;
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #sliceAgeMillis: number;
  readonly #ageMillis: number;
  readonly #ageNanos: number;
  readonly #blocks: ReadBlocks;
  readonly #window: IndexWindow;
  #nextSlice: number;
  #warned = false;

  constructor(options: FileMessageLogOptions) {
    const { context, limits } = options;
    this.channel = options.channel;
    this.#options = options;
    this.#context = context;
    this.#clock = context.clock;
    this.#name = byteStringBytes(options.channel);
    this.#maxMessages = limits.maxMessages === 0 ? Number.POSITIVE_INFINITY : limits.maxMessages;
    this.#maxBytes = limits.maxBytes === 0 ? Number.POSITIVE_INFINITY : limits.maxBytes;
    // Nothing is written before it is in the commit log: there each append waits for its flush.
    this.#bufferBytes = context.options.sync ? BUFFER_BYTES_MAX : context.options.bufferBytes;
    this.expires = limits.maxAge > 0n;
    this.#ageMillis = Number(limits.maxAge / 1_000_000n);
    this.#ageNanos = Number(limits.maxAge % 1_000_000n);
    this.#isLimited = limits.maxMessages > 0 || limits.maxBytes > 0;
    const { bytes, messages, ageMillis } = options.sliceLimits;
    this.#sliceBytesMax = bytes;
    this.#sliceMessagesMax = messages;
    this.#sliceAgeMillis = ageMillis;
    this.#rollsByBytes = Number.isFinite(bytes);
    this.#rollsByCount = Number.isFinite(messages);
    this.#rollsByAge = Number.isFinite(ageMillis);
    this.#window = new IndexWindow(context.verify);
    this.#blocks = new ReadBlocks(context.cache);
    this.#slices = new SliceList(options.slices);
    this.#tail = this.#slices.tail;
    this.#nextSlice = options.nextSlice;
    for (const slice of options.slices) {
      this.#count += slice.count;
      this.#bytes += slice.bytes;
      this.#last = slice.last;
    }
    this.#first = options.slices[0]?.first ?? 0;
    this.#writtenLast = this.#last;
    this.#save(this.#durable);
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
    if (!this.#isDirty) this.#begin();
    if (sequence !== this.#last + 1 && this.#last > 0) this.#fillGap(sequence, timestamp);
    const { subjectStart = 0, subjectEnd = 0, replyStart, replyEnd, dataStart, dataEnd } = message;
    const nameLength = subjectEnd > subjectStart ? subjectEnd - subjectStart : this.#name.length;
    const fieldSize = subjectFieldSize(nameLength);
    const size = msgProtoSize(sequence, fieldSize, replyEnd - replyStart, dataEnd - dataStart, timestamp);
    if (this.#buffered + size + RECORD_HEADER_SIZE > this.#bufferBytes) {
      this.#appendThrough(sequence, message, timestamp, size);
      return;
    }
    this.#add(this.#sliceFor(), sequence, message, timestamp, size);
    if (this.#isLimited && (this.#count > this.#maxMessages || this.#bytes > this.#maxBytes)) this.#enforceLimits(true);
  }

  lookup(sequence: number, out: StoredMessage): Lookup {
    if (sequence < this.#first || sequence > this.#last) return LOOKUP_NONE;
    if (this.#arena.locate(sequence, out)) {
      out.start += RECORD_HEADER_SIZE;
      return LOOKUP_FOUND;
    }
    const slice = this.#slices.find(sequence);
    if (slice === undefined || sequence < slice.first) return LOOKUP_NONE;
    return this.#blocks.lookup(sequence, out) ?? LOOKUP_COLD;
  }

  async load(from: number, count: number): Promise<void> {
    const start = Math.max(from, this.#first);
    if (start > this.#last || this.#count === 0) return;
    const out: StoredMessage = { bytes: NO_BYTES, start: 0, end: 0 };
    if (this.lookup(start, out) !== LOOKUP_COLD) return;
    const slice = this.#slices.find(start);
    if (slice === undefined) return;
    try {
      await this.#blocks.load(
        slice,
        start,
        Math.max(1, count),
        this.#context.options.readBufferBytes,
        this.#context.verify,
      );
    } catch (error) {
      if (error instanceof StoreError) throw error;
      throw new StoreError("read_failed", errorText(error), { cause: error });
    }
  }

  sequenceFromTimestamp(timestamp: TimestampNanos): number {
    if (this.#count === 0) return this.#first;
    try {
      return findByTime(this.#slices, timestamp, this.#last, this.#context.verify);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw new StoreError("read_failed", error.message, { cause: error });
    }
  }

  /** Not to be taken back: what a failing flush restores is the empty log. */
  empty(): void {
    const slices = this.#slices.takeAll();
    this.#tail = undefined;
    for (const slice of slices) slice.remove();
    this.#options.removeAll();
    for (const slice of slices) this.#context.commitLog?.removeFile(slice.name);
    this.#forgetMemory();
    this.#first = this.#last = this.#count = this.#bytes = this.#buffered = this.#writtenLast = 0;
    this.#nextSlice = 1;
    this.#durable = logMark();
    this.#flushing = logMark();
  }

  get tailFiles(): readonly PooledFile[] {
    const { tail } = this.#slices;
    return tail === undefined ? [] : [tail.data, tail.index];
  }

  closeFiles(): void {
    for (const slice of this.#slices.live()) slice.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#forgetMemory();
    this.closeFiles();
  }

  // --- the batch ---

  prepare(): void {
    if (this.#isClosed) return;
    const { single } = this.#slices;
    if (single !== undefined) this.#prepareSlice(single);
    else for (let i = this.#slices.unsealedFrom(); i < this.#slices.length; i++) this.#prepareSlice(this.#slices.at(i));
  }

  #prepareSlice(slice: Slice): void {
    if (slice.hasUnsealed && slice.prepare()) this.#context.gathering.syncFirst(slice.data);
  }

  seal(commitLog: CommitLog | undefined): void {
    if (this.#isClosed) return;
    this.#isDirty = false;
    this.#isInFlight = true;
    this.#save(this.#flushing);
    this.#buffered = 0;
    const { single } = this.#slices;
    if (single !== undefined) {
      if (single.hasUnsealed) single.seal(commitLog);
    } else for (let i = this.#slices.unsealedFrom(); i < this.#slices.length; i++) this.#slices.at(i).seal(commitLog);
  }

  write(): void {
    if (this.#isClosed) return;
    const last = lastOf(this.#isInFlight ? this.#flushing : this.#durable);
    for (let i = this.#slices.unwrittenFrom(); i < this.#slices.length; i++) this.#slices.at(i).write();
    this.#writtenLast = last;
    this.#discardWritten();
  }

  settled(): void {
    if (!this.#isInFlight || this.#isClosed) return;
    this.#isInFlight = false;
    const { cache } = this.#context;
    // Otherwise the durable state is the present one, which is noted down there.
    if (this.#isDirty) [this.#durable, this.#flushing] = [this.#flushing, this.#durable];
    this.#discardWritten();
    cache.touch(this);
    if (cache.used > cache.limit) cache.trim(0);
  }

  refused(): void {
    if (this.#isClosed) return;
    this.#isDirty = this.#isInFlight = false;
    this.#restore(this.#durable);
  }

  // --- memory ---

  evict(wanted: number): number {
    const arena = this.#arena;
    // Reading from disk is only for what is there, and no failing flush can take back.
    const durable = Math.min(this.#writtenLast, lastOf(this.#durable));
    let freed = 0;
    while (freed < wanted && arena.count > 0 && arena.firstSequence <= durable) freed += arena.removeFirst();
    return freed;
  }

  get isEmpty(): boolean {
    return this.#arena.count === 0;
  }

  #forgetMemory(): void {
    const { cache } = this.#context;
    cache.used -= this.#arena.bytes;
    cache.forget(this);
    this.#arena.clear();
    this.#blocks.clear();
    this.#window.clear();
  }

  // --- appending ---

  /** The first change since everything was durable, or since a batch went on its way. */
  #begin(): void {
    this.#isDirty = true;
    if (!this.#isInFlight) this.#save(this.#durable);
    this.#context.gathering.touchMessages(this);
  }

  #add(slice: Slice, sequence: number, message: IncomingMessage, timestamp: Timestamp, size: number): void {
    const arena = this.#arena;
    const at = arena.reserve(RECORD_HEADER_SIZE + size);
    const bytes = arena.reserved;
    const { subjectStart = 0, subjectEnd = 0 } = message;
    const hasName = subjectEnd > subjectStart;
    const name = hasName ? message.bytes : this.#name;
    const end = writeMessageRecord(
      bytes,
      at,
      sequence,
      name,
      hasName ? subjectStart : 0,
      hasName ? subjectEnd : name.length,
      message,
      timestamp,
      this.#context.checksums,
    );
    arena.commit(sequence);
    slice.append(sequence, timestamp, bytes, at, end);
    if (this.#count === 0) {
      this.#first = sequence;
      this.#expiryDue = 0;
    }
    this.#last = sequence;
    this.#count++;
    this.#bytes += size + MESSAGE_OVERHEAD;
    this.#buffered += size + RECORD_HEADER_SIZE;
    this.#context.cache.used += size + RECORD_HEADER_SIZE;
  }

  /** There is more than the buffer may hold: everything is written now. @throws StoreError `write_failed`, without the message */
  #appendThrough(sequence: number, message: IncomingMessage, timestamp: Timestamp, size: number): void {
    const before = logMark();
    this.#save(before);
    this.#add(this.#sliceFor(), sequence, message, timestamp, size);
    this.#enforceLimits(true);
    try {
      this.#writeThrough();
    } catch (error) {
      this.#restore(before);
      throw writeFailed(error);
    }
  }

  #writeThrough(): void {
    for (let i = this.#slices.unwrittenFrom(); i < this.#slices.length; i++) {
      const slice = this.#slices.at(i);
      slice.prepare();
      slice.seal(undefined);
      slice.write();
    }
    this.#buffered = 0;
  }

  /** The slice that the next message goes to; rolls when the last one is full. */
  #sliceFor(): Slice {
    const tail = this.#tail;
    if (tail !== undefined && !this.#isFull(tail)) return tail;
    const slice = this.#options.newSlice(this.#nextSlice);
    this.#nextSlice++;
    this.#slices.add(slice);
    this.#tail = slice;
    return slice;
  }

  #isFull(slice: Slice): boolean {
    if (this.#rollsByBytes && slice.bytes >= this.#sliceBytesMax) return true;
    if (this.#rollsByCount && slice.count >= this.#sliceMessagesMax) return true;
    if (!this.#rollsByAge) return false;
    this.#clock.read(now);
    const { millis, nanos } = slice.firstTime;
    return now.millis - millis + (now.nanos - nanos) / 1_000_000 >= this.#sliceAgeMillis;
  }

  /** Writes the sequences that are missing before `sequence` as empty messages of its time, all into one slice. */
  #fillGap(sequence: number, timestamp: Timestamp): void {
    const slice = this.#tail ?? this.#sliceFor();
    for (let missing = this.#last + 1; missing < sequence; missing++) {
      const size = msgProtoSize(missing, subjectFieldSize(this.#name.length), 0, 0, timestamp);
      this.#add(slice, missing, NOTHING, timestamp, size);
    }
  }

  // --- removing ---

  enforceRecovered(now: Timestamp): void {
    this.#enforceLimits(false);
    while (this.expires && this.expire(now));
    this.#window.clear();
  }

  #enforceLimits(isWarning: boolean): void {
    while (this.#count > 1 && (this.#count > this.#maxMessages || this.#bytes > this.#maxBytes)) {
      try {
        this.#removeFirst();
      } catch (error) {
        this.#context.logger.error(`Unable to remove first message: ${textOf(error)}`);
        return;
      }
      if (this.#warned || !isWarning) continue;
      this.#warned = true;
      const { limits } = this.#options;
      this.#context.logger.warn(limitsReachedText(this.channel, this.#count, this.#bytes, limits));
    }
    this.#discardIfClean();
  }

  expire(now: Timestamp): boolean {
    if (this.#count === 0 || now.millis < this.#expiryDue) return false;
    let isMore = false;
    try {
      for (let removed = 0; this.#count > 0; removed++) {
        const left = this.#millisLeft(now);
        if (left > 0) {
          this.#expiryDue = now.millis + Math.floor(left);
          break;
        }
        if (removed === EXPIRED_PER_TURN_MAX) {
          isMore = true;
          break;
        }
        this.#removeFirst();
      }
    } catch (error) {
      this.#context.logger.error(`Error during expiration: ${textOf(error)}`);
      this.#expiryDue = now.millis + EXPIRY_RETRY_MILLIS;
    }
    this.#discardIfClean();
    return isMore;
  }

  /** From `now` until the first message is due; not above 0 when it is. */
  #millisLeft(now: Timestamp): number {
    let time = first.time;
    if (this.#arena.locate(this.#first, place)) {
      time = stored;
      readMsgProtoTime(place.bytes, place.start + RECORD_HEADER_SIZE, place.end, time);
    } else {
      this.#readFirst();
    }
    const millis = time.millis + this.#ageMillis - now.millis;
    return millis + (time.nanos + this.#ageNanos - now.nanos) / 1_000_000;
  }

  /** Takes the first message away, in memory only. @throws FileError, StoreError when its index record cannot be read */
  #removeFirst(): void {
    const arena = this.#arena;
    const slice = this.#slices.head;
    let size: number;
    if (arena.locate(this.#first, place)) {
      size = place.end - place.start - RECORD_HEADER_SIZE;
    } else {
      this.#readFirst();
      size = first.size;
    }
    const isLast = slice.removed + 1 === slice.count;
    let next = this.#first + 1;
    if (!isLast && slice.isIrregular) {
      next = this.#secondOf(slice);
      if (next > this.#first + 1) this.#skipped(this.#first + 1);
    }
    slice.removed++;
    this.#count--;
    this.#bytes -= size + MESSAGE_OVERHEAD;
    this.#expiryDue = 0;
    if (isLast && this.#slices.advance()) next = this.#slices.head.first;
    this.#first = isLast && this.#count === 0 ? this.#last + 1 : next;
    while (arena.count > 0 && arena.firstSequence < this.#first) this.#context.cache.used -= arena.removeFirst();
  }

  /** The sequence behind the first. What is in memory need not be looked for among what is not written yet. */
  #secondOf(slice: Slice): number {
    const arena = this.#arena;
    if (arena.count > 0 && arena.firstSequence <= this.#first) return arena.nextSequence(this.#first + 1);
    this.#window.read(slice, slice.removed + 1, first);
    return first.sequence;
  }

  #readFirst(): IndexEntry {
    const slice = this.#slices.head;
    this.#window.read(slice, slice.removed, first);
    return first;
  }

  #skipped(missing: number): void {
    const name = quoted(this.channel);
    this.#context.logger.warn(`Skip expiration of missing sequence ${missing} for channel ${name}`);
  }

  #discardIfClean(): void {
    if (!this.#isDirty && !this.#isInFlight) this.#discardWritten();
  }

  /**
   * Slices that were empty in the last durable state go, once they are written: the archive script gets whole ones. With
   * nothing under way the durable state is the present one.
   */
  #discardWritten(): void {
    if (this.#isInFlight) return;
    if (!this.#isDirty) this.#save(this.#durable);
    if (this.#durable.head === 0) return;
    const { archive, commitLog } = this.#context;
    this.#window.clear();
    for (const slice of this.#slices.takeEmptied(this.#durable)) {
      archive.discard(this.channel, slice);
      commitLog?.removeFile(slice.name);
    }
  }

  // --- taking back ---

  #save(mark: LogMark): void {
    mark.first = this.#first;
    mark.count = this.#count;
    mark.bytes = this.#bytes;
    this.#slices.save(mark);
  }

  #restore(mark: LogMark): void {
    const added = this.#slices.restore(mark);
    this.#tail = this.#slices.tail;
    for (const slice of added) {
      this.#nextSlice = Math.min(this.#nextSlice, slice.number);
      try {
        slice.remove();
      } catch {
        // It is made anew, from nothing, when the number is used again.
      }
    }
    this.#first = mark.first;
    this.#last = lastOf(mark);
    this.#writtenLast = Math.min(this.#writtenLast, this.#last);
    this.#count = mark.count;
    this.#bytes = mark.bytes;
    this.#buffered = this.#tail?.unwritten ?? 0;
    this.#expiryDue = 0;
    this.#window.clear();
    const held = this.#arena.bytes;
    this.#arena.truncateAfter(this.#last);
    this.#context.cache.used -= held - this.#arena.bytes;
  }
}

function lastOf(mark: LogMark): number {
  return mark.slices === 0 ? 0 : mark.sliceLast;
}

function textOf(error: unknown): string {
  if (error instanceof FileError || error instanceof StoreError) return error.message;
  throw error;
}

/** The message that fills a gap: no reply, no data. */
const NOTHING: IncomingMessage = { bytes: NO_BYTES, replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: 0 };

// Scratch of the functions above, which never call one another with them in use.
const now: Timestamp = { millis: 0, nanos: 0 };
const stored: Timestamp = { millis: 0, nanos: 0 };
const first: IndexEntry = indexEntry();
const place: ByteRange = { bytes: NO_BYTES, start: 0, end: 0 };
