import type { Timestamp } from "@nats-streaming/kernel";
import type { PooledFile } from "../files/file-pool.ts";
import type { Checksum } from "../format/crc32.ts";
import { INDEX_RECORD_SIZE, type IndexEntry, indexEntry, writeIndexRecord } from "../format/index-record.ts";
import { indexPosition, MESSAGE_OVERHEAD } from "../messages/slice.ts";
import { copyEntry, type SliceSummary } from "./index-builder.ts";
import type { Repair } from "./recovery-scope.ts";

/** Index records for messages that an index does not know of: few, since only what was written last can lack one. */
export interface IndexExtension {
  add(sequence: number, offset: number, time: Timestamp, size: number): void;
  /** Of the index with what was added. */
  summary(): SliceSummary;
  readonly bytes: Uint8Array;
  /** Writes them behind the index. */
  repair(index: PooledFile): Repair;
}

export function extendIndex(indexed: SliceSummary, checksum: Checksum): IndexExtension {
  let records = new Uint8Array(INDEX_RECORD_SIZE * 16);
  let used = 0;
  let { count, bytes } = indexed;
  const last: IndexEntry = indexEntry();
  copyEntry(indexed.last, last);
  return {
    add(sequence, offset, time, size): void {
      if (used === records.length) {
        const grown = new Uint8Array(records.length * 2);
        grown.set(records);
        records = grown;
      }
      writeIndexRecord(records, used, sequence, offset, time, size, checksum);
      used += INDEX_RECORD_SIZE;
      copyEntry({ sequence, offset, time, size }, last);
      count++;
      bytes += size + MESSAGE_OVERHEAD;
    },
    summary: () => ({ first: indexed.first, last, count, bytes }),
    get bytes() {
      return records.subarray(0, used);
    },
    repair: (index) => ({
      apply: () => {
        index.forWriting().writeNow(records, 0, used, indexPosition(indexed.count));
        index.markUnsynced();
      },
      abandon: () => {},
    }),
  };
}
