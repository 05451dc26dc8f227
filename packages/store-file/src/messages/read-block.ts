import type { OpenFile } from "@nats-streaming/kernel";
import { StoreError } from "@nats-streaming/store";
import type { Checksum } from "../format/crc32.ts";
import { INDEX_RECORD_SIZE, type IndexEntry, indexEntry } from "../format/index-record.ts";
import { checksumText, RECORD_HEADER_SIZE, readUint32, UNEXPECTED_EOF } from "../format/record.ts";
import { decode, firstAbove, placeInSlice, readIndexNow } from "./index-window.ts";
import { indexPosition, type Slice } from "./slice.ts";

/** Messages of neighbouring sequences that were read from disk at once. */
export interface ReadBlock {
  readonly first: number;
  /** The sequence behind the last one that the block knows about. */
  readonly end: number;
  readonly bytes: Uint8Array;
  /** Where each record begins in `bytes`, and where the last one ends; empty when none of the sequences has a message. */
  readonly starts: Uint32Array;
}

const NO_BYTES = new Uint8Array(0);
const NO_STARTS = new Uint32Array(0);

export interface ReadOptions {
  readonly slice: Slice;
  /** Between first and last of the slice. */
  readonly sequence: number;
  /** Most messages to read. */
  readonly count: number;
  /** Most bytes to read, unless the first message is larger; 0 for that message only. */
  readonly readBytes: number;
  /** undefined: nothing is verified. */
  readonly checksum: Checksum | undefined;
}

/**
 * Reads messages from `sequence` on, in two reads: their index records, their data. What is damaged in them is read up to,
 * so that it does not harm its neighbours; only when the first one cannot be read there is an error.
 * @throws FileError; StoreError `read_failed`
 * @see file-store.md 10
 */
export async function readBlock(options: ReadOptions): Promise<ReadBlock> {
  const { slice, sequence, checksum } = options;
  const found = indexEntry();
  const place = placeInSlice(slice, sequence, found, checksum);
  if (place < 0) return absent(options, found);

  slice.index.forReading();
  const releases = [slice.index.hold()];
  try {
    slice.data.forReading();
    releases.push(slice.data.hold());
    const places = await readPlaces(options, place, found);
    return await readMessages(slice.data.forReading(), sequence, places, checksum);
  } finally {
    for (const release of releases) release();
  }
}

/** There is nothing at `sequence`, nor up to the next sequence that has a message. */
function absent({ slice, sequence, checksum }: ReadOptions, entry: IndexEntry): ReadBlock {
  const next = firstAbove(slice, sequence, entry, checksum);
  if (next < slice.count) readIndexNow(slice, next, entry, checksum);
  const end = next < slice.count ? entry.sequence : slice.last + 1;
  return { first: sequence, end, bytes: NO_BYTES, starts: NO_STARTS };
}

interface Places {
  /** Offset of the first record in the data file. */
  readonly offset: number;
  /** Payload sizes of records that follow one another. */
  readonly sizes: readonly number[];
  readonly bytes: number;
}

/** Which messages to read: those that follow one another in sequence and place, as many as were asked for. */
async function readPlaces(options: ReadOptions, place: number, first: IndexEntry): Promise<Places> {
  const { slice, sequence, readBytes, checksum } = options;
  const offset = first.offset;
  const sizes = [first.size];
  let bytes = first.size + RECORD_HEADER_SIZE;
  const ahead = Math.min(
    options.count - 1,
    Math.floor(readBytes / INDEX_RECORD_SIZE) - 1,
    slice.indexWritten - place - 1,
  );
  if (ahead <= 0) return { offset, sizes, bytes };
  const records = new Uint8Array(ahead * INDEX_RECORD_SIZE);
  const length = await slice.index.forReading().read(records, 0, records.length, indexPosition(place + 1));
  const entry = indexEntry();
  for (let at = 0; at + INDEX_RECORD_SIZE <= length; at += INDEX_RECORD_SIZE) {
    try {
      decode(records, at, entry, checksum);
    } catch {
      break;
    }
    const follows = entry.sequence === sequence + sizes.length && entry.offset === offset + bytes;
    if (!follows || bytes + RECORD_HEADER_SIZE + entry.size > readBytes) break;
    sizes.push(entry.size);
    bytes += RECORD_HEADER_SIZE + entry.size;
  }
  return { offset, sizes, bytes };
}

async function readMessages(
  data: OpenFile,
  sequence: number,
  { offset, sizes, bytes: wanted }: Places,
  checksum: Checksum | undefined,
): Promise<ReadBlock> {
  const size = data.sizeNow();
  // A size that the file cannot hold is never allocated.
  const length = Math.max(0, Math.min(wanted, size - offset));
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer, 0, length);
  const got = await data.read(bytes, 0, length, offset);
  const starts = new Uint32Array(sizes.length + 1);
  let at = 0;
  let count = 0;
  let fault: string | undefined;
  for (const expected of sizes) {
    fault = recordFault(bytes, at, got, expected, checksum);
    if (fault !== undefined) break;
    at += RECORD_HEADER_SIZE + expected;
    count++;
    starts[count] = at;
  }
  if (count === 0) throw new StoreError("read_failed", fault ?? UNEXPECTED_EOF);
  return { first: sequence, end: sequence + count, bytes, starts: starts.subarray(0, count + 1) };
}

function recordFault(
  bytes: Uint8Array,
  at: number,
  length: number,
  expected: number,
  checksum: Checksum | undefined,
): string | undefined {
  const payload = at + RECORD_HEADER_SIZE;
  if (payload + expected > length) return UNEXPECTED_EOF;
  const size = readUint32(bytes, at);
  if (size !== expected) return `expected size to be ${expected}, got ${size}`;
  if (checksum === undefined) return undefined;
  const stored = readUint32(bytes, at + 4);
  const computed = checksum(bytes, payload, payload + size);
  return stored === computed ? undefined : checksumText(stored, computed);
}
