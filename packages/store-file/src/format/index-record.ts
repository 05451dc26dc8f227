import type { Timestamp } from "@nats-streaming/kernel";
import type { Bits64 } from "@nats-streaming/protocol";
import type { Checksum } from "./crc32.ts";
import { readUint32, readUint64, writeUint32, writeUint64 } from "./record.ts";

/*
 *   index    | version 4 | record 0 | record 1 | …       record k at 4 + 32 k
 *   record   | sequence 8 | offset in the data file 8 | timestamp 8 | payload size 4 | CRC of the 28 bytes before 4 |
 */

export const INDEX_RECORD_SIZE = 32;
const CHECKED_SIZE = 28;

/** One index record, for reading in place; made once and reused. */
export interface IndexEntry {
  sequence: number;
  /** Of the record's header in the data file. */
  offset: number;
  /** Of the payload. */
  size: number;
  readonly time: Timestamp;
}

export function indexEntry(): IndexEntry {
  return { sequence: 0, offset: 0, size: 0, time: { millis: 0, nanos: 0 } };
}

const TWO_32 = 0x1_0000_0000;
const MILLION = 1_000_000;

/** Writes one index record at `bytes[at, at + 32)`. */
export function writeIndexRecord(
  bytes: Uint8Array,
  at: number,
  sequence: number,
  offset: number,
  time: Timestamp,
  size: number,
  checksum: Checksum,
): void {
  writeUint64(bytes, at, sequence);
  writeUint64(bytes, at + 8, offset);
  writeNanos(bytes, at + 16, time);
  writeUint32(bytes, at + 24, size);
  writeUint32(bytes, at + 28, checksum(bytes, at, at + CHECKED_SIZE));
}

/** The same with the time as a message has it: nanoseconds since 1970 in 64 bits. */
export function writeIndexRecordOfNanos(
  bytes: Uint8Array,
  at: number,
  sequence: number,
  offset: number,
  nanos: Bits64,
  size: number,
  checksum: Checksum,
): void {
  writeUint64(bytes, at, sequence);
  writeUint64(bytes, at + 8, offset);
  writeUint32(bytes, at + 16, nanos.low);
  writeUint32(bytes, at + 20, nanos.high);
  writeUint32(bytes, at + 24, size);
  writeUint32(bytes, at + 28, checksum(bytes, at, at + CHECKED_SIZE));
}

/** Reads the record at `bytes[at, at + 32)` into `entry`, without looking at its checksum. */
export function readIndexRecord(bytes: Uint8Array, at: number, entry: IndexEntry): void {
  entry.sequence = readUint64(bytes, at);
  entry.offset = readUint64(bytes, at + 8);
  readNanos(bytes, at + 16, entry.time);
  entry.size = readUint32(bytes, at + 24);
}

export function storedIndexChecksum(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at + CHECKED_SIZE);
}

export function computedIndexChecksum(bytes: Uint8Array, at: number, checksum: Checksum): number {
  return checksum(bytes, at, at + CHECKED_SIZE);
}

/** Whether all 32 bytes are zero. */
export function isZeroIndexRecord(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + INDEX_RECORD_SIZE; i++) if (bytes[i] !== 0) return false;
  return true;
}

/**
 * A time as 64 bits of nanoseconds, without a bigint: milliseconds are multiplied in two halves, of which each product is
 * an exact double. Before 1970 it is the two's complement.
 */
function writeNanos(bytes: Uint8Array, at: number, time: Timestamp): void {
  const upper = Math.floor(time.millis / 65_536);
  const lower = time.millis - upper * 65_536;
  const upperNanos = upper * MILLION;
  const upperHigh = Math.floor(upperNanos / 65_536);
  const lowNanos = (upperNanos - upperHigh * 65_536) * 65_536 + lower * MILLION + time.nanos;
  const carry = Math.floor(lowNanos / TWO_32);
  writeUint32(bytes, at, lowNanos - carry * TWO_32);
  writeUint32(bytes, at + 4, upperHigh + carry);
}

/** The way back: long division by a million in base 2^32, every intermediate value below 2^53. */
function readNanos(bytes: Uint8Array, at: number, out: Timestamp): void {
  const high = readUint32(bytes, at + 4) | 0;
  const quotient = Math.floor(high / MILLION);
  const rest = (high - quotient * MILLION) * TWO_32 + readUint32(bytes, at);
  const lowQuotient = Math.floor(rest / MILLION);
  out.millis = quotient * TWO_32 + lowQuotient;
  out.nanos = rest - lowQuotient * MILLION;
}

/** Below 0 when `one` is earlier than `other`, above 0 when later. */
export function compareTimes(one: Timestamp, other: Timestamp): number {
  return one.millis === other.millis ? one.nanos - other.nanos : one.millis - other.millis;
}
