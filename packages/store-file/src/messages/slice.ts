import { invariant, type Timestamp } from "@nats-streaming/kernel";
import type { CommitLog, GivenEntry } from "../commit-log/commit-log.ts";
import type { PooledFile } from "../files/file-pool.ts";
import type { Checksum } from "../format/crc32.ts";
import { INDEX_RECORD_SIZE, type IndexEntry } from "../format/index-record.ts";
import { FILE_HEADER, FILE_HEADER_SIZE, RECORD_HEADER_SIZE } from "../format/record.ts";
import { countRecords, type RecordRun, readIndexOf, recordStart, writeIndexOf } from "../format/record-run.ts";

/** What a message counts beyond its encoded size. @see file-store.md 8 */
export const MESSAGE_OVERHEAD: number = INDEX_RECORD_SIZE + RECORD_HEADER_SIZE;

/** A buffer for index records that grew beyond this for one large write is not kept for the next. */
const INDEX_BUFFER_KEPT = 64 * 1024;

/** The state of a slice's end, to return to. */
export interface SliceEnd {
  sliceLast: number;
  sliceCount: number;
  sliceBytes: number;
  dataEnd: number;
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
 * Appending only notes where the records lie; {@link write} puts them and then their index records, which are made of them, into the
 * files. Everything about messages that limits have removed stays as it is on disk: `removed` counts them from the front.
 */
export class Slice {
  // What every message and every batch look at stands together, here and in the log: with many channels each cache line is a miss.

  /** Of the last message ever written to it; 0 while there is none. */
  last = 0;
  /** Messages ever written to it, and their size with overhead. */
  count = 0;
  bytes = 0;
  /** Where the next record goes in the data file. */
  dataEnd: number = FILE_HEADER_SIZE;
  /** The last run of records that are not written, which mostly grows; those before it are in {@link #runs}. */
  #tail: Uint8Array = NO_BYTES;
  #tailStart = 0;
  #tailEnd = 0;
  #sealedEnd = FILE_HEADER_SIZE;
  #sealedCount = 0;
  #dataWritten = FILE_HEADER_SIZE;
  /** Index records in the file. */
  indexWritten = 0;
  /** The files may be longer than what is in use: they are cut before the next write. */
  #hasRest: boolean;
  /** The commit log has been told of the header. */
  #isHeaderSealed: boolean;
  /** Messages that limits have removed from its front. */
  removed = 0;
  readonly #entry: { readonly file: string; position: number; sequence: number } & GivenEntry;
  /** What is not written and is not the last run, in order. */
  #runs: RecordRun[] = [];
  /** The files are there and have their header. */
  #isMade: boolean;

  /** Of the first message ever written to it; 0 while there is none. */
  first = 0;
  readonly firstTime: Timestamp = { millis: 0, nanos: 0 };
  /** Of the last message, if that was the one with this number, counted from 1. */
  readonly #lastTime: Timestamp = { millis: 0, nanos: 0 };
  #lastTimed = 0;
  readonly number: number;
  readonly data: PooledFile;
  readonly index: PooledFile;
  readonly #checksum: Checksum;

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
    this.#entry = { file: name, position: 0, sequence: 0, known: undefined };
    this.#checksum = checksum;
    this.#isMade = this.#isHeaderSealed = isMade;
    this.#hasRest = hasRest;
  }

  /** Data file below the root directory, for the commit log. */
  get name(): string {
    return this.#entry.file;
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
    this.dataEnd = this.#dataWritten = this.#sealedEnd = found.dataEnd;
    this.indexWritten = this.#sealedCount = found.count;
    this.noteLastTime(found.last.time);
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
    if (this.#tail !== bytes || this.#tailEnd !== start) {
      this.#closeRun();
      this.#tail = bytes;
      this.#tailStart = start;
    }
    this.#tailEnd = end;
    if (this.count === 0) {
      this.first = sequence;
      copyTime(time, this.firstTime);
    }
    this.last = sequence;
    this.count++;
    this.bytes += end - start - RECORD_HEADER_SIZE + MESSAGE_OVERHEAD;
    this.dataEnd += end - start;
  }

