/*
 * Commit log segments, version 1: files `.commit.<n>.log` in the root directory. A name that starts with a dot belongs to
 * no channel, and the original looks at none of these files. All numbers are little-endian; addresses, positions and
 * sequences are below 2^53.
 *
 *   0        512      1024            4096
 *   +--------+--------+--------+ … ---+---------+---------+----------------------------
 *   | header | mark   | mark   | 0    | frame   | frame   | frames of a former use …
 *   +--------+--------+--------+ … ---+---------+---------+----------------------------
 *                                     each from a multiple of 512 on
 *
 *   header   7  "stanlog"             mark     4  CRC-32 of the 16 bytes behind it
 *            1  version: 1                     8  salt
 *            8  salt                           8  low water
 *            8  generation
 *            8  address of the first frame
 *            8  low water
 *            4  CRC-32 of the 40 bytes before it
 *
 *   frame    4  CRC-32 of everything behind it, to the end of the payload
 *            4  payload's length
 *            8  salt
 *            8  address
 *            2  number of the part within its batch, from 0
 *            1  1 for the last part of a batch, else 0
 *            1  number of the batch, modulo 256
 *            …  payload: entries, see entry-writer.ts
 *
 * A batch is what a sync makes durable: one frame, or several parts, when it does not fit into its segment or was asked for
 * in several calls. It counts once its last part is there. The address of a frame is where it stands in the endless log of which the segments
 * are pieces: the address of its segment's first frame plus the distance to it. Frames below the low water, the
 * greatest that any header or mark states, need no replay.
 *
 * A segment is used again and again, over the blocks that it has (a sync costs half of that of a growing file then). Each use
 * has a generation of its own, which gives the order of segments, and a random salt: so neither what a former use left
 * behind, nor what a client has put into its messages, is ever taken for a frame.
 */
import { crc32 } from "node:zlib";

export const SEGMENT_VERSION = 1;
/** One page, so that the first frame has pages of its own. */
export const SEGMENT_HEADER_BYTES = 4096;
export const FRAME_HEADER_BYTES = 28;
export const SALT_BYTES = 8;

/**
 * Frames start at multiples of a disk's sector, so that no write touches a sector that holds an earlier frame. Whole
 * pages measured no better and make small batches eight times as large.
 */
const FRAME_ALIGNMENT = 512;
/** A write ends with the page that it ends in, so that the system never has to read a page in order to change it. */
const PAGE_BYTES = 4096;

const MAGIC = Buffer.from("stanlog", "latin1");
const HEADER_BYTES = 44;
const MARK_BYTES = 20;
const MARK_OFFSETS: readonly [number, number] = [512, 1024];

const HEADER_SALT = 8;
const HEADER_GENERATION = 16;
const HEADER_ADDRESS = 24;
const HEADER_LOW_WATER = 32;
const HEADER_CRC = 40;
const FRAME_LENGTH = 4;
const FRAME_SALT = 8;
const FRAME_ADDRESS = 16;
const FRAME_PART = 24;
const FRAME_LAST = 26;
const FRAME_BATCH = 27;

export interface SegmentHeader {
  readonly salt: Uint8Array;
  readonly generation: number;
  /** Of the first frame. */
  readonly address: number;
  readonly lowWater: number;
}

export type SegmentHeaderReading =
  | {
      readonly kind: "header";
      readonly header: SegmentHeader;
      /** The low water by the header and its marks. */
      readonly lowWater: number;
      /** Which of the two marks may be overwritten. */
      readonly spareMark: 0 | 1;
    }
  /** A segment that was never used, or whose use a crash cut off. */
  | { readonly kind: "none" }
  | { readonly kind: "unsupported"; readonly version: number };

export interface FrameHeader {
  /** Bytes of payload. */
  readonly length: number;
  readonly part: number;
  readonly isLast: boolean;
  /** 0 to 255: parts of one batch have it in common, and those of the batch before or after do not. */
  readonly batch: number;
}

/** Name of the segment with a number from 1 on. */
export function segmentName(number: number): string {
  return `.commit.${number}.log`;
}

