import { FileError, type FileSystem, type OpenFile } from "@nats-streaming/kernel";

/** Reads in a row that bring nothing although the file goes on: then the disk is at fault. */
const EMPTY_READS_MAX = 8;

/**
 * Makes sure that a read ends before the file does only with an error: to recovery a read that comes short means that a
 * crash has torn the file, and no hiccup of a network disk may look like that. And that files of channels, of which there
 * may be more than the system has descriptors, leave one to whoever needs it.
 * @param makeRoom called when the system has no descriptor left: closes some, then it is tried once more
 */
export function wholeReads(inner: FileSystem, makeRoom: () => void): FileSystem {
  const withRoom = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (!isShortOfDescriptors(error)) throw error;
      makeRoom();
      return work();
    }
  };
  const withRoomLater = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      // Nothing has been synced yet then: this is no sync that has failed.
      if (!isShortOfDescriptors(error)) throw error;
      makeRoom();
      return work();
    }
  };
  return {
    openNow: (path, options) => new WholeReads(withRoom(() => inner.openNow(path, options))),
    statNow: (path) => inner.statNow(path),
    listNow: (directory) => withRoom(() => inner.listNow(directory)),
    makeDirectoryNow: (path) => inner.makeDirectoryNow(path),
    renameNow: (source, target) => inner.renameNow(source, target),
    removeNow: (path) => inner.removeNow(path),
    removeDirectoryNow: (path) => withRoom(() => inner.removeDirectoryNow(path)),
    openFilesMax: () => inner.openFilesMax?.(),
    syncDirectory: (path) => withRoomLater(() => inner.syncDirectory(path)),
  };
}

function isShortOfDescriptors(error: unknown): boolean {
  return error instanceof FileError && error.code === "too_many_open";
}

class WholeReads implements OpenFile {
  readonly path: string;
  readonly #inner: OpenFile;

  constructor(inner: OpenFile) {
    this.#inner = inner;
    this.path = inner.path;
  }

  readNow(target: Uint8Array, offset: number, length: number, position: number): number {
    let done = this.#inner.readNow(target, offset, length, position);
    for (let empty = 0; done < length && position + done < this.#inner.sizeNow(); ) {
      const got = this.#inner.readNow(target, offset + done, length - done, position + done);
      empty = got === 0 ? empty + 1 : 0;
      if (empty === EMPTY_READS_MAX) throw this.#short();
      done += got;
    }
    return done;
  }

  async read(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    let done = await this.#inner.read(target, offset, length, position);
    for (let empty = 0; done < length && position + done < this.#inner.sizeNow(); ) {
      const got = await this.#inner.read(target, offset + done, length - done, position + done);
      empty = got === 0 ? empty + 1 : 0;
      if (empty === EMPTY_READS_MAX) throw this.#short();
      done += got;
    }
    return done;
  }

  writeNow(source: Uint8Array, offset: number, length: number, position: number): void {
    this.#inner.writeNow(source, offset, length, position);
  }

  write(source: Uint8Array, offset: number, length: number, position: number): Promise<void> {
    return this.#inner.write(source, offset, length, position);
  }

  sync(): Promise<void> {
    return this.#inner.sync();
  }

  syncRangeNow(source: Uint8Array, offset: number, length: number, position: number): void {
    this.#inner.syncRangeNow(source, offset, length, position);
  }

  truncateNow(size: number): void {
    this.#inner.truncateNow(size);
  }

  sizeNow(): number {
    return this.#inner.sizeNow();
  }

  close(): void {
    this.#inner.close();
  }

  #short(): FileError {
    return new FileError(
      "io",
      `read ${this.path}: input/output error: the file goes on, and no more of it can be read`,
    );
  }
}
