import { FileError, type FileSystem, type OpenFile } from "@nats-streaming/kernel";

/** What becomes of an entry in its file. */
export type Placement = "replayed" | "present" | "taken";

/**
 * Whether what stands at `position` of a file, in place of `bytes[start, end)`, was written by somebody else, such as an
 * original server that ran in between. What nobody can have written is damage, and is written over.
 */
export type ForeignBytes = (
  file: {
    readonly name: string;
    readonly size: number;
    /** A range that the file has; good until the next call. @throws FileError */
    read(position: number, length: number): Uint8Array;
  },
  position: number,
  bytes: Uint8Array,
  start: number,
  end: number,
) => boolean;

/** Files open at the same time during a replay: a server may have 100,000 channels. */
const FILES_OPEN_MAX = 64;
/** Read at once of a file, to look at many entries. */
const WINDOW_BYTES = 65_536;
/** Up to here a loop is faster than a native comparison. */
const LOOP_COMPARE_MAX = 64;

/** The compatible files below a root directory, as a replay looks at them and completes them. */
export class ReplayFiles {
  readonly #fileSystem: FileSystem;
  readonly #root: string;
  readonly #isForeign: ForeignBytes;
  /** By their last use, the latest last. */
  readonly #open = new Map<string, ReplayFile>();
  /** Files with an entry that found its place taken: nothing more is added to them. */
  readonly #broken = new Set<string>();
  readonly #refused = new Map<string, { from: number; to: number }>();
  /** Every file that was looked at and exists. */
  readonly touched: Set<string> = new Set();

  constructor(fileSystem: FileSystem, root: string, isForeign: ForeignBytes = () => true) {
    this.#fileSystem = fileSystem;
    this.#root = root;
    this.#isForeign = isForeign;
  }

  /** Bytes of a refused batch may stand at `[from, to)` of a file: nobody's, like those that are zero. */
  noteRefused(file: string, from: number, to: number): void {
    const known = this.#refused.get(file) ?? { from, to };
    this.#refused.set(file, { from: Math.min(from, known.from), to: Math.max(to, known.to) });
  }

  /** Does renamings again that a crash has undone: where the former name is still there. @throws FileError */
  rename(renames: readonly { readonly file: string; readonly temporary: string }[]): void {
    for (const { file, temporary } of renames) {
      const source = `${this.#root}/${temporary}`;
      const target = `${this.#root}/${file}`;
      if (this.#fileSystem.statNow(source) === undefined) continue;
      this.#fileSystem.makeDirectoryNow(target.slice(0, target.lastIndexOf("/")));
      this.#fileSystem.renameNow(source, target);
      this.touched.add(file);
    }
  }

  /**
   * Makes `bytes[start, end)` stand at `position` of a file, if they may.
   *
   * A crash leaves of an append any part, with zeros for the rest, or none. So the bytes are completed where each byte of
   * the file is the right one, or zero, or left by a refused batch. Any other was written by somebody else, or is damage:
   * {@link ForeignBytes} tells one from the other.
   *
   * Bytes that are there are written once more: where a sync has failed, the system may show what the disk does not have,
   * and sync it never again.
   * @throws FileError
   */
  place(file: string, position: number, bytes: Uint8Array, start: number, end: number): Placement {
    const target = this.#target(file, position);
    if (target === undefined) {
      this.#broken.add(file);
      return "taken";
    }
    if (target.holds(position, bytes, start, end)) {
      target.write(position, bytes, start, end);
      return "present";
    }
    if (this.#broken.has(file) || position > target.size || this.#isTaken(file, target, position, bytes, start, end)) {
      this.#broken.add(file);
      return "taken";
    }
    target.write(position, bytes, start, end);
    return "replayed";
  }

  close(): void {
    for (const target of this.#open.values()) target.close();
    this.#open.clear();
  }

  #isTaken(file: string, target: ReplayFile, position: number, bytes: Uint8Array, start: number, end: number): boolean {
    const refused = this.#refused.get(file);
    if (target.allows(position, bytes, start, end, refused?.from ?? 0, refused?.to ?? 0)) return false;
    return this.#isForeign({ name: file, size: target.size, read: target.read }, position, bytes, start, end);
  }

  /** The open file; one that does not exist is made, if the bytes are its first. */
  #target(file: string, position: number): ReplayFile | undefined {
    const known = this.#open.get(file);
    if (known !== undefined) {
      this.#open.delete(file);
      this.#open.set(file, known);
      return known;
    }
    const path = `${this.#root}/${file}`;
    if (this.#fileSystem.statNow(path) === undefined) {
      if (position > 0 || this.#broken.has(file)) return undefined;
      this.#fileSystem.makeDirectoryNow(path.slice(0, path.lastIndexOf("/")));
    }
    const opened = new ReplayFile(this.#fileSystem.openNow(path, { mode: "write" }));
    this.touched.add(file);
    this.#open.set(file, opened);
    if (this.#open.size > FILES_OPEN_MAX) {
      for (const [oldest, target] of this.#open) {
        target.close();
        this.#open.delete(oldest);
        break;
      }
    }
    return opened;
  }
}

/** One file, with a window of what it holds. */
class ReplayFile {
  readonly #file: OpenFile;
  #size: number;
  #window: Buffer = Buffer.alloc(0);
  /** The window holds `[#from, #to)` of the file. */
  #from = 0;
  #to = 0;

  constructor(file: OpenFile) {
    this.#file = file;
    this.#size = file.sizeNow();
  }

  get size(): number {
    return this.#size;
  }

  /** Whether the file holds exactly these bytes there. */
  holds(position: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (position + end - start > this.#size) return false;
    const at = this.#look(position, end - start);
    if (end - start > LOOP_COMPARE_MAX) return this.#window.compare(bytes, start, end, at, at + end - start) === 0;
    for (let i = start; i < end; i++) if (this.#window[at + i - start] !== bytes[i]) return false;
    return true;
  }

  /** Whether each byte that the file has there is the right one, or zero, or lies in `[from, to)`. */
  allows(position: number, bytes: Uint8Array, start: number, end: number, from: number, to: number): boolean {
    const length = Math.max(0, Math.min(end - start, this.#size - position));
    const at = this.#look(position, length);
    for (let i = 0; i < length; i++) {
      const found = this.#window[at + i]!;
      const place = position + i;
      if (found !== 0 && found !== bytes[start + i] && (place < from || place >= to)) return false;
    }
    return true;
  }

  readonly read = (position: number, length: number): Uint8Array => {
    const at = this.#look(position, length);
    return this.#window.subarray(at, at + length);
  };

  write(position: number, bytes: Uint8Array, start: number, end: number): void {
    this.#file.writeNow(bytes, start, end - start, position);
    this.#size = Math.max(this.#size, position + end - start);
    // The window would be out of date where they overlap.
    if (position < this.#to) this.#to = Math.max(this.#from, position);
  }

  close(): void {
    this.#file.close();
  }

  /** Brings a range into the window. @returns where in the window it begins */
  #look(position: number, length: number): number {
    if (position >= this.#from && position + length <= this.#to) return position - this.#from;
    const wanted = Math.max(length, Math.min(WINDOW_BYTES, this.#size - position));
    if (this.#window.length < wanted) this.#window = Buffer.allocUnsafeSlow(Math.max(wanted, 512));
    this.#from = position;
    this.#to = position + this.#file.readNow(this.#window, 0, wanted, position);
    if (this.#to < position + length) throw new FileError("io", `read ${this.#file.path}: unexpected EOF`);
    return 0;
  }
}
