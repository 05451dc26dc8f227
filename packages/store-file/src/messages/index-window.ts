import { StoreError } from "@nats-streaming/store";
import type { Checksum } from "../format/crc32.ts";
import {
  computedIndexChecksum,
  INDEX_RECORD_SIZE,
  type IndexEntry,
  readIndexRecord,
  storedIndexChecksum,
} from "../format/index-record.ts";
import { checksumText, UNEXPECTED_EOF } from "../format/record.ts";
import { indexPosition, type Slice } from "./slice.ts";

/**
 * Index records read at once where one after the other is going to be asked for: 2 KiB per channel that is at its limits,
 * and a system call per 64 messages that are removed.
 */
const WINDOW_RECORDS = 64;

const one = new Uint8Array(INDEX_RECORD_SIZE);

/** The index records of a channel's slices, read in order from the front, as limits remove messages. */
export class IndexWindow {
  readonly #checksum: Checksum | undefined;
  #bytes: Uint8Array | undefined;
  #slice: Slice | undefined;
  #from = 0;
  #count = 0;

  /** @param checksum undefined: records are not verified */
  constructor(checksum: Checksum | undefined) {
    this.#checksum = checksum;
  }

  /**
   * Reads record `k` of a slice into `entry`, and those behind it ahead.
   * @throws FileError; StoreError `read_failed` when it is damaged
   */
  read(slice: Slice, k: number, entry: IndexEntry): void {
    if (slice.pendingRecord(k, entry)) return;
    if (slice !== this.#slice || k < this.#from || k >= this.#from + this.#count) this.#fill(slice, k);
    try {
      decode(this.#bytes!, (k - this.#from) * INDEX_RECORD_SIZE, entry, this.#checksum);
    } catch (error) {
      // Somebody may put it right: it is read again the next time.
      this.clear();
      throw error;
    }
  }

  /** Forgets what was read: the files have changed. */
  clear(): void {
    this.#slice = undefined;
    this.#bytes = undefined;
    this.#count = 0;
  }

  #fill(slice: Slice, k: number): void {
    this.#bytes ??= new Uint8Array(WINDOW_RECORDS * INDEX_RECORD_SIZE);
    this.#slice = undefined;
    const wanted = Math.min(WINDOW_RECORDS, slice.indexWritten - k) * INDEX_RECORD_SIZE;
    const length = slice.index.forReading().readNow(this.#bytes, 0, wanted, indexPosition(k));
    if (length < INDEX_RECORD_SIZE) throw new StoreError("read_failed", UNEXPECTED_EOF);
    this.#slice = slice;
    this.#from = k;
    this.#count = Math.floor(length / INDEX_RECORD_SIZE);
  }
}

/** Reads a single index record, wherever it is. @throws as {@link IndexWindow.read} */
export function readIndexNow(slice: Slice, k: number, entry: IndexEntry, checksum: Checksum | undefined): void {
  if (slice.pendingRecord(k, entry)) return;
  const length = slice.index.forReading().readNow(one, 0, INDEX_RECORD_SIZE, indexPosition(k));
  if (length < INDEX_RECORD_SIZE) throw new StoreError("read_failed", UNEXPECTED_EOF);
  decode(one, 0, entry, checksum);
}

/** @throws StoreError `read_failed` when the record is damaged */
export function decode(bytes: Uint8Array, at: number, entry: IndexEntry, checksum: Checksum | undefined): void {
  if (checksum !== undefined) {
    const stored = storedIndexChecksum(bytes, at);
    const computed = computedIndexChecksum(bytes, at, checksum);
    if (stored !== computed) throw new StoreError("read_failed", checksumText(stored, computed));
  }
  readIndexRecord(bytes, at, entry);
}

/**
 * Where in a slice the message with that sequence is, in the index's own order: its distance from the first, unless
 * sequences are missing or come twice; then the last of them, by halving.
 * @returns the place, or minus one when there is none
 */
export function placeInSlice(
  slice: Slice,
  sequence: number,
  entry: IndexEntry,
  checksum: Checksum | undefined,
): number {
  const guess = Math.min(sequence - slice.first, slice.count - 1);
  if (!slice.isIrregular) {
    readIndexNow(slice, guess, entry, checksum);
    if (entry.sequence === sequence) return guess;
  }
  const place = firstAbove(slice, sequence, entry, checksum) - 1;
  if (place < 0) return -1;
  readIndexNow(slice, place, entry, checksum);
  return entry.sequence === sequence ? place : -1;
}

/** The first place whose message has a sequence above that one; the number of messages if there is none. */
export function firstAbove(slice: Slice, sequence: number, entry: IndexEntry, checksum: Checksum | undefined): number {
  let low = 0;
  let high = slice.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    readIndexNow(slice, middle, entry, checksum);
    if (entry.sequence > sequence) high = middle;
    else low = middle + 1;
  }
  return low;
}
