/**
 * Files as the packages see them, so that tests can tear writes, drop what was not synced and fill disks.
 * Calls named `…Now` do their work before they return; the others run beside the event loop.
 */
export interface FileSystem {
  /** @throws FileError */
  openNow(path: string, options: OpenOptions): OpenFile;
  /** Undefined when there is nothing of that name. @throws FileError */
  statNow(path: string): FileStat | undefined;
  /** Names in a directory, sorted by their bytes, without `.` and `..`. @throws FileError */
  listNow(directory: string): readonly DirectoryEntry[];
  /** Makes a directory and those above it; one that exists is fine. @throws FileError */
  makeDirectoryNow(path: string): void;
  /** Replaces `target` if it exists. @throws FileError */
  renameNow(source: string, target: string): void;
  /** Removes a file; one that does not exist is no error. @throws FileError */
  removeNow(path: string): void;
  /** Removes a directory with everything in it; one that does not exist is no error. @throws FileError */
  removeDirectoryNow(path: string): void;
  /** Makes names that were created, renamed or removed in a directory survive a power loss. @throws (rejects) FileError */
  syncDirectory(path: string): Promise<void>;
  /** How many files this process may have open; undefined where that is not known, or where there is no limit. */
  openFilesMax?(): number | undefined;
}

/** How a file is opened. */
export interface OpenOptions {
  /** `read`: must exist. `write`: read and write; made if it does not exist. `create`: as `write`, but must not exist. */
  readonly mode: "read" | "write" | "create";
  /** Permissions of a file that is made, less the umask; 0o666 if left out. */
  readonly permissions?: number;
}

/** What the system knows of a file. */
export interface FileStat {
  readonly size: number;
  readonly isDirectory: boolean;
  /** Milliseconds since 1970, with a fraction. */
  readonly modifiedMillis: number;
}

/** One name in a directory. */
export interface DirectoryEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/**
 * An open file. Positions are bytes from its beginning; there is no current position. Buffers belong to the caller, who
 * leaves them alone until an asynchronous call has settled.
 */
export interface OpenFile {
  readonly path: string;
  /** Reads until `length` bytes are there or the file ends. @returns how many. @throws FileError */
  readNow(target: Uint8Array, offset: number, length: number, position: number): number;
  /** Writes all of it. @throws FileError; a part may have been written then */
  writeNow(source: Uint8Array, offset: number, length: number, position: number): void;
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  write(source: Uint8Array, offset: number, length: number, position: number): Promise<void>;
  /** Makes what was written survive a power loss. After it has failed nothing about the file's content is known. */
  sync(): Promise<void>;
  /**
   * Makes a range that was just written with these very bytes survive a power loss, and waits for it here: for a small range on
   * a fast disk that takes less time than the way to another thread and back. Fails as {@link sync} does.
   * @throws FileError
   */
  syncRangeNow(source: Uint8Array, offset: number, length: number, position: number): void;
  /** Sets the size; bytes that are added are zero. @throws FileError */
  truncateNow(size: number): void;
  sizeNow(): number;
  /** Idempotent. */
  close(): void;
}

/** What kind of refusal of the system it was. */
export type FileErrorCode =
  /** There is no such file or directory. Remedy: Check the path. */
  | "not_found"
  /** There is such a file already. Remedy: Choose another name, or remove it. */
  | "exists"
  /**
   * The user that runs the server may not, or the file system is read-only.
   * Remedy: `chown` the directory to that user, or mount it writable.
   */
  | "permission"
  /** The disk or the quota is used up. Remedy: See docs/operations-handbook.md#the-disk-is-full. */
  | "no_space"
  /**
   * The process or the machine has too many open files.
   * Remedy: Raise `ulimit -n` (systemd: `LimitNOFILE`), or lower `file_descriptors_limit`.
   */
  | "too_many_open"
  /**
   * The system does not take such a long name: a channel is a folder.
   * Remedy: Shorten the channel name to 255 bytes.
   */
  | "name_too_long"
  /** The system does not take such a name or argument. Remedy: Choose another name. */
  | "invalid_name"
  /** A part of the path is a file. Remedy: Choose another path. */
  | "not_a_directory"
  /** There is a directory where a file should be. Remedy: Move it away. */
  | "is_a_directory"
  /**
   * Everything else, in the words of the system; most often a failing disk.
   * Remedy: Look at the system's log and at the disk.
   */
  | "io";

/** What the system said. The text is `<operation> <path>: <what>`, as users of the original know it. */
export class FileError extends Error {
  override readonly name = "FileError";
  readonly code: FileErrorCode;

  constructor(code: FileErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
