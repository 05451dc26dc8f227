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
}

export interface OpenOptions {
  /** `read`: must exist. `write`: read and write; made if it does not exist. `create`: as `write`, but must not exist. */
  readonly mode: "read" | "write" | "create";
  /** Permissions of a file that is made, less the umask; 0o666 if left out. */
  readonly permissions?: number;
}

export interface FileStat {
  readonly size: number;
  readonly isDirectory: boolean;
  /** Milliseconds since 1970, with a fraction. */
  readonly modifiedMillis: number;
}

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

export type FileErrorCode =
  | "not_found"
  | "exists"
  | "permission"
  | "no_space"
  | "too_many_open"
  | "name_too_long"
  | "invalid_name"
  | "not_a_directory"
  | "is_a_directory"
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
