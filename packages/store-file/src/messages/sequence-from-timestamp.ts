import type { Timestamp, TimestampNanos } from "@nats-streaming/kernel";
import type { Checksum } from "../format/crc32.ts";
import { compareTimes, type IndexEntry, indexEntry } from "../format/index-record.ts";
import { readIndexNow } from "./index-window.ts";
import type { Slice } from "./slice.ts";
import type { SliceList } from "./slice-list.ts";

/**
 * The first message not before `timestamp`. For the very time of the last message, that one, though others may have the time
 * too; likewise for the last of a slice, as the original does.
 * @param slices with at least one message
 * @throws FileError; StoreError `read_failed`
 * @see store-interface.md 8
 */
export function findByTime(
  slices: SliceList,
  timestamp: TimestampNanos,
  last: number,
  checksum: Checksum | undefined,
): number {
  const nanos = Number(((timestamp % 1_000_000n) + 1_000_000n) % 1_000_000n);
  const asked: Timestamp = { millis: Number((timestamp - BigInt(nanos)) / 1_000_000n), nanos };
  const entry = indexEntry();
  const { head, tail } = slices;
  readIndexNow(head, head.removed, entry, checksum);
  if (compareTimes(entry.time, asked) >= 0) return entry.sequence;
  if (tail !== undefined && compareTimes(timeOfLast(tail, entry, checksum), asked) === 0) return tail.last;

  for (const slice of slices.live()) {
    const atLast = compareTimes(timeOfLast(slice, entry, checksum), asked);
    if (atLast < 0) continue;
    if (atLast === 0) return slice.last;
    let low = slice.removed;
    let high = slice.count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      readIndexNow(slice, middle, entry, checksum);
      if (compareTimes(entry.time, asked) >= 0) high = middle;
      else low = middle + 1;
    }
    readIndexNow(slice, low, entry, checksum);
    return entry.sequence;
  }
  return last + 1;
}

/** @returns a time of the slice's, or of `entry` */
function timeOfLast(slice: Slice, entry: IndexEntry, checksum: Checksum | undefined): Timestamp {
  if (slice.lastTime !== undefined) return slice.lastTime;
  readIndexNow(slice, slice.count - 1, entry, checksum);
  slice.noteLastTime(entry.time);
  return entry.time;
}
