import { type MsgProtoView, msgProtoView, readMsgProto, readMsgProtoTime } from "@nats-streaming/protocol/stan";
import type { Checksum } from "./crc32.ts";
import { INDEX_RECORD_SIZE, type IndexEntry, writeIndexRecordOfNanos } from "./index-record.ts";
import { RECORD_HEADER_SIZE, recordSize } from "./record.ts";

/** Records of messages of this server's own making that lie one behind the other, in memory as in the data file. */
export interface RecordRun {
  readonly bytes: Uint8Array;
  start: number;
  end: number;
}

/** How many records `bytes[start, end)` is. */
export function countRecords(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at += recordSize(bytes, at)) count++;
  return count;
}

/** Where record `k` (from 0) of those from `start` on begins; there has to be one. */
export function recordStart(bytes: Uint8Array, start: number, k: number): number {
  let at = start;
  for (let i = 0; i < k; i++) at += recordSize(bytes, at);
  return at;
}

/**
 * Writes the index records of the messages `bytes[start, end)` at `target[at, …)`.
 * @param offset of the first of them in the data file
 * @returns the position after them
 */
export function writeIndexOf(
  target: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  offset: number,
  checksum: Checksum,
): number {
  let position = at;
  for (let from = start; from < end; position += INDEX_RECORD_SIZE) {
    const next = from + recordSize(bytes, from);
    readMsgProto(view, bytes, from + RECORD_HEADER_SIZE, next);
    const { sequence, timestamp } = view;
    const size = next - from - RECORD_HEADER_SIZE;
    writeIndexRecordOfNanos(target, position, sequence, offset + from - start, timestamp, size, checksum);
    from = next;
  }
  return position;
}

/** What the index says of the record at `bytes[at, …)`. @param offset of it in the data file */
export function readIndexOf(bytes: Uint8Array, at: number, offset: number, entry: IndexEntry): void {
  const end = at + recordSize(bytes, at);
  readMsgProto(view, bytes, at + RECORD_HEADER_SIZE, end);
  entry.sequence = view.sequence;
  entry.offset = offset;
  entry.size = end - at - RECORD_HEADER_SIZE;
  readMsgProtoTime(bytes, at + RECORD_HEADER_SIZE, end, entry.time);
}

/** Scratch of the functions above. */
const view: MsgProtoView = msgProtoView();
