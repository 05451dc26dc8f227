import type { Checksum } from "./crc32.ts";

/*
 *   file     | version 4 | record | record | …           all integers little-endian
 *   record   | size 4 | CRC of the payload 4 | payload   server.dat, msgs.n.dat
 *            | size 3 | type 1 | CRC 4 | payload         clients.dat, subs.dat
 */

/** Size of the version that every file begins with; the first record comes behind it. */
export const FILE_HEADER_SIZE = 4;

/** What a new file begins with: version 1. */
export const FILE_HEADER: Uint8Array = Uint8Array.of(1, 0, 0, 0);

/** Size of what stands before a payload. */
export const RECORD_HEADER_SIZE = 8;

/** Largest payload of a typed record: its size has three bytes. */
export const TYPED_PAYLOAD_MAX = 0xff_ffff;

export function readUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Two halves of an unsigned 64-bit integer; above 2^53 - 1 the nearest double. */
export function readUint64(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at + 4) * 0x1_0000_0000 + readUint32(bytes, at);
}

/** Writes a safe integer into eight bytes. */
export function writeUint64(bytes: Uint8Array, at: number, value: number): void {
  writeUint32(bytes, at, value >>> 0);
  writeUint32(bytes, at + 4, Math.floor(value / 0x1_0000_0000));
}

/** Size of the record without a type at `bytes[at, …)`, header and payload. */
export function recordSize(bytes: Uint8Array, at: number): number {
  return RECORD_HEADER_SIZE + readUint32(bytes, at);
}

/**
 * Writes the header of a record whose payload stands already behind it, at `at + 8`.
 * @param type 0 for records without a type
 */
export function writeRecordHeader(bytes: Uint8Array, at: number, type: number, size: number, checksum: Checksum): void {
  const payload = at + RECORD_HEADER_SIZE;
  writeUint32(bytes, at, type === 0 ? size : size | (type << 24));
  writeUint32(bytes, at + 4, checksum(bytes, payload, payload + size));
}

/** The header of a record without a type, whose payload's checksum is known. */
export function writePlainRecordHeader(bytes: Uint8Array, at: number, size: number, crc: number): void {
  writeUint32(bytes, at, size);
  writeUint32(bytes, at + 4, crc);
}

/** A whole record in memory of its own. @param type 0 for records without a type */
export function encodeRecord(type: number, payload: Uint8Array, checksum: Checksum): Uint8Array {
  const record = new Uint8Array(RECORD_HEADER_SIZE + payload.length);
  record.set(payload, RECORD_HEADER_SIZE);
  writeRecordHeader(record, 0, type, payload.length, checksum);
  return record;
}

/** `0x` and eight digits, as the original prints checksums. */
export function hex32(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

/** What is said of bytes whose checksum is wrong. */
export function checksumText(expected: number, got: number): string {
  return `corrupted data, expected crc to be ${hex32(expected)}, got ${hex32(got)}`;
}

export const UNEXPECTED_EOF = "unexpected EOF";

/** The fault of a file's version, in the original's words; undefined when it has none. @param length bytes there are, up to 4 */
export function versionFault(bytes: Uint8Array, length: number): string | undefined {
  if (length === 0) return "unable to verify file version: EOF";
  if (length < FILE_HEADER_SIZE) return `unable to verify file version: ${UNEXPECTED_EOF}`;
  const version = readUint32(bytes, 0);
  return version === 1 ? undefined : `unsupported file version: ${version} (supports [1..1])`;
}
