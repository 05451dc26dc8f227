import { FileError, type FileSystem, invariant, type OpenFile, type Random } from "@nats-streaming/kernel";
import { directoryOf } from "./paths.ts";

/**
 * All files of a store, open or not. A file is opened when it is used and stays open; above the limit some are closed that nobody
 * holds, whichever chance picks: a server that goes round its channels would find closed the very file that it has not used for
 * longest. The limit is soft: what is held, and what was used last, stays open.
 * @see file-store.md 16
 */
export interface FilePool {
  readonly openCount: number;
  /** Makes a file known. Nothing is opened yet. */
  file(path: string): PooledFile;
  /** A directory to be synced. */
  directory(path: string): Syncable;
  /** Names in a directory have changed: it has to be synced, so that a power loss does not undo that. */
  markDirectory(path: string): void;
  /** What was written or changed its name since its last sync; it is taken off the list. */
  takeUnsynced(): Syncable[];
  /** Whether {@link takeUnsynced} would give any. */
  readonly unsyncedCount: number;
  /** A directory was removed: its files are closed, and of those that were used nobody may use any again. */
  forgetBelow(directory: string): void;
  /** Closes read files that were not used since the last call but one. */
  closeIdle(): void;
  /** The system has no descriptor left: closes a quarter of what is open and not held, and keeps no more open from now on. */
  makeRoom(): void;
  /** Closes everything; using a file fails from then on. */
  close(): void;
}

/** A file or directory that can be made to survive a power loss. */
export interface Syncable {
  readonly path: string;
  /** @throws (rejects) FileError */
  sync(): Promise<void>;
}

export interface PooledFile extends Syncable {
  readonly isOpen: boolean;
  /** The open file, good until three others were used, or the turn ends. It must exist. @throws FileError */
  forReading(): OpenFile;
  /** As {@link forReading}, made if it does not exist. */
  forWriting(): OpenFile;
  /** Keeps the present descriptor open over an `await`. @returns lets go of it */
  hold(): () => void;
  /** Notes that it was written and has to be synced. */
  markUnsynced(): void;
  /** Notes that it was made, too: so has its directory. */
  markMade(): void;
  /** Syncs it if it was not removed meanwhile. @throws (rejects) FileError */
  sync(): Promise<void>;
  /** Closes it when nobody holds it, now or then; the next use opens it again. */
  close(): void;
  /** Closes it and removes it from disk. @throws FileError */
  remove(): void;
  /** Closes it and gives it another name; the object stands for nothing afterwards. @throws FileError */
  renameTo(path: string): void;
}

/** @param limit of open files; 0 for none */
export function createFilePool(fileSystem: FileSystem, limit: number, random: Random): FilePool {
  return new Pool(fileSystem, limit, random);
}

/** Files used last, which stay open: whoever asked for one has it in hand, perhaps beside another. */
const IN_HAND_MAX = 4;

/** What stays open when the system is short of descriptors: clients need some, too. */
const KEPT_SHARE = 3 / 4;

/**
 * How many files may be open where nobody has said: what leaves clients a share of the descriptors, lest their connections be
 * the ones that are refused.
 * @param max of the process; undefined without a limit
 * @returns 0 for no limit
 */
export function defaultFilesLimit(max: number | undefined): number {
  return max === undefined ? 0 : Math.max(1, Math.floor(max * KEPT_SHARE));
}

class Pool implements FilePool {
  readonly fileSystem: FileSystem;
  readonly #random: Random;
  #limit: number;
  /** In no order; each file knows its place. */
  readonly open: File[] = [];
  /** A ring. */
  readonly #inHand: (File | undefined)[] = Array.from({ length: IN_HAND_MAX }, () => undefined);
  #latest = 0;
  unsynced = new Set<File>();
  #unsyncedDirectories = new Set<string>();
  #isClosed = false;

  constructor(fileSystem: FileSystem, limit: number, random: Random) {
    this.fileSystem = fileSystem;
    this.#limit = limit;
    this.#random = random;
  }

  get openCount(): number {
    return this.open.length;
  }

  get unsyncedCount(): number {
    return this.unsynced.size + this.#unsyncedDirectories.size;
  }

  markDirectory(path: string): void {
    this.#unsyncedDirectories.add(path);
  }

  file(path: string): PooledFile {
    return new File(this, path);
  }

