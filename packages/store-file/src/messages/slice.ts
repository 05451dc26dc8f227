import type { Timestamp } from "@nats-streaming/kernel";
import type { CommitLog } from "../commit-log/commit-log.ts";
import type { PooledFile } from "../files/file-pool.ts";
import type { Checksum } from "../format/crc32.ts";
import {
  INDEX_RECORD_SIZE,
  type IndexEntry,
  indexEntry,
  readIndexRecord,
  writeIndexRecord,
} from "../format/index-record.ts";
import { FILE_HEADER, FILE_HEADER_SIZE, RECORD_HEADER_SIZE } from "../format/record.ts";

/** What a message counts beyond its encoded size. @see file-store.md 8 */
export const MESSAGE_OVERHEAD: number = INDEX_RECORD_SIZE + RECORD_HEADER_SIZE;

const PENDING_RECORDS_START = 4;
/** An index buffer that grew beyond this for one large batch is not kept for the next. */
const PENDING_INDEX_KEPT = 64 * 1024;

/** Bytes that lie one behind the other in memory and in the data file. */
interface Run {
  readonly bytes: Uint8Array;
  start: number;
  end: number;
}

/** The state of a slice's end, to return to. */
export interface SliceEnd {
  last: number;
  count: number;
  bytes: number;
  dataEnd: number;
  lastMillis: number;
  lastNanos: number;
}

/**
 * One pair of files, `msgs.<n>.dat` and `msgs.<n>.idx`, and those of its messages that they do not hold yet.
 *
 * ```text
 *   written | sealed: on the way to the commit log, or there | gathering
 *           #dataWritten                                     #sealedEnd  dataEnd      in the data file
 *           indexWritten                                     #sealedCount  count      records of the index
 * ```
 *
 * Appending only notes; {@link write} puts data and then index into the files. Everything about messages that limits have
 * removed stays as it is on disk: `removed` counts them from the front.
 */
export class Slice {
  readonly number: number;
  readonly data: PooledFile;
  readonly index: PooledFile;
  /** Data file below the root directory, for the commit log. */
  readonly name: string;
  readonly #checksum: Checksum;

  /** Of the first message ever written to it; 0 while there is none. */
  first = 0;
  last = 0;
  /** Messages ever written to it, and their size with overhead. */
  count = 0;
  bytes = 0;
  /** Messages that limits have removed from its front. */
  removed = 0;
  readonly firstTime: Timestamp = { millis: 0, nanos: 0 };
  /** Of the last message that the index has in the file. */
  readonly #writtenTime: Timestamp = { millis: 0, nanos: 0 };

  /** Where the next record goes in the data file. */
  dataEnd: number = FILE_HEADER_SIZE;
  #dataWritten = FILE_HEADER_SIZE;
  #sealedEnd = FILE_HEADER_SIZE;
  #sealedCount = 0;
  /** Index records in the file. */
  indexWritten = 0;
  /** The files are there and have their header; the commit log has been told of the header. */
  #isMade: boolean;
  #isHeaderSealed: boolean;
  /** The files may be longer than what is in use: they are cut before the next write. */
  #hasRest: boolean;
  /** What is not written, in order. */
  #runs: Run[] = [];
  /** The last of them, which mostly grows. */
  #lastRun: Run | undefined;
  #pendingIndex: Uint8Array = NO_BYTES;
  #pendingIndexEnd = 0;

  /** @param isMade the files exist and begin with their header; @param hasRest they may be longer than what is in use */
  constructor(
    number: number,
    data: PooledFile,
    index: PooledFile,
    name: string,
    checksum: Checksum,
    isMade: boolean,
    hasRest: boolean,
  ) {
    this.number = number;
    this.data = data;
    this.index = index;
    this.name = name;
    this.#checksum = checksum;
    this.#isMade = this.#isHeaderSealed = isMade;
    this.#hasRest = hasRest;
  }

