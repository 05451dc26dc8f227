import type { FileSystem } from "@nats-streaming/kernel";
import { CommitLogError, type LogDamage } from "./commit-log.ts";
import {
  type FrameHeader,
  frameSpan,
  nextFramePlace,
  readFrameHeader,
  readSegmentHeader,
  SEGMENT_HEADER_BYTES,
  SEGMENT_VERSION,
  type SegmentHeader,
  segmentNumber,
} from "./segment-format.ts";

/** A segment file as a start finds it. */
export interface FoundSegment {
  readonly number: number;
  readonly path: string;
  readonly size: number;
  /** Undefined when no use of it can be read. */
  readonly header: SegmentHeader | undefined;
  readonly spareMark: 0 | 1;
}

/** The segments of a directory. */
export interface Survey {
  /** Those with a header in the order of their generations, the others before them. */
  readonly segments: readonly FoundSegment[];
  /** Frames below it need no replay. */
  readonly lowWater: number;
  /** Number of the segment that says so. */
  readonly lowWaterSegment: number | undefined;
  /** Above the address of any frame there is. */
  readonly addressLimit: number;
  /** The greatest there is; 0 without any. */
  readonly generation: number;
}

/** A frame that holds together. */
export interface FoundFrame extends FrameHeader {
  readonly segment: FoundSegment;
  readonly offset: number;
  readonly address: number;
  /** Something unreadable lies between this frame and the one before it in the segment. */
  readonly followsDamage: boolean;
}

export interface Scan {
  /**
   * Frames in the order of the log, up to the end of the last whole batch. Those below the low water are there for the
   * names that they define.
   */
  readonly frames: readonly FoundFrame[];
  readonly tornTail: boolean;
  readonly damaged: readonly LogDamage[];
}

/**
 * Looks at the headers of all segments.
 * @throws FileError, CommitLogError `unsupported_version`
 */
export function surveySegments(fileSystem: FileSystem, directory: string): Survey {
  const segments: FoundSegment[] = [];
  let lowWater = 0;
  let lowWaterSegment: number | undefined;
  let addressLimit = 0;
  let generation = 0;
  const entries = fileSystem.statNow(directory) === undefined ? [] : fileSystem.listNow(directory);
  for (const { name, isDirectory } of entries) {
    const number = isDirectory ? undefined : segmentNumber(name);
    if (number === undefined) continue;
    const path = `${directory}/${name}`;
    const { size, bytes } = readStart(fileSystem, path);
    const reading = readSegmentHeader(bytes);
    if (reading.kind === "unsupported") throw unsupported(path, reading.version);
    if (reading.kind === "none") {
      segments.push({ number, path, size, header: undefined, spareMark: 0 });
      continue;
    }
    const { header, spareMark } = reading;
    segments.push({ number, path, size, header, spareMark });
    if (lowWaterSegment === undefined || reading.lowWater > lowWater) {
      lowWater = reading.lowWater;
      lowWaterSegment = number;
    }
    addressLimit = Math.max(addressLimit, lowWater, header.address + size);
    generation = Math.max(generation, header.generation);
  }
  segments.sort((a, b) => (a.header?.generation ?? 0) - (b.header?.generation ?? 0));
  return { segments, lowWater, lowWaterSegment, addressLimit, generation };
}

/** Reads a whole segment; the buffer belongs to the caller. @throws (rejects) FileError */
export async function readSegment(fileSystem: FileSystem, { path, size }: FoundSegment): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(size);
  const file = fileSystem.openNow(path, { mode: "read" });
  try {
    return bytes.subarray(0, await file.read(bytes, 0, size, 0));
  } finally {
    file.close();
  }
}

/** Finds the frames that a replay has to look at. One segment is in memory at a time. @throws (rejects) FileError */
export async function scanSegments(fileSystem: FileSystem, { segments, lowWater }: Survey): Promise<Scan> {
  const log = new FrameChain(lowWater);
  for (const segment of segments) {
    const { header, size } = segment;
    if (header === undefined || header.address + size <= lowWater) continue;
    scanSegment(await readSegment(fileSystem, segment), segment, header, log);
  }
  return log.end();
}

