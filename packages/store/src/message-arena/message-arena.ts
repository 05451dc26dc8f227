import { SlabArena } from "./slab-arena.ts";

/** A message's bytes: `bytes[start, end)`. */
export interface ByteRange {
  bytes: Uint8Array;
  start: number;
  end: number;
}

/**
 * Encoded messages of one channel in memory, addressed by sequence, without an object per message: large slabs of bytes
 * and an index of four bytes per message. Grows at the end, shrinks at both.
 *
 * Cost: all operations take constant time (those that remove many, per message removed); only where gaps left out whole
 * index pages, a lookup searches among the pages. Memory: at most 1.5 times the stored bytes, plus 16 bytes per message,
 * plus 12 KiB; a gap costs four bytes per missing sequence, at most 4 KiB.
 */
export interface MessageArena {
  /** 0 if there never was a message; `lastSequence` + 1 if all are gone. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Messages held. */
  readonly count: number;
  /** Their total size. */
  readonly bytes: number;

  /**
   * Makes room for a message of exactly `size` bytes, to be written at the returned place of {@link reserved} and then
   * made known by {@link commit}, with no other call between the two. A reservation that is not committed is forgotten
   * by the next one.
   */
  reserve(size: number): number;
  /** The buffer that the last {@link reserve} made room in. */
  readonly reserved: Uint8Array;
  /** Makes the reserved message known. `sequence` is above the last; one above last + 1 leaves a gap. */
  commit(sequence: number): void;

  /**
   * Finds a message. `out` is written only if it is there. The bytes stay as they are, even when the message is removed,
   * until {@link truncateAfter} took the message back and something is appended.
   */
  locate(sequence: number, out: ByteRange): boolean;
  /** The first sequence from `from` on that has a message; 0 if there is none. */
  nextSequence(from: number): number;

  /** Removes the first message and returns its size; 0 if there is none. */
  removeFirst(): number;
  /**
   * Takes back all messages behind `sequence`, which becomes the last sequence: the next message may be `sequence` + 1
   * again. 0 takes back all and leaves an arena that never had a message.
   */
  truncateAfter(sequence: number): void;
  /** Forgets everything: like new. */
  clear(): void;

  /** Bytes of memory in slabs and index. Walks over all slabs: for monitoring and tests. */
  memoryBytes(): number;
}

/** The size of the message that begins at `bytes[at]`, as its own bytes tell it: the size that was reserved for it. */
export type SizeAt = (bytes: Uint8Array, at: number) => number;

/**
 * An arena that never had a message. It takes no memory to speak of until the first one comes.
 * @param sizeAt for messages that tell their size: appending is faster then where many arenas take turns
 */
export function createMessageArena(sizeAt?: SizeAt): MessageArena {
  return new SlabArena(sizeAt);
}