  takeUnsynced(): Syncable[] {
    const found: Syncable[] = [...this.unsynced];
    for (const path of this.#unsyncedDirectories) found.push(this.directory(path));
    this.unsynced = new Set();
    this.#unsyncedDirectories = new Set();
    return found;
  }

  directory(path: string): Syncable {
    return { path, sync: () => this.fileSystem.syncDirectory(path) };
  }

  forgetBelow(directory: string): void {
    const prefix = `${directory}/`;
    for (const file of [...this.open, ...this.unsynced]) if (file.path.startsWith(prefix)) file.forget();
    this.#unsyncedDirectories.delete(directory);
  }

  closeIdle(): void {
    for (const file of [...this.open]) file.closeIfIdle();
  }

  close(): void {
    this.#isClosed = true;
    for (const file of [...this.open]) file.close();
  }

  /** Opens a file, closing others for it where that is needed. */
  openFile(file: File, mode: "read" | "write"): OpenFile {
    if (this.#isClosed) throw new FileError("io", `unable to open file "${file.path}", store is being closed`);
    if (this.#limit > 0 && this.open.length >= this.#limit) this.#closeUnheld(this.#limit - 1);
    return this.fileSystem.openNow(file.path, { mode });
  }

  makeRoom(): void {
    const kept = Math.floor(this.open.length * KEPT_SHARE);
    this.#closeUnheld(kept);
    if (this.#limit === 0 || kept < this.#limit) this.#limit = Math.max(1, kept);
  }

  /** The file was given to somebody. */
  used(file: File): void {
    if (this.#inHand[this.#latest] === file) return;
    this.#latest = (this.#latest + 1) % IN_HAND_MAX;
    this.#inHand[this.#latest] = file;
  }

  add(file: File): void {
    file.place = this.open.length;
    this.open.push(file);
  }

  delete(file: File): void {
    const last = this.open.pop()!;
    if (last === file) return;
    this.open[file.place] = last;
    last.place = file.place;
  }

  #closeUnheld(target: number): void {
    const { open } = this;
    const start = Math.floor(this.#random.next() * open.length);
    for (let tries = open.length; tries > 0 && open.length > target; tries--) {
      const file = open[(start + tries) % open.length]!;
      if (!file.isHeld && !this.#inHand.includes(file)) file.close();
    }
  }
}

/** A descriptor: what was opened once, and who still needs it. */
interface Handle {
  readonly file: OpenFile;
  readonly isWritable: boolean;
  holders: number;
  /** Nobody finds it any more; the last holder closes it. */
  isDropped: boolean;
}

class File implements PooledFile {
  readonly path: string;
  /** In {@link Pool.open}, while it is open. */
  place = 0;
  readonly #pool: Pool;
  #handle: Handle | undefined;
  #isRemoved = false;
  #usesSeen = 0;
  #uses = 0;

  constructor(pool: Pool, path: string) {
    this.#pool = pool;
    this.path = path;
  }

  get isOpen(): boolean {
    return this.#handle !== undefined;
  }

  get isHeld(): boolean {
    return this.#handle !== undefined && this.#handle.holders > 0;
  }

  forReading(): OpenFile {
    return this.#use(false).file;
  }

  forWriting(): OpenFile {
    return this.#use(true).file;
  }

  hold(): () => void {
    const handle = this.#handle;
    invariant(handle !== undefined, "only an open file can be held");
    handle.holders++;
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      handle.holders--;
      if (handle.isDropped && handle.holders === 0) handle.file.close();
    };
  }

  markUnsynced(): void {
    if (!this.#isRemoved) this.#pool.unsynced.add(this);
  }

  markMade(): void {
    this.markUnsynced();
    this.#pool.markDirectory(directoryOf(this.path));
  }

  async sync(): Promise<void> {
    if (this.#isRemoved) return;
    const file = this.forWriting();
    const release = this.hold();
    try {
      await file.sync();
    } finally {
      release();
    }
  }

  close(): void {
    const handle = this.#handle;
    if (handle === undefined) return;
    this.#handle = undefined;
    this.#pool.delete(this);
    if (handle.holders === 0) handle.file.close();
    else handle.isDropped = true;
  }

  closeIfIdle(): void {
    const handle = this.#handle;
    if (handle === undefined || handle.isWritable || handle.holders > 0) return;
    if (this.#uses === this.#usesSeen) this.close();
    else this.#usesSeen = this.#uses;
  }

  remove(): void {
    this.forget();
    this.#pool.markDirectory(directoryOf(this.path));
    this.#pool.fileSystem.removeNow(this.path);
  }

  renameTo(path: string): void {
    this.forget();
    this.#pool.markDirectory(directoryOf(this.path));
    this.#pool.fileSystem.renameNow(this.path, path);
  }

  /** It is not there any more, or not under this name. */
  forget(): void {
    this.#isRemoved = true;
    this.#pool.unsynced.delete(this);
    this.close();
  }

  #use(isWritable: boolean): Handle {
    this.#uses++;
    let handle = this.#handle;
    if (handle === undefined || (isWritable && !handle.isWritable)) {
      if (this.#isRemoved) throw new FileError("io", `unable to open file "${this.path}", it has been removed`);
      this.close();
      handle = {
        file: this.#pool.openFile(this, isWritable ? "write" : "read"),
        isWritable,
        holders: 0,
        isDropped: false,
      };
      this.#handle = handle;
      this.#pool.add(this);
    }
    this.#pool.used(this);
    return handle;
  }
}
