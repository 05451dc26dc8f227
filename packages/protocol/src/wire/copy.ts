/*
 * Copying short ranges. `target.set(source.subarray(…))` is a native copy behind the making of a view, some 60 ns
 * whatever the length; up to 128 bytes a loop over 32-bit words is not slower, for a guid more than twice as fast, and leaves
 * no view behind to be collected. See `bench/codec.bench.ts`, "copy".
 */

/** From here on the native copy wins. */
const NATIVE_FROM = 129;
/** Below this words do not pay. */
const WORDS_FROM = 16;

/**
 * The pair of buffers that {@link wordSource} and {@link wordTarget} are views of. A server copies many times in a row from
 * one read buffer into one slab or one outgoing chunk; views are made when a pair comes a second time running, so that
 * a delivery to many connections in turn makes none. Keeps at most two buffers from being collected.
 */
let viewedSource: Uint8Array | undefined;
let viewedTarget: Uint8Array | undefined;
let wordSource: DataView = new DataView(new ArrayBuffer(0));
let wordTarget: DataView = wordSource;
let lastSource: Uint8Array | undefined;
let lastTarget: Uint8Array | undefined;

/** Copies `source[start, end)` to `target[at, …)`; they must not be overlapping ranges of one buffer. @returns the end */
export function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  const length = end - start;
  if (length >= NATIVE_FROM) {
    target.set(source.subarray(start, end), at);
    return at + length;
  }
  if (length < WORDS_FROM || !viewed(source, target)) return copyShort(source, start, end, target, at);

  // Little endian, which costs nothing on the machines there are; the order does not matter, as long as it is one.
  const from = wordSource;
  const to = wordTarget;
  let i = start;
  let j = at;
  for (; i < end - 15; i += 16, j += 16) {
    to.setInt32(j, from.getInt32(i, true), true);
    to.setInt32(j + 4, from.getInt32(i + 4, true), true);
    to.setInt32(j + 8, from.getInt32(i + 8, true), true);
    to.setInt32(j + 12, from.getInt32(i + 12, true), true);
  }
  for (; i < end - 3; i += 4, j += 4) to.setInt32(j, from.getInt32(i, true), true);
  for (; i < end; i++, j++) target[j] = source[i]!;
  return j;
}

/** As {@link copyBytes}, byte by byte: for what is short, and for what comes from a buffer that is not copied from again. */
export function copyShort(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  let i = start;
  let j = at;
  for (; i < end - 3; i += 4, j += 4) {
    target[j] = source[i]!;
    target[j + 1] = source[i + 1]!;
    target[j + 2] = source[i + 2]!;
    target[j + 3] = source[i + 3]!;
  }
  for (; i < end; i++, j++) target[j] = source[i]!;
  return j;
}

/** `bytes[start, end)` in memory of its own, and a plain Uint8Array also when `bytes` is a Buffer. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  if (end - start < WORDS_FROM) copyShort(bytes, start, end, copy, 0);
  else copy.set(bytes.subarray(start, end));
  return copy;
}

function viewed(source: Uint8Array, target: Uint8Array): boolean {
  if (source === viewedSource && target === viewedTarget) return true;
  if (source !== lastSource || target !== lastTarget) {
    lastSource = source;
    lastTarget = target;
    return false;
  }
  viewedSource = source;
  viewedTarget = target;
  wordSource = new DataView(source.buffer, source.byteOffset, source.length);
  wordTarget = new DataView(target.buffer, target.byteOffset, target.length);
  return true;
}
