import { dirname } from "node:path";
import { FileError, type FileSystem } from "@nats-streaming/kernel";
import { StoreError } from "@nats-streaming/store";
import { TRUNCATE_WITNESS } from "./files/names.ts";
import { pathIn } from "./files/paths.ts";

export interface OpenedRoot {
  /** The directory as it stands in error texts. */
  readonly root: string;
  /** Directories in which others had to be made: they have to be synced. */
  readonly unsynced: readonly string[];
}

/**
 * Makes the root directory, and sees to it that files are not cut off at two starts in a row.
 * @throws StoreError `invalid_options`, `write_failed`
 * @see file-store.md 14.1
 */
export function openRoot(directory: string, isTruncating: boolean, fileSystem: FileSystem): OpenedRoot {
  if (directory === "") throw new StoreError("invalid_options", "for FILE stores, root directory must be specified");
  const root = pathIn(directory);
  const unsynced: string[] = [];
  try {
    for (let path = root; fileSystem.statNow(path) === undefined; path = dirname(path)) unsynced.push(dirname(path));
    fileSystem.makeDirectoryNow(root);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError("write_failed", `unable to create the root directory [${root}]: ${text}`, { cause });
  }
  try {
    markTruncation(pathIn(root, TRUNCATE_WITNESS), isTruncating, fileSystem);
  } catch (cause) {
    if (!(cause instanceof FileError)) throw cause;
    throw new StoreError("write_failed", cause.message, { cause });
  }
  return { root, unsynced };
}

function markTruncation(witness: string, isTruncating: boolean, fileSystem: FileSystem): void {
  if (!isTruncating) {
    fileSystem.removeNow(witness);
    return;
  }
  try {
    fileSystem.openNow(witness, { mode: "create" }).close();
  } catch (error) {
    if (!(error instanceof FileError) || error.code !== "exists") throw error;
    throw new StoreError(
      "invalid_options",
      "file store should not be opened consecutively with the TruncateUnexpectedEOF option set to true",
    );
  }
}
