/*
 * redeliveries.dat in a channel's directory: how often pending messages were redelivered. The original knows neither the
 * counts nor the file. It is made with the first count and consists, as subs.dat does, of a version and typed records:
 *
 *   type 1, 24 bytes of payload, little-endian, each number below 2^53:
 *     8  ID of the subscription
 *     8  sequence; 0 for all that is known of the subscription
 *     8  count; 0 when there is none any more
 *
 * Only counts of messages that are pending by subs.dat are of use; a start passes over the others and writes the file anew.
 */
import type { Checksum } from "../format/crc32.ts";
import { encodeRecord, RECORD_HEADER_SIZE, readUint64, writeUint64 } from "../format/record.ts";

export const REDELIVERY_RECORD = 1;
export const REDELIVERY_PAYLOAD_BYTES = 24;
/** What a count takes on disk. */
export const REDELIVERY_RECORD_BYTES: number = RECORD_HEADER_SIZE + REDELIVERY_PAYLOAD_BYTES;

/** Counts by subscription and sequence; no subscription without a count. */
export type RedeliveryTable = Map<number, Map<number, number>>;

/** Sets a count, or forgets it, or all of a subscription. @returns whether that changes anything */
export function applyRedelivery(table: RedeliveryTable, id: number, sequence: number, count: number): boolean {
  const counts = table.get(id);
  if (sequence === 0) return table.delete(id);
  if (count === 0) {
    if (counts === undefined || !counts.delete(sequence)) return false;
    if (counts.size === 0) table.delete(id);
    return true;
  }
  if (counts === undefined) table.set(id, new Map([[sequence, count]]));
  else counts.set(sequence, count);
  return true;
}

/** Applies a record's payload `bytes[start, …)`, which has been found usable. */
export function replayRedelivery(table: RedeliveryTable, bytes: Uint8Array, start: number): void {
  applyRedelivery(table, readUint64(bytes, start), readUint64(bytes, start + 8), readUint64(bytes, start + 16));
}

/** Writes a payload over `bytes[at, at + 24)`. */
export function writeRedelivery(bytes: Uint8Array, at: number, id: number, sequence: number, count: number): void {
  writeUint64(bytes, at, id);
  writeUint64(bytes, at + 8, sequence);
  writeUint64(bytes, at + 16, count);
}

/** A record for each count. */
export function redeliveryRecords(table: RedeliveryTable, checksum: Checksum): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (const [id, counts] of table) {
    for (const [sequence, count] of counts) {
      const payload = new Uint8Array(REDELIVERY_PAYLOAD_BYTES);
      writeRedelivery(payload, 0, id, sequence, count);
      records.push(encodeRecord(REDELIVERY_RECORD, payload, checksum));
    }
  }
  return records;
}
