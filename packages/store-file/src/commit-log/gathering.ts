import type { GivenEntry } from "./commit-log.ts";
import { FrameReader, type FrameVisitor } from "./frame-reader.ts";
import { entrySizeMax, FrameWriter, NameTable, NOTE_DIRECTORY_REMOVED, NOTE_FILE_REMOVED } from "./frame-writer.ts";
import { FRAME_HEADER_BYTES, frameSpan, SEGMENT_HEADER_BYTES } from "./segment-format.ts";

/**
 * Most bytes that may gather without a commit. A server's own bounds are far below: whoever gets here has forgotten to
 * commit, or waits for a disk that does not answer.
 */
export const GATHERED_BYTES_MAX = 268_435_456;

/** Most frames that wait: each has a buffer. Each commit that is asked for while another runs makes one. */
const FRAMES_MAX = 4096;

/**
 * A buffer up to this size is kept for the next batches, and so many of them: one is written, one gathers. It takes what a
 * publisher's window of 16,384 messages of usual size comes to; a buffer made anew for each such batch, by doubling, was most
 * of the memory that the collector had to give back.
 */
const SPARE_BUFFER_MAX = 8 * 1_048_576;
const SPARE_BUFFERS_MAX = 2;

/** Where the next frame may go. */
export interface LogEnd {
  /** In the segment in use; infinite when the next frame has to open a segment. */
  readonly offset: number;
  readonly address: number;
}

/** Something that happened to a file or directory, whatever becomes of the batch. */
export type Note =
  | { readonly kind: "file_removed" | "directory_removed"; readonly name: string }
  | { readonly kind: "file_replaced"; readonly name: string; readonly temporary: string };

interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * The batch that is gathering. It is encoded as it comes, for the very place where it will be written if the batch before
 * it succeeds; if that fails, this one is dropped with it.
 */
export class Gathering {
  /** Most bytes that may gather. */
  readonly bytesMax: number;
  readonly #segmentBytes: number;
  #end: LogEnd;
  #frames: FrameWriter[] = [];
  /** How many of them the next batch consists of; entries that come now go to a frame behind those. */
  #cut = 0;
  #bytes = 0;
  #names: NameTable = new NameTable();
  readonly #spares: Uint8Array[] = [];
  /** Where refused batches may have left their bytes: the next batch takes note of it. One entry per file. */
  readonly #refused = new Map<string, Range>();
  /** What was said in refused batches about files that are gone, which they are all the same. */
  #notes: Note[] = [];
  #isOver = false;

  constructor(end: LogEnd, segmentBytes: number, bytesMax: number = GATHERED_BYTES_MAX) {
    this.#end = end;
    this.#segmentBytes = segmentBytes;
    this.bytesMax = bytesMax;
  }

  /** Whether a commit would have nothing to write. */
  get isEmpty(): boolean {
    return this.#frames.length === 0 && this.#notes.length === 0 && !this.#isOver;
  }

  /** Too much has gathered: it has been dropped, and so will be what comes, until {@link dropAll}. */
  get isOver(): boolean {
    return this.#isOver;
  }

  append(entry: GivenEntry, bytes: Uint8Array, start: number, end: number): void {
    const size = entrySizeMax(entry.file.length, end - start);
    if (this.#bytes + (end - start) > this.bytesMax || this.#frames.length >= FRAMES_MAX || this.#isOver) {
      this.#drop();
      this.#isOver = true;
      this.#noteRefused(entry.file, entry.position, entry.position + end - start);
      return;
    }
    const frame = this.#frameFor(size);
    this.#bytes -= frame.length;
    frame.append(entry, bytes, start, end);
    this.#bytes += frame.length;
  }

