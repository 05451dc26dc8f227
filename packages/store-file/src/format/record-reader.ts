import type { OpenFile } from "@nats-streaming/kernel";
import type { Checksum } from "./crc32.ts";
import { checksumText, RECORD_HEADER_SIZE, readUint32, UNEXPECTED_EOF } from "./record.ts";

/** What {@link RecordReader.next} has found. */
export type ReadStep =
  /** A record; the reader's fields describe it. */
  | "record"
  /** The normal end, which is also a last record of which nothing but its header is there. */
  | "end"
  /** Eight zero bytes: the file ends where they begin. */
  | "padding"
  /** A record that ends before it is whole. */
  | "torn"
  /** A record whose checksum is wrong. */
  | "checksum";

/** Read at once; records larger than that have the buffer grow. */
const READ_AHEAD = 64 * 1024;

/**
 * Reads the records of a file one after the other, by the rules of file-store.md 2 "End of file". Memory: a read-ahead
 * buffer, or the largest record where that is larger; a size that the file cannot hold is never allocated.
 */
export class RecordReader {
  readonly #file: OpenFile;
  readonly #typed: boolean;
  readonly #checksum: Checksum | undefined;
  readonly #fileSize: number;
  #bytes: Uint8Array;
  /** Position in the file of `#bytes[0]`, and how many bytes are valid. */
  #base = 0;
  #filled = 0;
  #next: number;

  /** Offset of the present record's header; after "end", where the next record would go. */
  at: number;
  /** 0 in files without types. */
  type = 0;
  size = 0;
  storedChecksum = 0;
  /** What is wrong, for "torn" and "checksum". */
  fault = "";
  /** The payload is `bytes[start, end)`; it stays as it is until the next call. */
  bytes: Uint8Array;
  start = 0;
  end = 0;

  /** @param checksum undefined: payloads are not verified. @param from where the first record begins */
  constructor(file: OpenFile, fileSize: number, typed: boolean, checksum: Checksum | undefined, from: number) {
    this.#file = file;
    this.#fileSize = fileSize;
    this.#typed = typed;
    this.#checksum = checksum;
    this.#next = from;
    this.at = from;
    this.#bytes = new Uint8Array(Math.min(READ_AHEAD, Math.max(fileSize - from, RECORD_HEADER_SIZE)));
    this.bytes = this.#bytes;
  }

  /** @throws FileError */
  next(): ReadStep {
    const at = this.#next;
    this.at = at;
    const left = this.#fileSize - at;
    if (left === 0) return "end";
    if (left < RECORD_HEADER_SIZE) return this.#torn();
    const header = this.#need(at, RECORD_HEADER_SIZE);
    const bytes = this.#bytes;
    const first = readUint32(bytes, header);
    this.storedChecksum = readUint32(bytes, header + 4);
    if (first === 0 && this.storedChecksum === 0) return "padding";
    this.type = this.#typed ? first >>> 24 : 0;
    this.size = this.#typed ? first & 0xff_ffff : first;
    const payloadLeft = left - RECORD_HEADER_SIZE;
    if (this.size > 0 && payloadLeft === 0) return "end";
    if (payloadLeft < this.size) return this.#torn();

    this.start = this.#need(at + RECORD_HEADER_SIZE, this.size);
    this.bytes = this.#bytes;
    this.end = this.start + this.size;
    this.#next = at + RECORD_HEADER_SIZE + this.size;
    if (this.#checksum !== undefined) {
      const got = this.#checksum(this.bytes, this.start, this.end);
      if (got !== this.storedChecksum) {
        this.fault = checksumText(this.storedChecksum, got);
        return "checksum";
      }
    }
    return "record";
  }

  /** Continues at another place of the file. */
  skipTo(position: number): void {
    this.#next = position;
  }

  #torn(): ReadStep {
    this.fault = UNEXPECTED_EOF;
    return "torn";
  }

  /** Has `length` bytes from `position` in the buffer. @returns where in the buffer they begin */
  #need(position: number, length: number): number {
    const offset = position - this.#base;
    if (offset >= 0 && offset + length <= this.#filled) return offset;
    if (length > this.#bytes.length) this.#bytes = new Uint8Array(length);
    const wanted = Math.min(this.#bytes.length, this.#fileSize - position);
    this.#filled = this.#file.readNow(this.#bytes, 0, wanted, position);
    this.#base = position;
    if (this.#filled < length) throw new RangeError(`${this.#file.path} has become shorter while it was read`);
    return 0;
  }
}