  /** Puts the last run, if there is one, to those before it. */
  #closeRun(): void {
    if (this.#tailEnd > this.#tailStart) {
      this.#runs.push({ bytes: this.#tail, start: this.#tailStart, end: this.#tailEnd });
    }
    this.#tail = NO_BYTES;
    this.#tailStart = this.#tailEnd = 0;
  }

  /** The way back: the last run is one that may grow. */
  #openRun(): void {
    const run = this.#runs.pop();
    if (run === undefined) return;
    this.#tail = run.bytes;
    this.#tailStart = run.start;
    this.#tailEnd = run.end;
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
    const entry = this.#entry;
    if (!this.#isHeaderSealed) {
      entry.position = entry.sequence = 0;
      commitLog.append(entry, FILE_HEADER, 0, FILE_HEADER_SIZE);
    }
    entry.sequence = this.last;
    let position = this.#dataWritten;
    for (const { bytes, start, end } of this.#runs) {
      this.#logRun(commitLog, bytes, start, end, position);
      position += end - start;
    }
    this.#logRun(commitLog, this.#tail, this.#tailStart, this.#tailEnd, position);
  }

  /** Logs what of a run is not sealed yet. @param position of its start in the file */
  #logRun(commitLog: CommitLog, bytes: Uint8Array, start: number, end: number, position: number): void {
    const from = Math.max(start, start + this.#sealedEnd - position);
    if (from >= end) return;
    this.#entry.position = position + from - start;
    commitLog.append(this.#entry, bytes, from, end);
  }

  /** Writes what is sealed: data, then index. @throws FileError; a later call does it again */
  write(): void {
    if (!this.hasSealed) return;
    if (!this.#isMade) this.#make();
    this.#closeRun();
    const data = this.data.forWriting();
    const records = this.#sealedCount - this.indexWritten;
    const index = indexBuffer(records * INDEX_RECORD_SIZE);
    this.#hasRest = true;
    let position = this.#dataWritten;
    let indexEnd = 0;
    let done = 0;
    for (const { bytes, start, end } of this.#runs) {
      const length = Math.min(end - start, this.#sealedEnd - position);
      if (length === 0) break;
      data.writeNow(bytes, start, length, position);
      indexEnd = writeIndexOf(index, indexEnd, bytes, start, start + length, position, this.#checksum);
      position += length;
      if (length < end - start) break;
      done++;
    }
    invariant(indexEnd === records * INDEX_RECORD_SIZE, "as many index records as messages");
    this.index.forWriting().writeNow(index, 0, indexEnd, indexPosition(this.indexWritten));
    this.data.markUnsynced();
    this.index.markUnsynced();
    this.#hasRest = false;
    this.#dropRuns(done, position);
    this.#dataWritten = position;
    this.indexWritten += records;
    this.#openRun();
  }

  /** Forgets the first `done` runs, and of the next one what lies before `position` in the file. */
  #dropRuns(done: number, position: number): void {
    let at = this.#dataWritten;
    for (let i = 0; i < done; i++) at += this.#runs[i]!.end - this.#runs[i]!.start;
    this.#runs.splice(0, done);
    const [first] = this.#runs;
    if (first !== undefined) first.start += position - at;
  }

  /** The time of the last message, if it is known. */
  get lastTime(): Timestamp | undefined {
    return this.#lastTimed === this.count ? this.#lastTime : undefined;
  }

  noteLastTime(time: Timestamp): void {
    copyTime(time, this.#lastTime);
    this.#lastTimed = this.count;
  }

  /** The index record of message `k` (from 0), if it is not in the file yet. Looks through those before it. */
  pendingRecord(k: number, entry: IndexEntry): boolean {
    let skip = k - this.indexWritten;
    if (skip < 0 || k >= this.count) return false;
    let position = this.#dataWritten;
    for (const { bytes, start, end } of this.#runs) {
      const records = countRecords(bytes, start, end);
      if (skip < records) {
        const at = recordStart(bytes, start, skip);
        readIndexOf(bytes, at, position + at - start, entry);
        return true;
      }
      skip -= records;
      position += end - start;
    }
    const at = recordStart(this.#tail, this.#tailStart, skip);
    readIndexOf(this.#tail, at, position + at - this.#tailStart, entry);
    return true;
  }

  saveEnd(end: SliceEnd): void {
    end.sliceLast = this.last;
    end.sliceCount = this.count;
    end.sliceBytes = this.bytes;
    end.dataEnd = this.dataEnd;
  }

  /** Returns to an earlier end: what was appended since is no message any more. Never throws. */
  restoreEnd(end: SliceEnd): void {
    this.last = end.sliceLast;
    this.count = end.sliceCount;
    this.bytes = end.sliceBytes;
    this.#lastTimed = 0;
    this.#takeBackRuns(end.dataEnd);
    this.dataEnd = end.dataEnd;
    if (this.#dataWritten > end.dataEnd || this.indexWritten > end.sliceCount) this.#hasRest = true;
    this.#dataWritten = Math.min(this.#dataWritten, end.dataEnd);
    this.indexWritten = Math.min(this.indexWritten, end.sliceCount);
    this.#sealedEnd = Math.min(this.#sealedEnd, end.dataEnd);
    this.#sealedCount = Math.min(this.#sealedCount, end.sliceCount);
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
    this.#closeRun();
    let surplus = this.dataEnd - dataEnd;
    const runs = this.#runs;
    while (surplus > 0 && runs.length > 0) {
      const run = runs[runs.length - 1]!;
      const length = run.end - run.start;
      if (length > surplus) run.end -= surplus;
      else runs.pop();
      surplus -= length;
    }
    this.#openRun();
  }
}

/** Place of the k-th record in an index file. */
export function indexPosition(k: number): number {
  return FILE_HEADER_SIZE + k * INDEX_RECORD_SIZE;
}

const NO_BYTES = new Uint8Array(0);

/** Room for the index records of one write, which no slice keeps beyond it. */
let indexRecords: Uint8Array = new Uint8Array(64 * INDEX_RECORD_SIZE);

function indexBuffer(size: number): Uint8Array {
  if (size <= indexRecords.length) return indexRecords;
  const larger = new Uint8Array(size);
  if (size <= INDEX_BUFFER_KEPT) indexRecords = larger;
  return larger;
}

function copyTime(from: Timestamp, to: Timestamp): void {
  to.millis = from.millis;
  to.nanos = from.nanos;
}
