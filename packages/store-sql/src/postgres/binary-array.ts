import type { MessageColumns } from "../database.ts";

/**
 * One-dimensional arrays in PostgreSQL's binary form: number of dimensions, a flag for NULLs, type of the elements, their
 * number, lowest index; then each element behind its length. Written into one buffer each, instead of a string per value.
 */
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;

const INT4 = 23;
const INT8 = 20;
const BYTEA = 17;

/** Parameters of the batch insert for messages `[from, to)`: channel numbers, sequences, timestamps, sizes, data. */
export function messageArrays(messages: MessageColumns, from: number, to: number): Buffer[] {
  const { channels, sequences, timestamps, starts, bytes } = messages;
  const count = to - from;
  const ids = fixedArray(INT4, 4, count);
  const seqs = fixedArray(INT8, 8, count);
  const times = fixedArray(INT8, 8, count);
  const sizes = fixedArray(INT4, 4, count);
  const dataBytes = starts[to]! - starts[from]!;
  const data = arrayOf(BYTEA, count, HEADER_BYTES + count * LENGTH_BYTES + dataBytes);

  let narrow = HEADER_BYTES + LENGTH_BYTES;
  let wide = HEADER_BYTES + LENGTH_BYTES;
  let at = HEADER_BYTES;
  for (let i = from; i < to; i++) {
    const start = starts[i]!;
    const end = starts[i + 1]!;
    ids.writeInt32BE(channels[i]!, narrow);
    sizes.writeInt32BE(end - start, narrow);
    narrow += LENGTH_BYTES + 4;

    const sequence = sequences[i]!;
    seqs.writeUInt32BE(Math.floor(sequence / 2 ** 32), wide);
    seqs.writeUInt32BE(sequence >>> 0, wide + 4);
    times.writeBigInt64BE(timestamps[i]!, wide);
    wide += LENGTH_BYTES + 8;

    data.writeInt32BE(end - start, at);
    data.set(bytes.subarray(start, end), at + LENGTH_BYTES);
    at += LENGTH_BYTES + end - start;
  }
  return [ids, seqs, times, sizes, data];
}

/** An array whose elements have `size` bytes, with their lengths filled in. */
function fixedArray(type: number, size: number, count: number): Buffer {
  const array = arrayOf(type, count, HEADER_BYTES + count * (LENGTH_BYTES + size));
  for (let at = HEADER_BYTES; at < array.length; at += LENGTH_BYTES + size) array.writeInt32BE(size, at);
  return array;
}

function arrayOf(type: number, count: number, length: number): Buffer {
  const array = Buffer.allocUnsafe(length);
  array.writeInt32BE(1, 0);
  array.writeInt32BE(0, 4);
  array.writeInt32BE(type, 8);
  array.writeInt32BE(count, 12);
  array.writeInt32BE(1, 16);
  return array;
}
