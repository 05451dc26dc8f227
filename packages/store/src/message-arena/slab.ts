/**
 * A run of encoded messages, one directly behind the other.
 *
 * Messages are addressed by their *offset*, which stays the same for their whole life: `bytes` may later begin in the
 * middle of the original slab (`base`), when the front was cut off because its messages are gone.
 */
export interface Slab {
  bytes: Uint8Array;
  /** Offset of `bytes[0]`. */
  base: number;
  /** Offset behind the last message. */
  used: number;
  /** Offset behind the last byte of `bytes`. */
  limit: number;
}

/** Stands where a slab was whose messages are all gone, so that its bytes can be collected. */
export const freedSlab: Slab = { bytes: new Uint8Array(0), base: 0, used: 0, limit: 0 };

/**
 * Allocates without filling with zeros: every byte below `used` was written by a message, and no other is ever read.
 * Saves about a tenth of an append's time.
 */
export function createSlab(capacity: number): Slab {
  return { bytes: allocate(capacity), base: 0, used: 0, limit: capacity };
}

/** Gives back what lies outside of offsets `[from, used)`, by copying the rest to a slab of its own size. */
export function shrinkSlab(slab: Slab, from: number): void {
  const kept = slab.bytes.subarray(from - slab.base, slab.used - slab.base);
  const bytes = allocate(kept.length);
  bytes.set(kept);
  slab.bytes = bytes;
  slab.base = from;
  slab.limit = slab.used;
}

/** A plain `Uint8Array`, so that all slabs have one hidden class; `Buffer` is only the way to unfilled memory. */
function allocate(length: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer, 0, length);
}
