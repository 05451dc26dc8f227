import { encodeRecords, recordSize } from "@nats-streaming/protocol/spb";

/** One page of an answer: what fits, and where the next one begins; empty for no more. */
export interface Page {
  readonly data: Uint8Array;
  readonly next: string;
}

/** Bytes of a page at most, so that no answer holds up what comes behind it, even where the payload limit is far higher. */
const PAGE_BYTES_MAX = 256 * 1024;

/** Room that a page leaves for the other fields of its message: numbers, a digest, a server ID and two cursors. */
const FIELDS_BYTES = 256;

/** Bytes that the records of a page may take under a payload limit. */
export function pageBudget(maxPayload: number, cursorBytes: number): number {
  return Math.min(PAGE_BYTES_MAX, maxPayload) - FIELDS_BYTES - 2 * cursorBytes;
}

/**
 * Fills a page from `records`, beginning with the one at `first`. A record that no page can hold is left out.
 * @param recordAt undefined for one that is gone
 * @param cursorOf how the one at a place is asked for
 */
export function fillPage(options: {
  readonly first: number;
  readonly count: number;
  readonly budget: number;
  recordAt(place: number): Uint8Array | undefined;
  cursorOf(place: number): string;
}): Page {
  const records: Uint8Array[] = [];
  let size = 0;
  let place = options.first;
  for (; place < options.count; place++) {
    const record = options.recordAt(place);
    if (record === undefined) continue;
    const added = recordSize(record.length);
    if (added > options.budget) continue;
    if (size + added > options.budget) break;
    records.push(record);
    size += added;
  }
  return { data: encodeRecords(records), next: place < options.count ? options.cursorOf(place) : "" };
}

/** What each asker's pages are cut from, so that what changes meanwhile neither repeats nor skips anything. */
export interface Snapshots<T> {
  /** @param make called for the first page, and when the asker's snapshot has been dropped since */
  of(asker: string, isFirst: boolean, make: () => T): T;
}

/** Askers served at a time; one that is dropped is served from a fresh snapshot. */
const SNAPSHOTS_MAX = 8;

export function createSnapshots<T>(): Snapshots<T> {
  const byAsker = new Map<string, T>();
  return {
    of(asker, isFirst, make): T {
      let snapshot = isFirst ? undefined : byAsker.get(asker);
      snapshot ??= make();
      byAsker.delete(asker);
      byAsker.set(asker, snapshot);
      for (const oldest of byAsker.keys()) {
        if (byAsker.size <= SNAPSHOTS_MAX) break;
        byAsker.delete(oldest);
      }
      return snapshot;
    },
  };
}