/** Its number, or undefined for a file that is no segment. */
export function segmentNumber(name: string): number | undefined {
  const digits = /^\.commit\.([1-9]\d{0,14})\.log$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Bytes that a frame takes up in its segment. */
export function frameSpan(payloadLength: number): number {
  return Math.ceil((FRAME_HEADER_BYTES + payloadLength) / FRAME_ALIGNMENT) * FRAME_ALIGNMENT;
}

/** Where a write that covers everything up to `offset` ends. */
export function pageEnd(offset: number): number {
  return Math.ceil(offset / PAGE_BYTES) * PAGE_BYTES;
}

/** The next place where a frame may stand. */
export function nextFramePlace(offset: number): number {
  return offset + FRAME_ALIGNMENT;
}

/** Writes header and empty marks over `target[0, SEGMENT_HEADER_BYTES)`. */
export function writeSegmentHeader(target: Uint8Array, header: SegmentHeader): void {
  target.fill(0, 0, SEGMENT_HEADER_BYTES);
  target.set(MAGIC);
  target[MAGIC.length] = SEGMENT_VERSION;
  target.set(header.salt, HEADER_SALT);
  const view = viewOf(target);
  writeNumber(view, HEADER_GENERATION, header.generation);
  writeNumber(view, HEADER_ADDRESS, header.address);
  writeNumber(view, HEADER_LOW_WATER, header.lowWater);
  view.setUint32(HEADER_CRC, crc32(target.subarray(0, HEADER_CRC)), true);
}

/** Reads the first {@link SEGMENT_HEADER_BYTES} bytes of a segment, or as many as it has. */
export function readSegmentHeader(bytes: Uint8Array): SegmentHeaderReading {
  if (bytes.length < HEADER_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) return { kind: "none" };
  const version = bytes[MAGIC.length]!;
  // The version comes before the sum, which another version may have elsewhere.
  if (version !== SEGMENT_VERSION) return { kind: "unsupported", version };
  const view = viewOf(bytes);
  if (view.getUint32(HEADER_CRC, true) !== crc32(bytes.subarray(0, HEADER_CRC))) return { kind: "none" };
  const header: SegmentHeader = {
    salt: bytes.slice(HEADER_SALT, HEADER_SALT + SALT_BYTES),
    generation: readNumber(view, HEADER_GENERATION),
    address: readNumber(view, HEADER_ADDRESS),
    lowWater: readNumber(view, HEADER_LOW_WATER),
  };
  const first = readMark(bytes, 0, header.salt);
  const second = readMark(bytes, 1, header.salt);
  return {
    kind: "header",
    header,
    lowWater: Math.max(header.lowWater, first, second),
    spareMark: first <= second ? 0 : 1,
  };
}

/** Where one of the two marks stands: they are written by turns, so that a torn one leaves the other. */
export function markOffset(which: 0 | 1): number {
  return MARK_OFFSETS[which];
}

/** A mark's bytes. */
export function encodeMark(salt: Uint8Array, lowWater: number): Uint8Array {
  const bytes = new Uint8Array(MARK_BYTES);
  bytes.set(salt, 4);
  const view = viewOf(bytes);
  writeNumber(view, 4 + SALT_BYTES, lowWater);
  view.setUint32(0, crc32(bytes.subarray(4)), true);
  return bytes;
}

/** Completes a frame whose payload stands at `target[at + FRAME_HEADER_BYTES, …)`. */
export function writeFrameHeader(
  target: Uint8Array,
  at: number,
  salt: Uint8Array,
  address: number,
  { length, part, isLast, batch }: FrameHeader,
): void {
  const view = viewOf(target);
  view.setUint32(at + FRAME_LENGTH, length, true);
  target.set(salt, at + FRAME_SALT);
  writeNumber(view, at + FRAME_ADDRESS, address);
  view.setUint16(at + FRAME_PART, part, true);
  target[at + FRAME_LAST] = isLast ? 1 : 0;
  target[at + FRAME_BATCH] = batch;
  view.setUint32(at, crc32(target.subarray(at + FRAME_LENGTH, at + FRAME_HEADER_BYTES + length)), true);
}

/** The frame at `segment[offset, …)`; `torn` is what begins like a frame of this place, and is none. */
export function readFrameHeader(
  segment: Uint8Array,
  offset: number,
  header: SegmentHeader,
): FrameHeader | "torn" | undefined {
  if (offset + FRAME_HEADER_BYTES > segment.length) return undefined;
  for (let i = 0; i < SALT_BYTES; i++) if (segment[offset + FRAME_SALT + i] !== header.salt[i]) return undefined;
  const view = viewOf(segment);
  const address = readNumber(view, offset + FRAME_ADDRESS);
  if (address !== header.address + offset - SEGMENT_HEADER_BYTES) return undefined;
  const length = view.getUint32(offset + FRAME_LENGTH, true);
  const end = offset + FRAME_HEADER_BYTES + length;
  if (end > segment.length || view.getUint32(offset, true) !== crc32(segment.subarray(offset + FRAME_LENGTH, end))) {
    return "torn";
  }
  const part = view.getUint16(offset + FRAME_PART, true);
  return { length, part, isLast: segment[offset + FRAME_LAST] === 1, batch: segment[offset + FRAME_BATCH]! };
}

function readMark(bytes: Uint8Array, which: 0 | 1, salt: Uint8Array): number {
  const at = markOffset(which);
  if (at + MARK_BYTES > bytes.length) return 0;
  for (let i = 0; i < SALT_BYTES; i++) if (bytes[at + 4 + i] !== salt[i]) return 0;
  const view = viewOf(bytes);
  const whole = view.getUint32(at, true) === crc32(bytes.subarray(at + 4, at + MARK_BYTES));
  return whole ? readNumber(view, at + 4 + SALT_BYTES) : 0;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function writeNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

function readNumber(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}
