import {
  KIND_AT,
  KIND_NAME,
  KIND_NEXT,
  NOTE_DIRECTORY_REMOVED,
  NOTE_FILE_REMOVED,
  NOTE_REFUSED,
  NOTE_REPLACED,
} from "./frame-writer.ts";

/** What stands in a frame, in order. Entries are numbered by whoever listens, by counting these calls. */
export interface FrameVisitor {
  /** `bytes[start, end)` belong to `file` at `position`. */
  append(file: string, position: number, sequence: number, bytes: Uint8Array, start: number, end: number): void;
  removedFile(file: string): void;
  removedDirectory(directory: string): void;
  /** `temporary` was renamed to `file`. */
  replaced(file: string, temporary: string): void;
  refused(file: string, from: number, to: number): void;
  /** An entry of a name that was defined in a damaged frame. */
  unknown(): void;
}

interface Name {
  readonly file: string;
  end: number;
  sequence: number;
  /** Number of the frame in which the other two were set. */
  frame: number;
}

/** Reads the frames of one segment, in their order, as frame-writer.ts writes them. */
export class FrameReader {
  readonly #names = new Map<number, Name>();
  #frame = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  /** A frame is missing: names that it may have defined are not known, nor whether it redefined others. */
  forgetNames(): void {
    this.#names.clear();
  }

  /** Gives a name its meaning, as an earlier frame did. */
  know(id: number, file: string): void {
    this.#names.set(id, { file, end: 0, sequence: 0, frame: 0 });
  }

  /** Reads the payload `bytes[start, end)`. @returns whether it was well-formed to its end */
  read(bytes: Uint8Array, start: number, end: number, visitor: FrameVisitor): boolean {
    this.#frame++;
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    while (this.#at < end) if (!this.#entry(visitor)) return false;
    return true;
  }

  #entry(visitor: FrameVisitor): boolean {
    const tag = this.#number();
    if (tag < 4) return false;
    const id = Math.floor(tag / 4);
    const name = this.#names.get(id);
    switch (tag % 4) {
      case KIND_NAME:
        return this.#define(id);
      case KIND_NEXT:
        return name === undefined || name.frame !== this.#frame
          ? this.#take(visitor, undefined, 0, 0)
          : this.#take(visitor, name, name.end, name.sequence);
      case KIND_AT: {
        const position = this.#number();
        const sequence = this.#number();
        return sequence >= 0 && this.#take(visitor, name, position, sequence);
      }
      default:
        return this.#note(visitor, name);
    }
  }

  #define(id: number): boolean {
    const file = this.#text();
    if (file !== undefined) this.know(id, file);
    return file !== undefined;
  }

  #take(visitor: FrameVisitor, name: Name | undefined, position: number, sequence: number): boolean {
    const start = this.#range();
    if (start < 0) return false;
    if (name === undefined) {
      visitor.unknown();
      return true;
    }
    name.frame = this.#frame;
    name.end = position + this.#at - start;
    name.sequence = sequence === 0 ? 0 : sequence + 1;
    visitor.append(name.file, position, sequence, this.#bytes, start, this.#at);
    return true;
  }

  #note(visitor: FrameVisitor, name: Name | undefined): boolean {
    const note = this.#number();
    const from = note === NOTE_REFUSED ? this.#number() : 0;
    const to = note === NOTE_REFUSED ? this.#number() : 0;
    const temporary = note === NOTE_REPLACED ? this.#text() : "";
    if (note < 0 || note > NOTE_REPLACED || from < 0 || to < 0 || temporary === undefined) return false;
    if (name === undefined) visitor.unknown();
    else if (note === NOTE_FILE_REMOVED) visitor.removedFile(name.file);
    else if (note === NOTE_DIRECTORY_REMOVED) visitor.removedDirectory(name.file);
    else if (note === NOTE_REFUSED) visitor.refused(name.file, from, to);
    else visitor.replaced(name.file, temporary);
    return true;
  }

  #text(): string | undefined {
    const start = this.#range();
    if (start < 0) return undefined;
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, this.#at - start).toString();
  }

  /** Moves over a length and as many bytes. @returns where they begin; -1 when they are not all there */
  #range(): number {
    const length = this.#number();
    const start = this.#at;
    if (length < 0 || start + length > this.#end) return -1;
    this.#at = start + length;
    return start;
  }

  /** -1 when there is none. */
  #number(): number {
    let value = 0;
    let scale = 1;
    while (this.#at < this.#end) {
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return Number.isSafeInteger(value) ? value : -1;
      scale *= 0x80;
    }
    return -1;
  }
}
