import { errorText } from "@nats-streaming/kernel";
import { CommitLogError } from "./commit-log.ts";

/**
 * Waits for a sync. One that fails is final, whatever it was for: what is on the disk is unknown then.
 * @throws (rejects) CommitLogError `sync_failed`
 */
export async function synced(sync: Promise<void>): Promise<void> {
  try {
    await sync;
  } catch (cause) {
    throw syncFailed(cause);
  }
}

/** The same for one that is waited for in place. @throws CommitLogError `sync_failed` */
export function syncedNow(sync: () => void): void {
  try {
    sync();
  } catch (cause) {
    throw syncFailed(cause);
  }
}

function syncFailed(cause: unknown): CommitLogError {
  const text = errorText(cause);
  return new CommitLogError("sync_failed", `commit log: ${text}`, { cause });
}
