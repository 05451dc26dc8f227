import { type Chunk, type ChunkPool, LARGE_CHUNK_BYTES, SMALL_CHUNK_BYTES } from "./chunk-pool.ts";
import type { Turn } from "./turn.ts";

/** Where outgoing data goes: a socket, as far as this file needs it. */
export interface Sink {
  /** `done` is called once, in the order of the writes, when the kernel has taken the bytes or never will. */
  write(bytes: Uint8Array, done?: (error?: Error | null) => void): boolean;
  cork(): void;
  uncork(): void;
  /** Bytes that were written and not yet handed to the kernel. */
  readonly writableLength: number;
}

/** What a connection wants to know of its outgoing data. */
export interface OutgoingListener {
  /** More is pending than is allowed. The connection is to be closed at once. */
  onOverflow(): void;
  /** A write that the kernel did not take at once has begun. */
  onWriteStarted(): void;
  /** That write is done. */
  onWriteFinished(): void;
}

/** So many full chunks (512 KiB) are handed to the kernel within a turn, before they leave the processor's cache. */
const EARLY_CHUNKS = 8;

/** A receiver with more than this share of what may be pending is far behind. */
export const FAR_BEHIND = 0.5;

/**
 * What one connection is still to be sent. Data gathers in chunks during a turn and goes out in one write at its end; while
 * the kernel is busy with one write, the next gathers.
 *
 *     write under way: [chunk][chunk]      gathering: [full][full]...[being filled]
 *
 * What it buys: a write per message instead costs five to six times the CPU.
 */
export class Outgoing {
  /** In the turn's list of connections to flush. */
  isQueued = false;
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
  #isWriting = false;
  #isClosed = false;
  /** The last turn filled more than a small chunk, so this one starts with a large one. */
  #isBusy = false;
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

  /** Of the write under way. */
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

  /** Calls back once when the receiver is no longer {@link FAR_BEHIND}, or when the connection is closed. */
  onRelief(waiter: () => void): void {
    this.#waiters.push(waiter);
  }

  /**
   * A chunk with room for `need` bytes, at most {@link LARGE_CHUNK_BYTES}, behind its length; the caller fills them, moves the
   * length, and makes no other call in between. Undefined when nothing more is taken in.
   */
  reserve(need: number): Chunk | undefined {
    let chunk = this.#chunk;
    if (chunk === undefined || chunk.length + need > chunk.bytes.length) {
      chunk = this.#makeRoom(need);
      if (chunk === undefined) return undefined;
    }
    if (!this.isQueued) this.#turn.add(this);
    return chunk;
  }

  /** Appends `bytes[start, end)`, over as many chunks as it takes. */
  append(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    let from = start;
    while (from < end) {
      const room = this.#chunk === undefined ? 0 : this.#chunk.bytes.length - this.#chunk.length;
      const wanted = Math.min(end - from, LARGE_CHUNK_BYTES);
      // What is left of a large chunk is filled to the brim; a small one is changed for a large one.
      const isFilling = room > 0 && this.#chunk?.bytes.length === LARGE_CHUNK_BYTES;
      const chunk = this.reserve(isFilling ? Math.min(room, wanted) : wanted);
      if (chunk === undefined) return;
      const taken = Math.min(end - from, chunk.bytes.length - chunk.length);
      chunk.bytes.set(bytes.subarray(from, from + taken), chunk.length);
      chunk.length += taken;
      from += taken;
    }
  }

  /** Hands everything to the sink in one write, unless one is under way. Called at the end of a turn. */
  flush(): void {
    if (this.#isWriting || this.#isClosed) return;
    const last = this.#chunk;
    if (last !== undefined && last.length > 0) {
      this.#isBusy = this.#full.length > 0 || last.length > SMALL_CHUNK_BYTES;
      this.#full.push(last);
      this.#fullBytes += last.length;
      this.#chunk = undefined;
    }
    if (this.#full.length === 0) return;
    const chunks = this.#full;
    this.#full = this.#inFlight;
    this.#inFlight = chunks;
    this.#inFlightBytes = this.#fullBytes;
    this.#fullBytes = 0;
    this.#write(chunks);
    if (this.#sink.writableLength === 0) {
      this.#recycle();
    } else {
      this.#isWriting = true;
      this.#listener.onWriteStarted();
    }
  }

  /** Hands everything to the sink, behind whatever is under way, and takes nothing more in. */
  finish(): void {
    if (this.#isClosed) return;
    const chunks = this.#full;
    if (this.#chunk !== undefined && this.#chunk.length > 0) chunks.push(this.#chunk);
    this.discard();
    if (chunks.length > 0) this.#write(chunks);
  }

  /**
   * Forgets what is pending and takes nothing more in. Nothing is given back to the pool: the sink may still hold any of it.
   */
  discard(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#chunk = undefined;
    this.#full = [];
    this.#fullBytes = 0;
    this.#inFlight = [];
    this.#inFlightBytes = 0;
    this.#relieve();
  }

  #write(chunks: readonly Chunk[]): void {
    this.#started++;
    const last = chunks.length - 1;
    if (last > 0) this.#sink.cork();
    for (let i = 0; i < last; i++) this.#sink.write(filledPart(chunks[i]!));
    this.#sink.write(filledPart(chunks[last]!), this.#onDone);
    if (last > 0) this.#sink.uncork();
  }

  /** The sink reports writes in their order; only the last one handed over is of interest. */
  #done(): void {
    this.#finished++;
    if (!this.#isWriting || this.#finished !== this.#started || this.#isClosed) return;
    this.#isWriting = false;
    this.#recycle();
    this.#listener.onWriteFinished();
    this.flush();
    if (this.#waiters.length > 0 && this.fullness <= FAR_BEHIND) this.#relieve();
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

  #makeRoom(need: number): Chunk | undefined {
    if (this.#isClosed) return undefined;
    const old = this.#chunk;
    if (old === undefined) {
      this.#chunk = this.#isBusy || need > SMALL_CHUNK_BYTES ? this.#pool.takeLarge() : this.#pool.takeSmall();
    } else if (old.bytes.length === SMALL_CHUNK_BYTES && old.length + need <= LARGE_CHUNK_BYTES) {
      const grown = this.#pool.takeLarge();
      grown.bytes.set(old.bytes.subarray(0, old.length));
      grown.length = old.length;
      this.#pool.give(old);
      this.#chunk = grown;
    } else {
      this.#full.push(old);
      this.#fullBytes += old.length;
      this.#chunk = undefined;
      if (this.#full.length >= EARLY_CHUNKS || this.fullness > FAR_BEHIND) this.flush();
      if (this.fullness > 1) {
        this.#listener.onOverflow();
        return undefined;
      }
      if (this.fullness > FAR_BEHIND) this.#turn.press(this);
      this.#chunk = this.#pool.takeLarge();
    }
    return this.#chunk;
  }
}

function filledPart(chunk: Chunk): Buffer {
  return chunk.buffer.subarray(0, chunk.length);
}
