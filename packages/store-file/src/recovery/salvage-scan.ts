import type { OpenFile } from "@nats-streaming/kernel";
import type { Checksum } from "../format/crc32.ts";
import { FILE_HEADER_SIZE, RECORD_HEADER_SIZE } from "../format/record.ts";
import { RecordReader } from "../format/record-reader.ts";
import { isZeroFrom } from "./damage.ts";
import { type RecordSense, SENSE_BYTES } from "./record-sense.ts";

export type SalvageStep =
  /** A record that can be used; the scan's `reader` describes it. */
  | "record"
  /** Bytes between `gapStart` and `gapEnd` that are no record. */
  | "gap"
  | "end";

const CHUNK = 256 * 1024;

/** Reads every record of a file that can be read, whatever stands between them. */
export class SalvageScan {
  readonly reader: RecordReader;
  readonly #file: OpenFile;
  readonly #size: number;
  readonly #sense: RecordSense;
  readonly #probe: RecordReader;
  gapStart = 0;
  gapEnd = 0;
  /** The gap is the rest of the file, and is what a write leaves that a crash has cut short: a part of a record, or zeros. */
  isTornEnd = false;

  constructor(file: OpenFile, size: number, sense: RecordSense, checksum: Checksum, from: number = FILE_HEADER_SIZE) {
    this.#file = file;
    this.#size = size;
    this.#sense = sense;
    const start = Math.min(from, size);
    this.reader = new RecordReader(file, size, sense.typed, checksum, start);
    this.#probe = new RecordReader(file, size, sense.typed, checksum, start);
  }

  next(): SalvageStep {
    const { reader } = this;
    const step = reader.next();
    if (step === "record" && this.#isUsable(reader)) return "record";
    if (step === "end" && reader.at === this.#size) return "end";
    this.gapStart = reader.at;
    // The size of a record whose payload is damaged still says where the next one is. To look for it byte by byte could
    // find what a client has put into a message.
    const behind = reader.at + RECORD_HEADER_SIZE + reader.size;
    const isChained = (step === "checksum" || step === "record") && (behind === this.#size || this.#isRecord(behind));
    this.gapEnd = isChained ? behind : this.#find(reader.at + 1);
    const isRest = this.gapEnd === this.#size;
    this.isTornEnd = isRest && (step === "torn" || step === "end" || this.#isPadding(step));
    reader.skipTo(this.gapEnd);
    return "gap";
  }

  #isPadding(step: string): boolean {
    return step === "padding" && isZeroFrom(this.#file, this.gapStart, this.#size);
  }

  #isRecord(position: number): boolean {
    const probe = this.#probe;
    probe.skipTo(position);
    return probe.next() === "record" && this.#isUsable(probe);
  }

  #isUsable(reader: RecordReader): boolean {
    return this.#sense.isUsable(reader.type, reader.bytes, reader.start, reader.end);
  }

  /** The next place from `from` on where a record begins; the end of the file if there is none. */
  #find(from: number): number {
    const chunk = new Uint8Array(CHUNK + RECORD_HEADER_SIZE + SENSE_BYTES);
    for (let base = from; base + RECORD_HEADER_SIZE < this.#size; base += CHUNK) {
      const length = this.#file.readNow(chunk, 0, Math.min(chunk.length, this.#size - base), base);
      const last = Math.min(CHUNK, length - RECORD_HEADER_SIZE);
      for (let i = 0; i < last; i++) {
        if (this.#sense.isPlausible(chunk, i, length) && this.#isRecord(base + i)) return base + i;
      }
    }
    return this.#size;
  }
}

/** Whether a record that can be used begins anywhere behind `position`. */
export function hasRecordAfter(
  file: OpenFile,
  size: number,
  sense: RecordSense,
  checksum: Checksum,
  position: number,
): boolean {
  const scan = new SalvageScan(file, size, sense, checksum, position);
  for (let step = scan.next(); step !== "end"; step = scan.next()) if (step === "record") return true;
  return false;
}
