import type { CommitLog } from "../commit-log/commit-log.ts";
import type { Checksum } from "../format/crc32.ts";
import { RECORD_HEADER_SIZE, writeRecordHeader } from "../format/record.ts";
import type { Gathering } from "../store-context.ts";
import type { PooledFile } from "./file-pool.ts";

/** Room for a few records: there may be 100,000 channels. */
const BUFFER_START = 128;

/** A buffer that grew beyond this for a burst is not kept. */
const BUFFER_KEPT = 16 * 1024;

/**
 * A file that only grows by typed records (clients.dat, subs.dat), and those of its records that it does not hold yet.
 *
 * ```text
 *   written | durable | on the way to the commit log | gathering
 *           0         #durable                       #sealed     #end      of #bytes, which begin at #start of the file
 * ```
 *
 * Without a commit log what is written counts as durable.
 */
export class RecordFile {
  readonly #file: PooledFile;
  readonly #checksum: Checksum;
  readonly #gathering: Pick<Gathering, "syncFirst">;
  readonly #name: string;
  /** Place of `#bytes[0]` in the file. */
  #start: number;
  #bytes: Uint8Array = new Uint8Array(BUFFER_START);
  #durable = 0;
  #sealed = 0;
  #end = 0;
  /** The file has bytes behind the place of the next record: they are cut off before it is written to. */
  #hasRest: boolean;
  /** Another file is being made to take the name of this one. */
  #isReplacing = false;

  /**
   * @param name below the root directory, for the commit log
   * @param size where the next record goes; 0 for a file that is not made yet
   * @param hasRest whether the file is longer than that
   */
  constructor(
    file: PooledFile,
    name: string,
    size: number,
    hasRest: boolean,
    context: { readonly checksum: Checksum; readonly gathering: Pick<Gathering, "syncFirst"> },
  ) {
    this.#file = file;
    this.#name = name;
    this.#start = size;
    this.#hasRest = hasRest;
    this.#checksum = context.checksum;
    this.#gathering = context.gathering;
  }

  /** The file as it will be once everything is written. */
  get size(): number {
    return this.#start + this.#end;
  }

  /** Bytes that wait in memory. */
  get unwritten(): number {
    return this.#end;
  }

  /** Whether everything is durable. */
  get isDurable(): boolean {
    return this.#end === this.#durable;
  }

  /** Adds bytes that are no record: the version of a new file. */
  appendRaw(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Adds a record. @param payload at most `TYPED_PAYLOAD_MAX` bytes */
  append(type: number, payload: Uint8Array): void {
    const at = this.reserve(payload.length);
    this.#bytes.set(payload, at);
    this.commit(type, payload.length);
  }

  /** Makes room for a record whose payload the caller writes at the returned place of {@link reserved}, then {@link commit}. */
  reserve(size: number): number {
    this.#makeRoom(RECORD_HEADER_SIZE + size);
    return this.#end + RECORD_HEADER_SIZE;
  }

  get reserved(): Uint8Array {
    return this.#bytes;
  }

  commit(type: number, size: number): void {
    writeRecordHeader(this.#bytes, this.#end, type, size, this.#checksum);
    this.#end += RECORD_HEADER_SIZE + size;
  }

  /** Takes the last `length` bytes back, which nobody has been given. */
  takeBack(length: number): void {
    this.#end -= length;
    this.#sealed = Math.min(this.#sealed, this.#end);
  }

  /** Cuts off what does not belong to the file. To be called before {@link seal}. @throws FileError */
  prepare(): void {
    if (!this.#hasRest || this.#isReplacing) return;
    this.#file.forWriting().truncateNow(this.#start);
    this.#hasRest = false;
    this.#file.markUnsynced();
    this.#gathering.syncFirst(this.#file);
  }

  /** What has gathered is going to be durable: hands it to the commit log, if there is one. */
  seal(commitLog: CommitLog | undefined): void {
    if (this.#isReplacing) return;
    const from = this.#sealed;
    this.#sealed = this.#end;
    if (from === this.#end) return;
    const entry = { file: this.#name, position: this.#start + from, sequence: 0 };
    commitLog?.append(entry, this.#bytes, from, this.#end);
  }

  /** What was sealed has become durable. */
  settled(): void {
    this.#durable = this.#sealed;
  }

  /** What was sealed could not be made durable: it is sealed again with what comes. */
  refused(): void {
    this.#sealed = this.#durable;
  }

  /** Writes what is sealed. @throws FileError; everything is still there then */
  write(): void {
    const length = this.#sealed;
    if (length === 0) return;
    this.#file.forWriting().writeNow(this.#bytes, 0, length, this.#start);
    this.#file.markUnsynced();
    this.#start += length;
    this.#end -= length;
    this.#sealed = this.#durable = 0;
    if (this.#end > 0) this.#bytes.copyWithin(0, length, length + this.#end);
    else if (this.#bytes.length > BUFFER_KEPT) this.#bytes = new Uint8Array(BUFFER_START);
  }

  /** A write that is not repeated may have left something behind the last record. */
  noteRest(): void {
    this.#hasRest = true;
  }

  /**
   * Begins again with another content of the file, which the caller puts there: what waits in memory is part of it. Until
   * he says that it is there, or that it will not be, records only gather.
   */
  replaceContent(size: number): Replacement {
    const former = this.#bytes.slice(0, this.#end);
    const [start, durable, sealed, hadRest] = [this.#start, this.#durable, this.#sealed, this.#hasRest];
    this.#start = size;
    this.#bytes = new Uint8Array(BUFFER_START);
    this.#durable = this.#sealed = this.#end = 0;
    this.#hasRest = false;
    this.#isReplacing = true;
    return {
      done: () => {
        this.#isReplacing = false;
      },
      failed: () => {
        const added = this.#bytes.slice(0, this.#end);
        this.#bytes = former;
        this.#end = former.length;
        [this.#start, this.#durable, this.#sealed, this.#hasRest] = [start, durable, sealed, hadRest];
        this.#isReplacing = false;
        this.appendRaw(added);
      },
    };
  }

  #makeRoom(size: number): void {
    const needed = this.#end + size;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
  }
}

/** How the replacement of a file's content ends: one of the two. */
export interface Replacement {
  done(): void;
  /** Puts everything back; records added since stay. */
  failed(): void;
}
