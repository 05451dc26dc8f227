import { decimalLength, type MessageFrame, writeDecimal } from "@nats-streaming/protocol/nats";
import { type Chunk, type ChunkPool, LARGE_CHUNK_BYTES, SMALL_CHUNK_BYTES } from "./chunk-pool.ts";
import { copyBytes, copyShort } from "./copy-bytes.ts";
import type { Subscription } from "./subscription.ts";
import type { TextTopic } from "./topic.ts";
import type { Turn } from "./turn.ts";

/** Where outgoing data goes: a socket, as far as this file needs it. */
export interface Sink {
  write(bytes: Uint8Array, done?: (error?: Error | null) => void): boolean;
  cork(): void;
  uncork(): void;
  /** Bytes that were written and not yet handed to the kernel. */
  readonly writableLength: number;
}

/** What a connection wants to know of its outgoing data. */
export interface OutgoingListener {
  /** More is pending than `max_pending` allows. The connection is to be closed; nothing more is taken in. */
  onOverflow(): void;
  /** A write that the kernel did not take at once has begun. */
  onWriteStarted(): void;
  /** That write is done. */
  onWriteFinished(): void;
}

/** So many full chunks (512 KiB) are handed to the kernel within a turn, before they leave the processor's cache. */
const EARLY_CHUNKS = 8;

const SPACE = 0x20;
const CR_LF = 0x0a0d;
/** `MSG ` and `HMSG` as the four bytes of a little-endian number. */
const MSG_ = 0x2047534d;
const HMSG = 0x47534d48;

/** Longest ` headers size\r\n` of a message. */
const SIZES_MAX = 24;

/**
 * What one connection is still to be sent. Data gathers in chunks during a turn and goes out in one write at its end; while
 * the kernel is busy with one write, the next gathers.
 *
 *     chunks:  [full][full]...[being filled]      write under way: [chunk][chunk]
 */
export class Outgoing {
  /** In the turn's list of connections to flush. */
  queued = false;
  readonly #pool: ChunkPool;
  readonly #turn: Turn;
  readonly #sink: Sink;
  readonly #listener: OutgoingListener;
  readonly #pendingMax: number;
  #chunk: Chunk | undefined;
  #full: Chunk[] = [];
  #fullBytes = 0;
  #inFlight: Chunk[] = [];
  #inFlightBytes = 0;
  /** Writes handed to the sink, and those it reported done; equal when nothing is under way. */
  #started = 0;
  #finished = 0;
  #writing = false;
  #closed = false;
  /** The last turn filled more than a small chunk, so this one starts with a large one. */
  #busy = false;
  #waiters: (() => void)[] = [];
  readonly #onDone = (): void => this.#done();

  constructor(pool: ChunkPool, turn: Turn, sink: Sink, listener: OutgoingListener, pendingMax: number) {
    this.#pool = pool;
    this.#turn = turn;
    this.#sink = sink;
    this.#listener = listener;
    this.#pendingMax = pendingMax;
  }

  /** Bytes that the kernel has not taken yet. */
  get pendingBytes(): number {
    return this.#inFlightBytes + this.#fullBytes + (this.#chunk?.length ?? 0);
  }