  note(note: Note): void {
    if (this.#isOver) this.#notes.push(note);
    else this.#write(this.#frameFor(noteSizeMax(note)), note);
  }

  /** What has gathered so far will be the next batch, nothing else: it is exactly what has been asked to be durable. */
  cut(): void {
    if (this.#frames.length === 0) this.#writeLeftovers();
    this.#cut = this.#frames.length;
  }

  /** Takes the batch up to the last cut away. @returns its frames */
  take(): readonly FrameWriter[] {
    const frames = this.#frames.splice(0, this.#cut);
    this.#cut = 0;
    const last = frames.at(-1);
    if (last !== undefined) this.#end = endOf(last);
    for (const frame of frames) this.#bytes -= frame.length;
    return frames;
  }

  /**
   * Drops what has gathered, the batch before it having failed.
   * @param failed that batch
   * @param end where the next frame may go now
   */
  dropAll(failed: readonly FrameWriter[], end: LogEnd): void {
    for (const frame of failed) this.#noteRefusedFrame(frame);
    this.#drop();
    this.#isOver = false;
    this.#end = end;
  }

  /** Takes back the buffer of a batch that was written. */
  reuse(frame: FrameWriter): void {
    if (frame.bytes.length <= SPARE_BUFFER_MAX && this.#spares.length < SPARE_BUFFERS_MAX)
      this.#spares.push(frame.bytes);
  }

  #drop(): void {
    for (const frame of this.#frames) this.#noteRefusedFrame(frame);
    this.#frames = [];
    this.#cut = 0;
    this.#bytes = 0;
    // Some names may have been defined in frames that will not be read.
    this.#names = new NameTable();
  }

  #frameFor(size: number): FrameWriter {
    if (this.#frames.length === 0) this.#writeLeftovers();
    return this.#room(size);
  }

  /** What later batches have to know of refused ones goes before their own entries. */
  #writeLeftovers(): void {
    const refused = [...this.#refused];
    const notes = this.#notes;
    this.#refused.clear();
    this.#notes = [];
    for (const note of notes) this.#write(this.#room(noteSizeMax(note)), note);
    for (const [file, { from, to }] of refused) this.#room(entrySizeMax(file.length, 0)).refused(file, from, to);
  }

  #write(frame: FrameWriter, note: Note): void {
    if (note.kind === "file_replaced") frame.replaced(note.name, note.temporary);
    else frame.removed(note.name, note.kind === "file_removed" ? NOTE_FILE_REMOVED : NOTE_DIRECTORY_REMOVED);
  }

  /** The frame that an entry of at most `size` bytes goes to. */
  #room(size: number): FrameWriter {
    const last = this.#frames.at(-1);
    if (this.#frames.length > this.#cut && last?.fits(size)) return last;
    const end = last === undefined ? this.#end : endOf(last);
    let { offset } = end;
    let room = this.#segmentBytes - offset;
    const opensSegment = FRAME_HEADER_BYTES + size > room;
    if (opensSegment) {
      offset = SEGMENT_HEADER_BYTES;
      room = Math.max(this.#segmentBytes - offset, FRAME_HEADER_BYTES + size);
      this.#names = new NameTable();
    }
    const frame = new FrameWriter(
      { opensSegment, offset, address: end.address, room },
      this.#names,
      this.#spares.pop(),
    );
    this.#frames.push(frame);
    return frame;
  }

  #noteRefused(file: string, from: number, to: number): void {
    const known = this.#refused.get(file);
    this.#refused.set(file, { from: Math.min(from, known?.from ?? from), to: Math.max(to, known?.to ?? to) });
  }

  #noteRefusedFrame(frame: FrameWriter): void {
    const reader = new FrameReader();
    for (const [file, { id }] of frame.names.byFile) reader.know(id, file);
    const visitor: FrameVisitor = {
      append: (file, position, _sequence, _bytes, start, end) =>
        this.#noteRefused(file, position, position + end - start),
      refused: (file, from, to) => this.#noteRefused(file, from, to),
      removedFile: (name) => this.#notes.push({ kind: "file_removed", name }),
      removedDirectory: (name) => this.#notes.push({ kind: "directory_removed", name }),
      replaced: (name, temporary) => this.#notes.push({ kind: "file_replaced", name, temporary }),
      unknown: () => {},
    };
    const payload = frame.frameAt + FRAME_HEADER_BYTES;
    reader.read(frame.bytes, payload, payload + frame.length, visitor);
  }
}

function endOf(frame: FrameWriter): LogEnd {
  const span = frameSpan(frame.length);
  return { offset: frame.place.offset + span, address: frame.place.address + span };
}

function noteSizeMax(note: Note): number {
  return entrySizeMax(note.name.length + (note.kind === "file_replaced" ? note.temporary.length : 0), 0);
}
