import type { CommitLog } from "../commit-log/commit-log.ts";
import type { Compactable, CompactionContent } from "../files/compaction.ts";
import type { PooledFile } from "../files/file-pool.ts";
import type { RecordFile } from "../files/record-file.ts";
import { FILE_HEADER } from "../format/record.ts";
import type { Flushable, StoreContext } from "../store-context.ts";
import {
  applyRedelivery,
  REDELIVERY_PAYLOAD_BYTES,
  REDELIVERY_RECORD,
  REDELIVERY_RECORD_BYTES,
  type RedeliveryTable,
  redeliveryRecords,
  writeRedelivery,
} from "./redelivery-records.ts";

/** A file below that is not written anew: two pages of counts that are of no use any more cost nothing. */
const COMPACT_BYTES_MIN = 64 * 1024;

/** How often the pending messages of one channel were redelivered. Everything is written as lazily as acks are. */
export interface RedeliveryLog extends Flushable, Compactable {
  note(id: number, sequence: number, count: number): void;
  /** The message is not pending any more. */
  forget(id: number, sequence: number): void;
  /** The subscription is gone. */
  forgetAll(id: number): void;
  /** By sequence; undefined when there are none. Belongs to the log. */
  counts(id: number): ReadonlyMap<number, number> | undefined;
  /** Nothing is recorded any more. */
  close(): void;
}

export interface RedeliveryLogOptions {
  readonly context: Pick<StoreContext, "checksum" | "gathering">;
  readonly file: PooledFile;
  readonly records: RecordFile;
  /** What was recovered; belongs to the log from now on. */
  readonly table: RedeliveryTable;
  /** The file is not there yet: the first write makes it. */
  readonly isNew: boolean;
  /** Asked for when most of the file is of no use any more. */
  readonly requestCompaction: (log: Compactable) => void;
}

export function createRedeliveryLog(options: RedeliveryLogOptions): RedeliveryLog {
  return new RecordedRedeliveries(options);
}

class RecordedRedeliveries implements RedeliveryLog {
  behindSince: object | undefined;
  readonly file: PooledFile;
  readonly records: RecordFile;
  readonly #options: RedeliveryLogOptions;
  readonly #table: RedeliveryTable;
  #live = 0;
  #isMade: boolean;
  #isGathered = false;
  #isClosed = false;

  constructor(options: RedeliveryLogOptions) {
    this.#options = options;
    this.file = options.file;
    this.records = options.records;
    this.#table = options.table;
    this.#isMade = !options.isNew;
    if (options.isNew) this.records.appendRaw(FILE_HEADER);
    for (const counts of this.#table.values()) this.#live += counts.size;
  }

  note(id: number, sequence: number, count: number): void {
    const before = this.#table.get(id)?.get(sequence);
    if (before === count) return;
    if (before === undefined) this.#live++;
    this.#record(id, sequence, count);
  }

  forget(id: number, sequence: number): void {
    if (this.#table.get(id)?.has(sequence) !== true) return;
    this.#live--;
    this.#record(id, sequence, 0);
  }

  forgetAll(id: number): void {
    const counts = this.#table.get(id);
    if (counts === undefined) return;
    this.#live -= counts.size;
    this.#record(id, 0, 0);
  }

  counts(id: number): ReadonlyMap<number, number> | undefined {
    return this.#table.get(id);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
    this.file.close();
  }

  prepare(): void {
    if (!this.#isClosed) this.records.prepare();
  }

  seal(commitLog: CommitLog | undefined): void {
    if (this.#isClosed) return;
    this.#isGathered = false;
    this.records.seal(commitLog);
  }

  settled(): void {
    this.records.settled();
  }

  /** What was recorded stands: it is recorded with the next batch. */
  refused(): void {
    if (this.#isClosed) return;
    this.records.refused();
    this.#isGathered = false;
    if (!this.records.isDurable) this.#gather();
  }

  write(): void {
    if (this.#isClosed) return;
    this.records.write();
    if (this.#isMade) return;
    this.#isMade = true;
    this.file.markMade();
  }

  compactionContent(): CompactionContent {
    const records = redeliveryRecords(this.#table, this.#options.context.checksum);
    return { bytes: Buffer.concat([FILE_HEADER, ...records]), failed: () => {} };
  }

  #record(id: number, sequence: number, count: number): void {
    if (this.#isClosed) return;
    applyRedelivery(this.#table, id, sequence, count);
    const at = this.records.reserve(REDELIVERY_PAYLOAD_BYTES);
    writeRedelivery(this.records.reserved, at, id, sequence, count);
    this.records.commit(REDELIVERY_RECORD, REDELIVERY_PAYLOAD_BYTES);
    this.#gather();
    const { size } = this.records;
    if (size > COMPACT_BYTES_MIN && size > 2 * this.#live * REDELIVERY_RECORD_BYTES) {
      this.#options.requestCompaction(this);
    }
  }

  #gather(): void {
    if (this.#isGathered) return;
    this.#isGathered = true;
    this.#options.context.gathering.touchRecordsLazily(this);
  }
}