  /** Chunks of the write under way, for the log. */
  get inFlightChunks(): number {
    return this.#inFlight.length;
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** How much of what may be pending is: 0 to 1, or a little more. */
  get fullness(): number {
    return this.pendingBytes / this.#pendingMax;
  }

  /** Calls back once when no more than half of what may be pending is, or when the connection is closed. */
  onRelief(waiter: () => void): void {
    this.#waiters.push(waiter);
  }

  /** Appends bytes that are an operation as they stand. */
  writeLine(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#append(bytes, 0, bytes.length);
  }

  /**
   * Appends `MSG subject sid [reply] size` with the payload of a message that came in by a socket.
   *
   * When it came in the way clients write it, everything behind the subject is one piece there and one piece here, so the
   * whole message is three copies.
   */
  writeRelayed(subscription: Subscription, frame: MessageFrame): void {
    if (this.#closed) return;
    const sidPart = subscription.sidPart;
    const subjectLength = frame.subjectEnd - frame.subjectStart;
    const tailStart = frame.tailStart;
    if (tailStart < 0) {
      this.#writePieces(subscription, frame, frame.headerSize);
      return;
    }
    const need = 4 + subjectLength + sidPart.length + frame.payloadEnd + 2 - tailStart;
    let chunk = this.#chunk;
    if (chunk === undefined || chunk.length + need > chunk.bytes.length) {
      if (need > LARGE_CHUNK_BYTES) {
        this.#writePieces(subscription, frame, -1);
        return;
      }
      chunk = this.#makeRoom(need);
      if (chunk === undefined) return;
    }
    const { bytes, view } = chunk;
    let position = chunk.length;
    view.setInt32(position, MSG_, true);
    position = copyBytes(frame.bytes, frame.view, frame.subjectStart, frame.subjectEnd, bytes, view, position + 4);
    position = copyShort(sidPart, bytes, position);
    chunk.length = copyBytes(frame.bytes, frame.view, tailStart, frame.payloadEnd + 2, bytes, view, position);
    if (!this.queued) this.#turn.add(this);
  }

  /** As {@link writeRelayed} for a receiver that does not know headers: they are left out. */
  writeWithoutHeaders(subscription: Subscription, frame: MessageFrame): void {
    if (this.#closed) return;
    this.#writePieces(subscription, frame, -1, frame.headerSize);
  }

  /** Appends `MSG subject sid [reply] size` with a payload that came from a local bus. */
  writeLocal(
    subscription: Subscription,
    topic: TextTopic,
    reply: TextTopic | undefined,
    payload: Uint8Array,
    payloadView: DataView,
    start: number,
    end: number,
  ): void {
    if (this.#closed) return;
    const sidPart = subscription.sidPart;
    const size = end - start;
    const replyLength = reply === undefined ? 0 : reply.bytes.length + 1;
    const need = 4 + topic.bytes.length + sidPart.length + replyLength + SIZES_MAX + size + 2;
    let chunk = this.#chunk;
    if (chunk === undefined || chunk.length + need > chunk.bytes.length) {
      if (need > LARGE_CHUNK_BYTES) {
        this.#writeLargeLocal(subscription, topic, reply, payload, start, end);
        return;
      }
      chunk = this.#makeRoom(need);
      if (chunk === undefined) return;
    }
    const { bytes, view } = chunk;
    let position = chunk.length;
    view.setInt32(position, MSG_, true);
    position = copyBytes(topic.bytes, topic.view, 0, topic.bytes.length, bytes, view, position + 4);
    position = copyShort(sidPart, bytes, position);
    if (reply !== undefined) {
      position = copyBytes(reply.bytes, reply.view, 0, reply.bytes.length, bytes, view, position);
      bytes[position++] = SPACE;
    }
    position = writeDecimal(bytes, position, size);
    view.setInt16(position, CR_LF, true);
    position = copyBytes(payload, payloadView, start, end, bytes, view, position + 2);
    view.setInt16(position, CR_LF, true);
    chunk.length = position + 2;
    if (!this.queued) this.#turn.add(this);
  }

  /** Appends `HMSG subject sid headers headers` with headers and no body, as for "no responders". */
  writeStatus(subscription: Subscription, subject: Uint8Array, start: number, end: number, headers: Uint8Array): void {
    if (this.#closed) return;
    const line = new Uint8Array(5 + end - start + subscription.sidPart.length + SIZES_MAX);
    new DataView(line.buffer).setInt32(0, HMSG, true);
    line[4] = SPACE;
    line.set(subject.subarray(start, end), 5);
    let position = copyShort(subscription.sidPart, line, 5 + end - start);
    position = writeDecimal(line, position, headers.length);
    line[position++] = SPACE;
    position = endLine(line, writeDecimal(line, position, headers.length));
    this.#append(line, 0, position);
    this.#append(headers, 0, headers.length);
    this.#append(CR_LF_BYTES, 0, 2);
  }

  /** Hands everything to the sink in one write, unless one is under way. Called at the end of a turn. */
  flush(): void {
    if (this.#writing || this.#closed) return;
    const last = this.#chunk;
    if (this.#full.length === 0) {
      if (last === undefined || last.length === 0) return;
      this.#busy = last.bytes.length > SMALL_CHUNK_BYTES && last.length > SMALL_CHUNK_BYTES;
      this.#chunk = undefined;
      this.#inFlight.push(last);
      this.#inFlightBytes = last.length;
      this.#started++;
      this.#sink.write(last.buffer.subarray(0, last.length), this.#onDone);
    } else {
      this.#busy = true;
      this.#chunk = undefined;
      const chunks = this.#full;
      this.#full = this.#inFlight;
      this.#inFlight = chunks;
      this.#inFlightBytes = this.#fullBytes;
      this.#fullBytes = 0;
      if (last !== undefined) {
        chunks.push(last);
        this.#inFlightBytes += last.length;
      }
      this.#writeAll(chunks);
    }
    if (this.#sink.writableLength === 0) this.#recycle();
    else if (!this.#closed) {
      this.#writing = true;
      this.#listener.onWriteStarted();
    }
  }

  /** Hands everything to the sink, behind whatever is under way, and takes nothing more in. */
  finish(): void {
    if (this.#closed) return;
    const chunks = this.#full;
    if (this.#chunk !== undefined && this.#chunk.length > 0) chunks.push(this.#chunk);
    this.#drop();
    if (chunks.length > 0) this.#writeAll(chunks);
  }

  /** Forgets what is pending and takes nothing more in. */
  discard(): void {
    if (!this.#closed) this.#drop();
  }

  /** After this nothing is given back to the pool: the sink may still hold any of it. */
  #drop(): void {
    this.#closed = true;
    this.#chunk = undefined;
    this.#full = [];
    this.#fullBytes = 0;
    this.#inFlight = [];
    this.#inFlightBytes = 0;
    this.#relieve();
  }

  #writeAll(chunks: readonly Chunk[]): void {
    this.#started++;
    this.#sink.cork();
    for (let i = 0; i < chunks.length; i++) {
      const chunk = chunks[i]!;
      const isLast = i === chunks.length - 1;
      this.#sink.write(chunk.buffer.subarray(0, chunk.length), isLast ? this.#onDone : undefined);
    }
    this.#sink.uncork();
  }

  /** The sink reports writes in their order; only the last one handed over is of interest. */
  #done(): void {
    this.#finished++;
    if (!this.#writing || this.#finished !== this.#started || this.#closed) return;
    this.#writing = false;
    this.#recycle();
    this.#listener.onWriteFinished();
    this.flush();
    if (this.#waiters.length > 0 && this.fullness <= 0.5) this.#relieve();
  }

  #relieve(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }

  #recycle(): void {
    for (const chunk of this.#inFlight) this.#pool.give(chunk);
    this.#inFlight.length = 0;
    this.#inFlightBytes = 0;
  }

  /** A chunk with room for `need` bytes, at most a large chunk's size. Undefined when that closed the connection. */
  #makeRoom(need: number): Chunk | undefined {
    const old = this.#chunk;
    let chunk: Chunk;
    if (old === undefined) {
      chunk = this.#busy || need > SMALL_CHUNK_BYTES ? this.#pool.takeLarge() : this.#pool.takeSmall();
    } else if (old.bytes.length === SMALL_CHUNK_BYTES && old.length + need <= LARGE_CHUNK_BYTES) {
      chunk = this.#pool.takeLarge();
      chunk.bytes.set(old.bytes.subarray(0, old.length));
      chunk.length = old.length;
      this.#pool.give(old);
    } else {
      this.#full.push(old);
      this.#fullBytes += old.length;
      this.#chunk = undefined;
      if (this.#full.length >= EARLY_CHUNKS || this.pendingBytes > this.#pendingMax / 2) this.flush();
      if (this.#isOverflowing()) return undefined;
      chunk = this.#pool.takeLarge();
    }
    this.#chunk = chunk;
    return chunk;
  }

  #isOverflowing(): boolean {
    if (this.#closed) return true;
    const pending = this.pendingBytes;
    if (pending > this.#pendingMax) {
      this.#listener.onOverflow();
      return true;
    }
    if (pending > this.#pendingMax / 2) this.#turn.pressed = this;
    return false;
  }

  /** Appends bytes of any length, over as many chunks as it takes. */
  #append(bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    while (from < end && !this.#closed) {
      const wanted = Math.min(end - from, LARGE_CHUNK_BYTES);
      let chunk = this.#chunk;
      if (chunk === undefined || chunk.length === chunk.bytes.length || isSmallAndShort(chunk, wanted)) {
        chunk = this.#makeRoom(wanted);
        if (chunk === undefined) return;
      }
      const taken = Math.min(end - from, chunk.bytes.length - chunk.length);
      chunk.bytes.set(bytes.subarray(from, from + taken), chunk.length);
      chunk.length += taken;
      from += taken;
    }
    if (!this.queued && !this.#closed) this.#turn.add(this);
  }

  /** Any form of a relayed message: with headers, with some of its bytes left out, longer than a chunk. */
  #writePieces(subscription: Subscription, frame: MessageFrame, headerSize: number, skipped = 0): void {
    const sidPart = subscription.sidPart;
    const replyLength = frame.replyEnd - frame.replyStart;
    const line = new Uint8Array(
      5 + frame.subjectEnd - frame.subjectStart + sidPart.length + replyLength + 1 + SIZES_MAX,
    );
    const verb = new DataView(line.buffer);
    let position = 4;
    if (headerSize <= 0) verb.setInt32(0, MSG_, true);
    else {
      verb.setInt32(0, HMSG, true);
      line[position++] = SPACE;
    }
    line.set(frame.bytes.subarray(frame.subjectStart, frame.subjectEnd), position);
    position = copyShort(sidPart, line, position + frame.subjectEnd - frame.subjectStart);
    if (replyLength > 0) {
      line.set(frame.bytes.subarray(frame.replyStart, frame.replyEnd), position);
      position += replyLength;
      line[position++] = SPACE;
    }
    if (skipped > 0) position = writeDecimal(line, position, frame.payloadEnd - frame.payloadStart - skipped);
    else {
      // Sizes are repeated digit by digit as they were written.
      if (headerSize > 0) {
        line.set(frame.bytes.subarray(frame.headerSizeStart, frame.headerSizeEnd), position);
        position += frame.headerSizeEnd - frame.headerSizeStart;
        line[position++] = SPACE;
      }
      line.set(frame.bytes.subarray(frame.sizeStart, frame.sizeEnd), position);
      position += frame.sizeEnd - frame.sizeStart;
    }
    this.#append(line, 0, endLine(line, position));
    this.#append(frame.bytes, frame.payloadStart + skipped, frame.payloadEnd);
    this.#append(CR_LF_BYTES, 0, 2);
  }

  #writeLargeLocal(
    subscription: Subscription,
    topic: TextTopic,
    reply: TextTopic | undefined,
    payload: Uint8Array,
    start: number,
    end: number,
  ): void {
    const sidPart = subscription.sidPart;
    const size = end - start;
    const line = new Uint8Array(
      4 +
        topic.bytes.length +
        sidPart.length +
        (reply === undefined ? 0 : reply.bytes.length + 1) +
        decimalLength(size) +
        2,
    );
    new DataView(line.buffer).setInt32(0, MSG_, true);
    line.set(topic.bytes, 4);
    let position = copyShort(sidPart, line, 4 + topic.bytes.length);
    if (reply !== undefined) {
      position = copyShort(reply.bytes, line, position);
      line[position++] = SPACE;
    }
    this.#append(line, 0, endLine(line, writeDecimal(line, position, size)));
    this.#append(payload, start, end);
    this.#append(CR_LF_BYTES, 0, 2);
  }
}

const CR_LF_BYTES: Uint8Array = new Uint8Array([0x0d, 0x0a]);

function endLine(line: Uint8Array, position: number): number {
  line[position] = 0x0d;
  line[position + 1] = 0x0a;
  return position + 2;
}

/** A small chunk is changed for a large one rather than filled to the brim. */
function isSmallAndShort(chunk: Chunk, wanted: number): boolean {
  return chunk.bytes.length === SMALL_CHUNK_BYTES && chunk.length + wanted > SMALL_CHUNK_BYTES;
}
