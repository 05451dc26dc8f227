import {
  encodeSubState,
  encodeSubStateDelete,
  subStateUpdateSize,
  writeSubStateUpdate,
} from "@nats-streaming/protocol/spb";
import { type RecoveredSubscription, type SubState, type SubscriptionLog, storeError } from "@nats-streaming/store";
import type { CommitLog } from "../commit-log/commit-log.ts";
import { writeFailed } from "../errors.ts";
import type { Compactable, CompactionContent } from "../files/compaction.ts";
import type { PooledFile } from "../files/file-pool.ts";
import type { RecordFile } from "../files/record-file.ts";
import { encodeRecord, FILE_HEADER, RECORD_HEADER_SIZE } from "../format/record.ts";
import type { Flushable, StoreContext } from "../store-context.ts";
import type { RedeliveryLog } from "./redelivery-log.ts";
import {
  ackRecord,
  pendingRecord,
  removeRecord,
  SubRecord,
  type SubscriptionRecord,
  type SubscriptionTable,
  stateRecord,
} from "./subscription-records.ts";

export interface FileSubscriptionLog extends SubscriptionLog, Flushable, Compactable {
  /** Every subscription that is recorded, with what is pending. */
  states(): RecoveredSubscription[];
  noteRedelivery(id: number, sequence: number, count: number): void;
  /** subs.dat, and redeliveries.dat if there is one. */
  readonly files: readonly PooledFile[];
  /** Nothing is recorded any more. */
  close(): void;
}

/** The log of redeliveries of a channel, made when there is something to count. */
export interface RedeliveryLogs {
  /** There are counts of an earlier run. */
  readonly isRecovered: boolean;
  make(): RedeliveryLog;
}

export interface FileSubscriptionLogOptions {
  readonly context: StoreContext;
  /** 0 means unlimited. */
  readonly maxSubscriptions: number;
  readonly file: PooledFile;
  readonly records: RecordFile;
  /** What was replayed; belongs to the log from now on. */
  readonly table: SubscriptionTable;
  readonly redeliveries: RedeliveryLogs;
  /** Asked for when enough of the file is of no use any more. */
  readonly requestCompaction: (log: FileSubscriptionLog) => void;
}

export function createFileSubscriptionLog(options: FileSubscriptionLogOptions): FileSubscriptionLog {
  return new RecordedSubscriptionLog(options);
}

/** A log of records in subs.dat, and in memory what they amount to. */
class RecordedSubscriptionLog implements FileSubscriptionLog {
  behindSince: object | undefined;
  readonly file: PooledFile;
  readonly records: RecordFile;
  readonly #options: FileSubscriptionLogOptions;
  readonly #context: StoreContext;
  readonly #table: SubscriptionTable;
  readonly #maxSubscriptions: number;
  readonly #bufferBytes: number;
  #redeliveries: RedeliveryLog | undefined;
  /** Whether the next flush has to cover something, and whether something has to be written soon. */
  #isUrgent = false;
  #isGathered = false;
  #wasUrgent = false;
  #isClosed = false;

  constructor(options: FileSubscriptionLogOptions) {
    this.#options = options;
    this.#context = options.context;
    this.file = options.file;
    this.records = options.records;
    this.#table = options.table;
    this.#maxSubscriptions = options.maxSubscriptions;
    // Nothing is written before it is in the commit log.
    const { sync, bufferBytes } = options.context.options;
    this.#bufferBytes = sync ? Number.POSITIVE_INFINITY : bufferBytes;
    if (options.redeliveries.isRecovered) this.#redeliveries = options.redeliveries.make();
    if (!this.records.isDurable) this.#changed(true);
  }

  get files(): readonly PooledFile[] {
    return this.#redeliveries === undefined ? [this.file] : [this.file, this.#redeliveries.file];
  }

  get count(): number {
    return this.#table.byId.size;
  }

