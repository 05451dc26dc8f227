import { errorText } from "@nats-streaming/kernel";
import { StoreError } from "@nats-streaming/store";
import type { Syncable } from "./file-pool.ts";

/**
 * Syncs under way at once. The system's pool has four threads by default: one more is for the commit log, whose syncs
 * publishers wait for, and one for reading.
 */
const SYNCS_MAX = 2;

/**
 * Syncs files, a few at a time.
 * @throws (rejects) StoreError `sync_failed`: what is on disk is not known any more
 */
export async function syncFiles(files: readonly Syncable[]): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < files.length) {
      const file = files[next++]!;
      try {
        await file.sync();
      } catch (error) {
        next = files.length;
        const text = errorText(error);
        throw new StoreError("sync_failed", text, { cause: error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(SYNCS_MAX, files.length) }, work));
}
