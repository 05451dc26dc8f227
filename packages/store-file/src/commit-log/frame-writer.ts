/*
 * A frame's payload: entries, one behind the other. A number is a varint (base 128, low groups first), written as v below.
 * A name stands for a path below the root directory; a segment's frames share their names, so that each is there once.
 *
 *   v 4 × name + 0   the file's next bytes: they follow its entry before this one in the frame, and so does the sequence
 *                    (0 follows 0)                                       v length, bytes
 *   v 4 × name + 1   bytes of the file at some place                     v position, v sequence, v length, bytes
 *   v 4 × name + 2   gives the name, from 1 on, a meaning                v length, UTF-8
 *   v 4 × name + 3   something about the file or directory of that name:
 *                    it is gone, with all bytes before                   v 0
 *                    the files below it are gone, with all bytes before  v 1
 *                    a refused batch may have left its bytes in it       v 2, v from, v to
 *                    another file was renamed to it                      v 3, v length, UTF-8
 *
 * So a message that follows another of its channel costs two to four bytes beyond its own.
 */
import type { GivenEntry, KnownName } from "./commit-log.ts";
import { FRAME_HEADER_BYTES, frameSpan, pageEnd, SEGMENT_HEADER_BYTES } from "./segment-format.ts";

export const KIND_NEXT = 0;
export const KIND_AT = 1;
export const KIND_NAME = 2;
export const KIND_NOTE = 3;
export const NOTE_FILE_REMOVED = 0;
export const NOTE_DIRECTORY_REMOVED = 1;
export const NOTE_REFUSED = 2;
export const NOTE_REPLACED = 3;

/** Longest varint of a number below 2^53. */
const VARINT_BYTES_MAX = 8;
/** Most bytes of an entry besides the bytes it carries: four numbers. */
const ENTRY_BYTES_MAX = 4 * VARINT_BYTES_MAX;
/** A UTF-16 unit takes at most three bytes of UTF-8. */
const UTF8_BYTES_MAX = 3;

/** Up to here a loop is faster than a native call with a view made for it. */
const LOOP_COPY_MAX = 192;

/** A frame's first buffer, which grows by doubling; takes a segment's header and a few messages. */
const BUFFER_BYTES_MIN = 12_288;

let tables = 0;
let frames = 0;

/** The names of one segment, as far as they are defined. Bounded by the segment, in which each takes its bytes. */
export class NameTable {
  /** No other table has this number: what belongs to a former segment is known by it. */
  readonly number: number = ++tables;
  readonly byFile: Map<string, KnownName> = new Map();
}

/** Where a frame goes. */
export interface FramePlace {
  /** It is the first of a segment that is still to be taken into use. */
  readonly opensSegment: boolean;
  /** In its segment. */
  readonly offset: number;
  readonly address: number;
  /** Most bytes that frame header and payload may have. */
  readonly room: number;
}

/** The most bytes that an entry may take. */
export function entrySizeMax(nameLength: number, bytes: number): number {
  return ENTRY_BYTES_MAX + 2 * VARINT_BYTES_MAX + UTF8_BYTES_MAX * nameLength + bytes;
}

/** Gathers the entries of one frame in the very bytes that will be written. */
export class FrameWriter {
  readonly #number = ++frames;
  readonly place: FramePlace;
  readonly names: NameTable;
  /** The bytes to write; what opens a segment has room for the segment's header in front. */
  bytes: Uint8Array;
  /** Where in {@link bytes} the frame begins. */
  readonly frameAt: number;
  #at: number;

  constructor(place: FramePlace, names: NameTable, spare: Uint8Array | undefined) {
    this.place = place;
    this.names = names;
    this.bytes = spare ?? Buffer.allocUnsafeSlow(BUFFER_BYTES_MIN);
    this.frameAt = place.opensSegment ? SEGMENT_HEADER_BYTES : 0;
    this.#at = this.frameAt + FRAME_HEADER_BYTES;
  }