  create(state: SubState): number {
    if (this.#maxSubscriptions > 0 && this.count >= this.#maxSubscriptions) {
      throw storeError("too_many_subscriptions");
    }
    const id = this.#table.highestId + 1;
    const recorded = { ...state, id };
    const size = this.records.size;
    this.records.append(SubRecord.new, encodeSubState(recorded));
    if (this.#bufferBytes === 0) {
      try {
        this.#writeNow();
      } catch (error) {
        this.records.takeBack(this.records.size - size);
        this.records.noteRest();
        throw writeFailed(error);
      }
    }
    stateRecord(this.#table, SubRecord.new, recorded);
    this.#table.free = 0;
    this.#changed(true);
    return id;
  }

  update(state: SubState): void {
    this.records.append(SubRecord.update, encodeSubState(state));
    stateRecord(this.#table, SubRecord.update, { ...state });
    this.#table.free++;
    this.#changed(true);
  }

  delete(id: number): void {
    this.records.append(SubRecord.removed, encodeSubStateDelete({ id }));
    const isKnown = removeRecord(this.#table, id);
    this.#redeliveries?.forgetAll(id);
    this.#changed(true);
    if (isKnown) this.#compactIfWorth();
  }

  addPending(id: number, sequence: number): void {
    this.#appendUpdate(SubRecord.pending, id, sequence);
    if (!pendingRecord(this.#table, id, sequence)) this.#table.records++;
    this.#table.free = 0;
  }

  ackPending(id: number, sequence: number): void {
    this.#appendUpdate(SubRecord.ack, id, sequence);
    this.#redeliveries?.forget(id, sequence);
    if (ackRecord(this.#table, id, sequence)) this.#compactIfWorth();
    else this.#table.free++;
  }

  noteRedelivery(id: number, sequence: number, count: number): void {
    if (this.#isClosed || this.#table.byId.get(id)?.pending.has(sequence) !== true) return;
    this.#redeliveries ??= this.#options.redeliveries.make();
    this.#redeliveries.note(id, sequence, count);
  }

  states(): RecoveredSubscription[] {
    return [...this.#table.byId.values()].map((record) => {
      const counts = this.#redeliveries?.counts(record.state.id);
      return {
        state: stateOf(record),
        pending: [...record.pending].sort((one, other) => one - other),
        ...(counts === undefined ? {} : { redeliveries: new Map(counts) }),
      };
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
    this.#redeliveries?.close();
    this.file.close();
  }

  // --- the batch ---

  prepare(): void {
    if (!this.#isClosed) this.records.prepare();
  }

  seal(commitLog: CommitLog | undefined): void {
    if (this.#isClosed) return;
    // A batch may name it twice.
    this.#wasUrgent ||= this.#isUrgent;
    this.#isUrgent = this.#isGathered = false;
    this.records.seal(commitLog);
  }

  settled(): void {
    this.#wasUrgent = false;
    this.records.settled();
  }

  /** What was recorded stands: it is recorded with the next batch. */
  refused(): void {
    if (this.#isClosed) return;
    this.records.refused();
    const isUrgent = this.#wasUrgent || this.#isUrgent;
    this.#wasUrgent = this.#isUrgent = this.#isGathered = false;
    if (!this.records.isDurable) this.#changed(isUrgent);
  }

  write(): void {
    if (!this.#isClosed) this.records.write();
  }

  // --- compaction ---

  compactionContent(): CompactionContent {
    const { checksum } = this.#context;
    const parts: Uint8Array[] = [FILE_HEADER];
    let records = 0;
    for (const record of this.#table.byId.values()) {
      parts.push(encodeRecord(SubRecord.new, encodeSubState(stateOf(record)), checksum));
      for (const sequence of record.pending) parts.push(this.#pendingRecord(record.state.id, sequence));
      records += 1 + record.pending.size;
    }
    const table = this.#table;
    const former = { records: table.records, free: table.free };
    table.records = records;
    table.free = 0;
    return {
      bytes: Buffer.concat(parts),
      failed: () => {
        table.records += former.records - records;
        table.free += former.free;
      },
    };
  }

  #pendingRecord(id: number, sequence: number): Uint8Array {
    const payload = new Uint8Array(subStateUpdateSize(id, sequence));
    writeSubStateUpdate(payload, 0, id, sequence);
    return encodeRecord(SubRecord.pending, payload, this.#context.checksum);
  }

  #compactIfWorth(): void {
    const { compactEnabled, compactMinBytes, compactFragmentationPercent } = this.#context.options;
    if (!compactEnabled || this.records.size - FILE_HEADER.length < compactMinBytes) return;
    const { records, free } = this.#table;
    const fragmentation = records === 0 ? 100 : Math.floor((free * 100) / records);
    if (fragmentation >= compactFragmentationPercent) this.#options.requestCompaction(this);
  }

  // --- recording ---

  #appendUpdate(type: number, id: number, sequence: number): void {
    const size = subStateUpdateSize(id, sequence);
    const at = this.records.reserve(size);
    writeSubStateUpdate(this.records.reserved, at, id, sequence);
    this.records.commit(type, size);
    this.#changed(false);
  }

  #changed(isUrgent: boolean): void {
    if (this.#isClosed) return;
    if (this.records.unwritten > this.#bufferBytes + RECORD_HEADER_SIZE) this.#writeThrough();
    if (isUrgent) {
      if (this.#isUrgent) return;
      this.#isUrgent = this.#isGathered = true;
      this.#context.gathering.touchRecords(this);
    } else if (!this.#isGathered) {
      this.#isGathered = true;
      this.#context.gathering.touchRecordsLazily(this);
    }
  }

  /** More waits than the buffer may hold. A disk that cannot take it now gets it again with the next batch, which says so. */
  #writeThrough(): void {
    try {
      this.#writeNow();
    } catch (error) {
      writeFailed(error);
    }
  }

  /** @throws FileError */
  #writeNow(): void {
    this.records.prepare();
    this.records.seal(undefined);
    this.records.write();
  }
}

function stateOf({ state, lastSent }: SubscriptionRecord): SubState {
  return state.lastSent === lastSent ? state : { ...state, lastSent };
}
