/** Outgoing data gathers in chunks of this size: 16 KiB cost a tenth more CPU in a relay, 128 KiB won nothing. */
export const LARGE_CHUNK_BYTES = 65_536;

/**
 * A connection that sent little in its last turn starts with a chunk of this size, so that ten thousand connections that
 * get one message each hold 40 MB at once and not 640.
 */
export const SMALL_CHUNK_BYTES = 4_096;

/** Free large chunks that are kept: 16 MiB. */
const LARGE_FREE_MAX = 256;

/** Free small chunks that are kept: 4 MiB. */
const SMALL_FREE_MAX = 1_024;

/** A piece of outgoing data: `bytes[0, length)` is filled. */
export interface Chunk {
  /** Never a Buffer: loops see one kind of array only. */
  readonly bytes: Uint8Array;
  /** The same memory, for writes wider than a byte. */
  readonly view: DataView;
  /** The same memory, for the socket. */
  readonly buffer: Buffer;
  length: number;
}

/** Chunks for reuse. Whoever takes one owns it until it is given back. */
export class ChunkPool {
  readonly #large: Chunk[] = [];
  readonly #small: Chunk[] = [];

  takeLarge(): Chunk {
    return this.#large.pop() ?? newChunk(LARGE_CHUNK_BYTES);
  }

  takeSmall(): Chunk {
    return this.#small.pop() ?? newChunk(SMALL_CHUNK_BYTES);
  }

  give(chunk: Chunk): void {
    chunk.length = 0;
    if (chunk.bytes.length === SMALL_CHUNK_BYTES) {
      if (this.#small.length < SMALL_FREE_MAX) this.#small.push(chunk);
    } else if (this.#large.length < LARGE_FREE_MAX) {
      this.#large.push(chunk);
    }
  }
}

function newChunk(size: number): Chunk {
  // Not zeroed: nothing leaves a chunk that was not written to it.
  const buffer = Buffer.allocUnsafeSlow(size);
  const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, size);
  return { bytes, view: new DataView(buffer.buffer, buffer.byteOffset, size), buffer, length: 0 };
}
