import { dirname } from "node:path";
import { errorText, FileError, type FileSystem } from "@nats-streaming/kernel";
import { StoreError } from "@nats-streaming/store";
import { SERVER_FILE, TRUNCATE_WITNESS } from "./files/names.ts";
import { pathIn } from "./files/paths.ts";

export interface OpenedRoot {
  /** The directory as it stands in error texts. */
  readonly root: string;
  /** Directories in which others may have been made just now: the root relies on their being synced. */
  readonly ancestors: readonly string[];
}

/**
 * What the option to cut torn files off asks for. `once`: at two starts in a row it is refused. `harmless`: the mode of
 * recovery does so anyway, where that loses nothing, and says so each time.
 */
export type Truncation = "off" | "once" | "harmless";

/**
 * Makes the root directory, and sees to it that files are not cut off at two starts in a row.
 * @throws StoreError `invalid_options`, `write_failed`
 * @see file-store.md 14.1
 */
export function openRoot(directory: string, truncation: Truncation, fileSystem: FileSystem): OpenedRoot {
  if (directory === "") throw new StoreError("invalid_options", "for FILE stores, root directory must be specified");
  const root = pathIn(directory);
  const ancestors: string[] = [];
  try {
    fileSystem.makeDirectoryNow(root);
    // Where nobody has started for good yet, a start that failed may have made the directory, or those above it.
    if (fileSystem.statNow(pathIn(root, SERVER_FILE)) === undefined) {
      for (let path = root; dirname(path) !== path; path = dirname(path)) ancestors.push(dirname(path));
    }
  } catch (cause) {
    const text = errorText(cause);
    throw new StoreError("write_failed", `unable to create the root directory [${root}]: ${text}`, { cause });
  }
  try {
    markTruncation(pathIn(root, TRUNCATE_WITNESS), truncation, fileSystem);
  } catch (cause) {
    if (!(cause instanceof FileError)) throw cause;
    throw new StoreError("write_failed", cause.message, { cause });
  }
  return { root, ancestors };
}

/**
 * Makes the way to the root directory survive a power loss. Nobody makes a directory where he may not look.
 * @throws (rejects) StoreError `sync_failed`
 */
export async function syncAncestors({ ancestors }: OpenedRoot, fileSystem: FileSystem): Promise<void> {
  for (const path of ancestors) {
    try {
      await fileSystem.syncDirectory(path);
    } catch (cause) {
      if (!(cause instanceof FileError)) throw cause;
      if (cause.code !== "permission") throw new StoreError("sync_failed", cause.message, { cause });
    }
  }
}

function markTruncation(witness: string, truncation: Truncation, fileSystem: FileSystem): void {
  if (truncation === "off") {
    fileSystem.removeNow(witness);
    return;
  }
  try {
    fileSystem.openNow(witness, { mode: "create" }).close();
  } catch (error) {
    if (!(error instanceof FileError) || error.code !== "exists") throw error;
    if (truncation === "harmless") return;
    throw new StoreError(
      "invalid_options",
      "file store should not be opened consecutively with the TruncateUnexpectedEOF option set to true",
    );
  }
}