  /** Takes over what recovery found in the files. */
  recovered(found: {
    readonly first: IndexEntry;
    readonly last: IndexEntry;
    readonly count: number;
    readonly bytes: number;
    readonly dataEnd: number;
  }): void {
    this.first = found.first.sequence;
    this.last = found.last.sequence;
    this.count = found.count;
    this.bytes = found.bytes;
    copyTime(found.first.time, this.firstTime);
    copyTime(found.last.time, this.#writtenTime);
    this.dataEnd = this.#dataWritten = this.#sealedEnd = found.dataEnd;
    this.indexWritten = this.#sealedCount = found.count;
  }

  /** Whether some sequence between first and last has no message, or has two. */
  get isIrregular(): boolean {
    return this.count !== this.last - this.first + 1;
  }

  /** Whether {@link write} has something to do. */
  get hasSealed(): boolean {
    return this.#sealedEnd > this.#dataWritten;
  }

  /** Whether {@link seal} has something to do. */
  get hasUnsealed(): boolean {
    return this.dataEnd > this.#sealedEnd;
  }

  /** Bytes of messages that are not in the data file yet. */
  get unwritten(): number {
    return this.dataEnd - this.#dataWritten;
  }

  /**
   * Adds a message whose record (header and payload) is `bytes[start, end)`. The bytes must stay as they are until they
   * are written.
   */
  append(sequence: number, time: Timestamp, bytes: Uint8Array, start: number, end: number): void {
    const run = this.#lastRun;
    if (run !== undefined && run.bytes === bytes && run.end === start) run.end = end;
    else {
      this.#lastRun = { bytes, start, end };
      this.#runs.push(this.#lastRun);
    }

    if (this.#pendingIndexEnd === this.#pendingIndex.length) this.#growIndex();
    const size = end - start - RECORD_HEADER_SIZE;
    writeIndexRecord(this.#pendingIndex, this.#pendingIndexEnd, sequence, this.dataEnd, time, size, this.#checksum);
    this.#pendingIndexEnd += INDEX_RECORD_SIZE;
    if (this.count === 0) {
      this.first = sequence;
      copyTime(time, this.firstTime);
    }
    this.last = sequence;
    this.count++;
    this.bytes += size + MESSAGE_OVERHEAD;
    this.dataEnd += end - start;
  }

  /**
   * Cuts off what does not belong to the slice. To be called before {@link seal}.
   * @returns whether that was needed: the data file has to be synced then, before the commit log speaks of what comes
   * behind its end
   * @throws FileError
   */
  prepare(): boolean {
    if (!this.#hasRest || !this.#isMade) return false;
    this.data.forWriting().truncateNow(this.#dataWritten);
    this.index.forWriting().truncateNow(indexPosition(this.indexWritten));
    this.data.markUnsynced();
    this.#hasRest = false;
    return true;
  }

  /** What has gathered is going to be durable: hands it to the commit log, if there is one. */
  seal(commitLog: CommitLog | undefined): void {
    if (commitLog !== undefined) this.#log(commitLog);
    this.#isHeaderSealed = true;
    this.#sealedEnd = this.dataEnd;
    this.#sealedCount = this.count;
  }

  #log(commitLog: CommitLog): void {
    if (!this.#isHeaderSealed) {
      commitLog.append({ file: this.name, position: 0, sequence: 0 }, FILE_HEADER, 0, FILE_HEADER_SIZE);
    }
    let position = this.#dataWritten;
    for (const { bytes, start, end } of this.#runs) {
      const from = Math.max(start, start + this.#sealedEnd - position);
      if (from < end) {
        const entry = { file: this.name, position: position + from - start, sequence: this.last };
        commitLog.append(entry, bytes, from, end);
      }
      position += end - start;
    }
  }

  /** Writes what is sealed: data, then index. @throws FileError; a later call does it again */
  write(): void {
    if (!this.hasSealed) return;
    if (!this.#isMade) this.#make();
    const data = this.data.forWriting();
    this.#hasRest = true;
    let position = this.#dataWritten;
    let done = 0;
    for (const run of this.#runs) {
      const length = Math.min(run.end - run.start, this.#sealedEnd - position);
      if (length === 0) break;
      data.writeNow(run.bytes, run.start, length, position);
      position += length;
      if (length < run.end - run.start) break;
      done++;
    }
    const records = this.#sealedCount - this.indexWritten;
    const indexLength = records * INDEX_RECORD_SIZE;
    this.index.forWriting().writeNow(this.#pendingIndex, 0, indexLength, indexPosition(this.indexWritten));
    this.data.markUnsynced();
    this.index.markUnsynced();
    this.#hasRest = false;
    this.#readPendingTime(indexLength, this.#writtenTime);
    this.#dropRuns(done, position);
    this.#dataWritten = position;
    this.indexWritten += records;
    this.#pendingIndex.copyWithin(0, indexLength, this.#pendingIndexEnd);
    this.#pendingIndexEnd -= indexLength;
    if (this.#pendingIndexEnd === 0 && this.#pendingIndex.length > PENDING_INDEX_KEPT) this.#pendingIndex = NO_BYTES;
  }

  /** Forgets the first `done` runs, and of the next one what lies before `position` in the file. */
  #dropRuns(done: number, position: number): void {
    let at = this.#dataWritten;
    for (let i = 0; i < done; i++) at += this.#runs[i]!.end - this.#runs[i]!.start;
    this.#runs.splice(0, done);
    const [first] = this.#runs;
    if (first !== undefined) first.start += position - at;
    this.#lastRun = this.#runs.at(-1);
  }

  /** The time of the last message; overwritten by the next call for any slice. */
  get lastTime(): Timestamp {
    if (this.#pendingIndexEnd === 0) return this.#writtenTime;
    this.#readPendingTime(this.#pendingIndexEnd, entry.time);
    return entry.time;
  }

  /** The time of the index record that ends at `end` of those that are not in the file yet. */
  #readPendingTime(end: number, out: Timestamp): void {
    readIndexRecord(this.#pendingIndex, end - INDEX_RECORD_SIZE, entry);
    copyTime(entry.time, out);
  }

  /** The index record of message `k` (from 0), if it is not in the file yet. */
  pendingRecord(k: number, entry: IndexEntry): boolean {
    const at = (k - this.indexWritten) * INDEX_RECORD_SIZE;
    if (at < 0 || at >= this.#pendingIndexEnd) return false;
    readIndexRecord(this.#pendingIndex, at, entry);
    return true;
  }

  saveEnd(end: SliceEnd): void {
    end.last = this.last;
    end.count = this.count;
    end.bytes = this.bytes;
    end.dataEnd = this.dataEnd;
    const { millis, nanos } = this.lastTime;
    end.lastMillis = millis;
    end.lastNanos = nanos;
  }

  /** Returns to an earlier end: what was appended since is no message any more. Never throws. */
  restoreEnd(end: SliceEnd): void {
    this.last = end.last;
    this.count = end.count;
    this.bytes = end.bytes;
    this.#takeBackRuns(end.dataEnd);
    this.dataEnd = end.dataEnd;
    this.#pendingIndexEnd = Math.max(0, end.count - this.indexWritten) * INDEX_RECORD_SIZE;
    if (this.#pendingIndexEnd === 0) {
      this.#writtenTime.millis = end.lastMillis;
      this.#writtenTime.nanos = end.lastNanos;
    }
    if (this.#dataWritten > end.dataEnd || this.indexWritten > end.count) this.#hasRest = true;
    this.#dataWritten = Math.min(this.#dataWritten, end.dataEnd);
    this.indexWritten = Math.min(this.indexWritten, end.count);
    this.#sealedEnd = Math.min(this.#sealedEnd, end.dataEnd);
    this.#sealedCount = Math.min(this.#sealedCount, end.count);
    if (!this.#hasRest) return;
    try {
      this.prepare();
    } catch {
      // It is tried again before the next write.
    }
  }

  /** Removes both files. @throws FileError */
  remove(): void {
    this.data.remove();
    this.index.remove();
  }

  /** Closes both files; they are opened again when they are used. */
  close(): void {
    this.data.close();
    this.index.close();
  }

  #make(): void {
    const data = this.data.forWriting();
    data.truncateNow(0);
    data.writeNow(FILE_HEADER, 0, FILE_HEADER_SIZE, 0);
    // A left-over index of a data file that somebody removed must not be taken for that of the new one.
    const index = this.index.forWriting();
    index.truncateNow(0);
    index.writeNow(FILE_HEADER, 0, FILE_HEADER_SIZE, 0);
    this.data.markMade();
    this.index.markMade();
    this.#isMade = true;
  }

  /** Drops the runs, or parts of them, that lie behind `dataEnd` in the file. */
  #takeBackRuns(dataEnd: number): void {
    let surplus = this.dataEnd - dataEnd;
    const runs = this.#runs;
    while (surplus > 0 && runs.length > 0) {
      const run = runs[runs.length - 1]!;
      const length = run.end - run.start;
      if (length > surplus) run.end -= surplus;
      else runs.pop();
      surplus -= length;
    }
    this.#lastRun = runs.at(-1);
  }

  #growIndex(): void {
    const grown = new Uint8Array(Math.max(this.#pendingIndex.length * 2, PENDING_RECORDS_START * INDEX_RECORD_SIZE));
    grown.set(this.#pendingIndex);
    this.#pendingIndex = grown;
  }
}

/** Place of the k-th record in an index file. */
export function indexPosition(k: number): number {
  return FILE_HEADER_SIZE + k * INDEX_RECORD_SIZE;
}

const NO_BYTES = new Uint8Array(0);

/** Scratch of the functions above, which never call one another with it in use. */
const entry: IndexEntry = indexEntry();

function copyTime(from: Timestamp, to: Timestamp): void {
  to.millis = from.millis;
  to.nanos = from.nanos;
}
