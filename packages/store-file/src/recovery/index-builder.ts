import type { FileSystem, OpenFile, Timestamp } from "@nats-streaming/kernel";
import type { Checksum } from "../format/crc32.ts";
import {
  INDEX_RECORD_SIZE,
  type IndexEntry,
  indexEntry,
  readIndexRecord,
  writeIndexRecord,
} from "../format/index-record.ts";
import { FILE_HEADER, FILE_HEADER_SIZE } from "../format/record.ts";
import { MESSAGE_OVERHEAD } from "../messages/slice.ts";

/** What an index says about its slice. */
export interface SliceSummary {
  readonly first: IndexEntry;
  readonly last: IndexEntry;
  readonly count: number;
  /** Of all messages, with overhead. */
  readonly bytes: number;
}

/** Records gathered before they are written. */
const CHUNK_RECORDS = 2048;

/**
 * Writes the index of a data file beside the one that is there, under a temporary name, as the messages are read. A
 * sequence that comes again stands for what a former run of the original wrote without an index and wrote over later in
 * the log: the later record counts, with everything from that sequence on forgotten.
 */
export class IndexBuilder {
  readonly #fileSystem: FileSystem;
  readonly #path: string;
  readonly #temporary: string;
  readonly #checksum: Checksum;
  readonly #file: OpenFile;
  readonly #chunk = new Uint8Array(CHUNK_RECORDS * INDEX_RECORD_SIZE);
  /** Records in the file, and in `#chunk` behind them. */
  #written = 0;
  #gathered = 0;
  #bytes = 0;
  readonly #first: IndexEntry = indexEntry();
  readonly #last: IndexEntry = indexEntry();

  /** @throws FileError */
  constructor(fileSystem: FileSystem, path: string, checksum: Checksum) {
    this.#fileSystem = fileSystem;
    this.#path = path;
    this.#temporary = `${path}.new`;
    this.#checksum = checksum;
    this.#file = fileSystem.openNow(this.#temporary, { mode: "write" });
    this.#file.truncateNow(0);
    this.#file.writeNow(FILE_HEADER, 0, FILE_HEADER_SIZE, 0);
  }

  get count(): number {
    return this.#written + this.#gathered;
  }

  add(sequence: number, offset: number, time: Timestamp, size: number): void {
    while (this.count > 0 && this.#last.sequence >= sequence) this.#removeLast();
    if (this.#gathered === CHUNK_RECORDS) this.#write();
    writeIndexRecord(this.#chunk, this.#gathered * INDEX_RECORD_SIZE, sequence, offset, time, size, this.#checksum);
    this.#gathered++;
    this.#bytes += size + MESSAGE_OVERHEAD;
    readIndexRecord(this.#chunk, (this.#gathered - 1) * INDEX_RECORD_SIZE, this.#last);
    if (this.count === 1) readIndexRecord(this.#chunk, 0, this.#first);
  }

  /** Everything that was added; undefined when nothing is left of it. */
  finish(): SliceSummary | undefined {
    this.#write();
    if (this.count === 0) return undefined;
    return { first: this.#first, last: this.#last, count: this.count, bytes: this.#bytes };
  }

  /** Puts the index in its place. @throws FileError */
  apply(): void {
    this.#file.close();
    this.#fileSystem.renameNow(this.#temporary, this.#path);
  }

  /** Removes what was written. */
  abandon(): void {
    this.#file.close();
    this.#fileSystem.removeNow(this.#temporary);
  }

  #write(): void {
    if (this.#gathered === 0) return;
    const at = FILE_HEADER_SIZE + this.#written * INDEX_RECORD_SIZE;
    this.#file.writeNow(this.#chunk, 0, this.#gathered * INDEX_RECORD_SIZE, at);
    this.#written += this.#gathered;
    this.#gathered = 0;
  }

  #removeLast(): void {
    this.#bytes -= this.#last.size + MESSAGE_OVERHEAD;
    if (this.#gathered > 0) this.#gathered--;
    else {
      this.#written--;
      this.#file.truncateNow(FILE_HEADER_SIZE + this.#written * INDEX_RECORD_SIZE);
    }
    if (this.count === 0) return;
    if (this.#gathered > 0) {
      readIndexRecord(this.#chunk, (this.#gathered - 1) * INDEX_RECORD_SIZE, this.#last);
      return;
    }
    const one = new Uint8Array(INDEX_RECORD_SIZE);
    this.#file.readNow(one, 0, one.length, FILE_HEADER_SIZE + (this.#written - 1) * INDEX_RECORD_SIZE);
    readIndexRecord(one, 0, this.#last);
  }
}

/** Copies what one entry says to another. */
export function copyEntry(from: IndexEntry, to: IndexEntry): void {
  to.sequence = from.sequence;
  to.offset = from.offset;
  to.size = from.size;
  to.time.millis = from.time.millis;
  to.time.nanos = from.time.nanos;
}