  /** Bytes of payload so far. */
  get length(): number {
    return this.#at - this.frameAt - FRAME_HEADER_BYTES;
  }

  /** Whether an entry of at most `size` bytes fits. One that is alone in its segment always does. */
  fits(size: number): boolean {
    return FRAME_HEADER_BYTES + this.length + size <= this.place.room;
  }

  append(entry: GivenEntry, source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.#reserve(entrySizeMax(entry.file.length, length));
    let name = entry.known;
    if (name === undefined || name.table !== this.names.number) {
      name = this.#name(entry.file);
      entry.known = name;
    }
    const { bytes } = this;
    const { position, sequence } = entry;
    let at: number;
    if (name.frame === this.#number && name.end === position && name.sequence === sequence) {
      at = putNumber(bytes, this.#at, 4 * name.id + KIND_NEXT);
    } else {
      at = putNumber(bytes, this.#at, 4 * name.id + KIND_AT);
      at = putNumber(bytes, at, position);
      at = putNumber(bytes, at, sequence);
      name.frame = this.#number;
    }
    name.end = position + length;
    name.sequence = sequence === 0 ? 0 : sequence + 1;
    at = putNumber(bytes, at, length);
    if (length > LOOP_COPY_MAX) {
      bytes.set(source.subarray(start, end), at);
      at += length;
    } else {
      for (let i = start; i < end; i++) bytes[at++] = source[i]!;
    }
    this.#at = at;
  }

  /** A file or directory is gone, with everything that was added for it before. */
  removed(name: string, note: typeof NOTE_FILE_REMOVED | typeof NOTE_DIRECTORY_REMOVED): void {
    this.#reserve(entrySizeMax(name.length, 0));
    this.#at = this.#note(name, note);
  }

  /** Another file was renamed to this one. */
  replaced(file: string, temporary: string): void {
    this.#reserve(entrySizeMax(file.length + temporary.length, 0));
    this.#at = this.#putText(this.#note(file, NOTE_REPLACED), temporary);
  }

  /** Bytes of a refused batch may stand at `[from, to)` of a file. */
  refused(file: string, from: number, to: number): void {
    this.#reserve(entrySizeMax(file.length, 0));
    const at = putNumber(this.bytes, this.#note(file, NOTE_REFUSED), from);
    this.#at = putNumber(this.bytes, at, to);
  }

  /** Fills up to the end of the page in which the frame ends. @returns how many of {@link bytes} are to be written */
  pad(): number {
    const { offset } = this.place;
    const written = pageEnd(offset + frameSpan(this.length)) - offset + this.frameAt;
    this.#reserve(written - this.#at);
    this.bytes.fill(0, this.#at, written);
    return written;
  }

  #note(name: string, note: number): number {
    // First of all, as it may write the name.
    const { id } = this.#name(name);
    return putNumber(this.bytes, putNumber(this.bytes, this.#at, 4 * id + KIND_NOTE), note);
  }

  #name(file: string): KnownName {
    const { byFile, number } = this.names;
    const known = byFile.get(file);
    if (known !== undefined) return known;
    const name: KnownName = { table: number, id: byFile.size + 1, frame: 0, end: 0, sequence: 0 };
    byFile.set(file, name);
    this.#at = this.#putText(putNumber(this.bytes, this.#at, 4 * name.id + KIND_NAME), file);
    return name;
  }

  #putText(at: number, text: string): number {
    const utf8 = Buffer.from(text);
    const start = putNumber(this.bytes, at, utf8.length);
    this.bytes.set(utf8, start);
    return start + utf8.length;
  }

  #reserve(size: number): void {
    const needed = this.#at + size;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length));
    grown.set(this.bytes.subarray(0, this.#at));
    this.bytes = grown;
  }
}

function putNumber(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  let position = at;
  while (rest >= 0x80) {
    target[position++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[position] = rest;
  return position + 1;
}
