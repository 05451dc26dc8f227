import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsync,
  ftruncateSync,
  mkdirSync,
  open,
  openSync,
  read,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  write,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { errorText } from "./error-text.ts";
import {
  type DirectoryEntry,
  FileError,
  type FileErrorCode,
  type FileStat,
  type FileSystem,
  type OpenFile,
  type OpenOptions,
} from "./file-system.ts";

const openLater = promisify(open);
const readLater = promisify(read);
const writeLater = promisify(write);
const syncData = promisify(fdatasync);
const syncAll = promisify(fsync);

/** Writes through a descriptor with this flag return when they are on the disk. Not on every system, and not as strictly on all. */
const WRITE_THROUGH = process.platform === "linux" ? constants.O_DSYNC : undefined;

const OPEN_FLAGS = { read: "r", create: "wx+" } as const;
const PERMISSIONS_DEFAULT = 0o666;

/** System error to our code and to the words of the original's texts. */
const ERRORS: Readonly<Record<string, readonly [FileErrorCode, string]>> = {
  ENOENT: ["not_found", "no such file or directory"],
  EEXIST: ["exists", "file exists"],
  EACCES: ["permission", "permission denied"],
  EPERM: ["permission", "operation not permitted"],
  EROFS: ["permission", "read-only file system"],
  ENOSPC: ["no_space", "no space left on device"],
  EDQUOT: ["no_space", "disk quota exceeded"],
  EMFILE: ["too_many_open", "too many open files"],
  ENFILE: ["too_many_open", "too many open files in system"],
  ENAMETOOLONG: ["name_too_long", "file name too long"],
  ERR_INVALID_ARG_VALUE: ["invalid_name", "invalid argument"],
  EINVAL: ["invalid_name", "invalid argument"],
  ENOTDIR: ["not_a_directory", "not a directory"],
  EISDIR: ["is_a_directory", "is a directory"],
  EIO: ["io", "input/output error"],
};

function fileError(operation: string, path: string, cause: unknown): FileError {
  const system = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const [code, words] = ERRORS[system] ?? ["io", errorText(cause)];
  return new FileError(code, `${operation} ${path}: ${words}`, { cause });
}

function now<T>(operation: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof FileError ? error : fileError(operation, path, error);
  }
}

async function later<T>(operation: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof FileError ? error : fileError(operation, path, error);
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

/**
 * The soft limit of open files from the text of Linux's `/proc/self/limits`; 0 where there is none ("unlimited").
 * @internal
 */
export function openFilesLimit(text: string): number {
  const match = /^Max open files\s+(\d+)/m.exec(text);
  return match === null ? 0 : Number(match[1]);
}

/** The machine's own files. */
export function systemFileSystem(): FileSystem {
  return {
    openFilesMax(): number | undefined {
      try {
        const limit = openFilesLimit(readFileSync("/proc/self/limits", "latin1"));
        return limit === 0 ? undefined : limit;
      } catch {
        // Not on Linux.
        return undefined;
      }
    },
    openNow: (path, options) => now("open", path, () => new SystemFile(path, openDescriptor(path, options))),
    statNow: (path) =>
      now("stat", path, (): FileStat | undefined => {
        const stat = statSync(path, { throwIfNoEntry: false });
        if (stat === undefined) return undefined;
        return { size: stat.size, isDirectory: stat.isDirectory(), modifiedMillis: stat.mtimeMs };
      }),
    listNow: (directory) =>
      now("open", directory, () =>
        readdirSync(directory, { withFileTypes: true })
          .map((entry): DirectoryEntry => ({ name: entry.name, isDirectory: entry.isDirectory() }))
          .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))),
      ),
    makeDirectoryNow: (path) =>
      now("mkdir", path, () => {
        makeDirectories(path);
      }),
    renameNow: (source, target) => now("rename", source, () => renameSync(source, target)),
    removeNow: (path) => now("remove", path, () => rmSync(path, { force: true })),
    removeDirectoryNow: (path) => now("remove", path, () => rmSync(path, { force: true, recursive: true })),
    syncDirectory: (path) =>
      later("sync", path, async () => {
        const descriptor = await openLater(path, "r");
        try {
          await syncAll(descriptor);
        } finally {
          closeSync(descriptor);
        }
      }),
  };
}

/**
 * Makes a directory and those above it. Not by the option `recursive`, which never returns where the system takes no directory
 * although the one above is there, as below /proc.
 */
function makeDirectories(path: string): void {
  try {
    makeOne(path);
  } catch (error) {
    const parent = dirname(path);
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!isMissing || parent === path) throw error;
    makeDirectories(parent);
    makeOne(path);
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    // Some systems say something else of a directory that is there, such as that it cannot be written to.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}

/** A descriptor that writes through to the disk. Without it, such as when there are too many open already, a sync does the same. */
function openThrough(path: string): number | undefined {
  if (WRITE_THROUGH === undefined) return undefined;
  try {
    return openSync(path, constants.O_WRONLY | WRITE_THROUGH);
  } catch {
    return undefined;
  }
}

function openDescriptor(path: string, options: OpenOptions): number {
  const permissions = options.permissions ?? PERMISSIONS_DEFAULT;
  if (options.mode !== "write") return openSync(path, OPEN_FLAGS[options.mode], permissions);
  try {
    return openSync(path, "r+");
  } catch (error) {
    if (!isAbsent(error)) throw error;
    return openSync(path, "wx+", permissions);
  }
}

class SystemFile implements OpenFile {
  readonly path: string;
  readonly #descriptor: number;
  /** A second descriptor, whose writes go through to the disk. */
  #throughDescriptor: number | undefined;
  #isOpen = true;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  readNow(target: Uint8Array, offset: number, length: number, position: number): number {
    return now("read", this.path, () => {
      let done = 0;
      while (done < length) {
        const count = readSync(this.#descriptor, target, offset + done, length - done, position + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    });
  }

  writeNow(source: Uint8Array, offset: number, length: number, position: number): void {
    now("write", this.path, () => {
      for (let done = 0; done < length; ) {
        done += writeSync(this.#descriptor, source, offset + done, length - done, position + done);
      }
    });
  }

  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return later("read", this.path, async () => {
      let done = 0;
      while (done < length) {
        const { bytesRead } = await readLater(this.#descriptor, target, offset + done, length - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    });
  }

  write(source: Uint8Array, offset: number, length: number, position: number): Promise<void> {
    return later("write", this.path, async () => {
      for (let done = 0; done < length; ) {
        const { bytesWritten } = await writeLater(
          this.#descriptor,
          source,
          offset + done,
          length - done,
          position + done,
        );
        done += bytesWritten;
      }
    });
  }

  sync(): Promise<void> {
    return later("sync", this.path, () => syncData(this.#descriptor));
  }

  syncRangeNow(source: Uint8Array, offset: number, length: number, position: number): void {
    now("sync", this.path, () => {
      this.#throughDescriptor ??= openThrough(this.path);
      if (this.#throughDescriptor === undefined) {
        fdatasyncSync(this.#descriptor);
        return;
      }
      for (let done = 0; done < length; ) {
        done += writeSync(this.#throughDescriptor, source, offset + done, length - done, position + done);
      }
    });
  }

  truncateNow(size: number): void {
    now("truncate", this.path, () => ftruncateSync(this.#descriptor, size));
  }

  sizeNow(): number {
    return now("stat", this.path, () => fstatSync(this.#descriptor).size);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    now("close", this.path, () => {
      if (this.#throughDescriptor !== undefined) closeSync(this.#throughDescriptor);
      closeSync(this.#descriptor);
    });
  }
}