function scanSegment(bytes: Uint8Array, segment: FoundSegment, header: SegmentHeader, log: FrameChain): void {
  let expected = SEGMENT_HEADER_BYTES;
  for (let offset = SEGMENT_HEADER_BYTES; offset < bytes.length; ) {
    const frame = readFrameHeader(bytes, offset, header);
    const address = header.address + offset - SEGMENT_HEADER_BYTES;
    if (frame === undefined || frame === "torn") {
      if (frame === "torn") log.torn(address);
      // Usually the end. But if a later frame holds together, what is here was damaged after it had been written.
      offset = nextFramePlace(offset);
      continue;
    }
    log.add({ ...frame, segment, offset, address, followsDamage: offset !== expected });
    offset += frameSpan(frame.length);
    expected = offset;
  }
}

/** Puts frames together to batches, and tells the end of the log from damage within it. */
class FrameChain {
  readonly #lowWater: number;
  readonly #frames: FoundFrame[] = [];
  readonly #damaged = new Map<string, LogDamage>();
  /** The parts of a batch whose last part is not there yet, and old frames among them. */
  #open: FoundFrame[] = [];
  #parts = 0;
  #batch = 0;
  /** Where the next frame is due. */
  #next: number;
  #tornAt = -1;

  constructor(lowWater: number) {
    this.#lowWater = lowWater;
    this.#next = lowWater;
  }

  torn(address: number): void {
    this.#tornAt = address;
  }

  add(frame: FoundFrame): void {
    if (frame.address < this.#lowWater) {
      this.#open.push(frame);
      return;
    }
    // A remnant of a refused batch whose place has been taken since.
    if (frame.address < this.#next) return;
    if (frame.address > this.#next || frame.part !== this.#parts || (frame.part > 0 && frame.batch !== this.#batch)) {
      // Without its first part it belongs to a batch that was never whole, or whose beginning is damaged.
      if (frame.part !== 0) return;
      this.#damage(frame);
    }
    this.#open.push(frame);
    this.#parts = frame.isLast ? 0 : frame.part + 1;
    this.#batch = frame.batch;
    this.#next = frame.address + frameSpan(frame.length);
    if (!frame.isLast) return;
    this.#frames.push(...this.#open);
    this.#open = [];
  }

  end(): Scan {
    const tornTail = this.#parts > 0 || this.#tornAt === this.#next;
    return { frames: this.#frames, tornTail, damaged: [...this.#damaged.values()] };
  }

  /** A batch begins behind a hole, so what is missing was durable once: a batch is only written when the one before is. */
  #damage(frame: FoundFrame): void {
    const before = this.#open.at(-1) ?? this.#frames.at(-1);
    const place = before ?? frame;
    const offset = before === undefined ? SEGMENT_HEADER_BYTES : before.offset + frameSpan(before.length);
    if (!this.#damaged.has(place.segment.path)) {
      this.#damaged.set(place.segment.path, { file: place.segment.path, offset });
    }
  }
}

function readStart(fileSystem: FileSystem, path: string): { readonly size: number; readonly bytes: Uint8Array } {
  const file = fileSystem.openNow(path, { mode: "read" });
  try {
    const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
    const count = file.readNow(bytes, 0, bytes.length, 0);
    return { size: file.sizeNow(), bytes: bytes.subarray(0, count) };
  } finally {
    file.close();
  }
}

function unsupported(path: string, version: number): CommitLogError {
  return new CommitLogError(
    "unsupported_version",
    `commit log: ${path} has format version ${version}, this server knows version ${SEGMENT_VERSION}. ` +
      "Start the newer server that wrote it once more and stop it cleanly, then remove the file",
  );
}
