import type { OpenFile } from "@nats-streaming/kernel";
import { storeFailure } from "../errors.ts";
import type { StoreContext } from "../store-context.ts";
import type { PooledFile } from "./file-pool.ts";
import { nameOf, pathIn } from "./paths.ts";
import type { RecordFile } from "./record-file.ts";
import { syncFiles } from "./sync-files.ts";

/** A file of records that can be written anew without those that are of no use any more. */
export interface Compactable {
  readonly file: PooledFile;
  readonly records: RecordFile;
  /** The file is not in use any more, or is gone. */
  readonly isClosed: boolean;
  /** What the file would hold, and what to do if it cannot be put there. Counters begin anew. */
  compactionContent(): CompactionContent;
}

export interface CompactionContent {
  /** The whole file. */
  readonly bytes: Uint8Array;
  readonly failed: () => void;
}

/** Of temporary files, and of everything that is made by way of one, as in the original. */
const TEMPORARY_PERMISSIONS = 0o600;

/**
 * Replaces a file by its compacted content, by way of a temporary file in the root directory. Nobody else may write to the
 * file until it settles; records that come meanwhile wait in memory for the new file. A failure is logged, and the old file
 * stays in use; but with a commit log a failed sync is final.
 * @throws (rejects) StoreError `sync_failed`
 * @param name the file below the root directory, for the commit log
 * @param prefix of the temporary file's name; digits are added that were never used
 * @see file-store.md 13
 */
export async function compact(target: Compactable, name: string, prefix: string, context: StoreContext): Promise<void> {
  const { fileSystem, commitLog, logger, root, pool } = context;
  const content = target.compactionContent();
  const replacement = target.records.replaceContent(content.bytes.length);
  const temporary = unusedPath(prefix, context);
  try {
    const file = write(temporary, content.bytes, context);
    // The commit log does the renaming again if a power loss undoes it: for that the new file must be found.
    await syncFiles(commitLog === undefined ? [file] : [file, pool.directory(root)]).finally(() => file.close());
    target.file.close();
    fileSystem.renameNow(temporary, target.file.path);
    commitLog?.replaceFile(name, nameOf(temporary));
    target.file.markMade();
    replacement.done();
  } catch (error) {
    replacement.failed();
    content.failed();
    removeQuietly(temporary, context);
    const failure = storeFailure(error);
    logger.error(`Unable to compact file "${target.file.path}": ${failure.message}`);
    if (failure.code === "sync_failed" && commitLog !== undefined) throw failure;
  }
}

function write(path: string, bytes: Uint8Array, { fileSystem }: StoreContext): OpenFile {
  const file = fileSystem.openNow(path, { mode: "create", permissions: TEMPORARY_PERMISSIONS });
  try {
    file.writeNow(bytes, 0, bytes.length, 0);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The time of day makes the name new even if a former one is long gone: the commit log may still speak of that. */
function unusedPath(prefix: string, { clock, fileSystem, root }: StoreContext): string {
  const now = { millis: 0, nanos: 0 };
  clock.read(now);
  for (let number = now.millis; ; number++) {
    const path = pathIn(root, `${prefix}${number}`);
    if (fileSystem.statNow(path) === undefined) return path;
  }
}

function removeQuietly(path: string, { fileSystem }: StoreContext): void {
  try {
    fileSystem.removeNow(path);
  } catch {
    // Left over files of that name are ignored by every start.
  }
}
