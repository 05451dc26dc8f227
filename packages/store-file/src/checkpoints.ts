import { type Clock, FileError, type Logger } from "@nats-streaming/kernel";
import { type CommitLog, CommitLogError } from "./commit-log/commit-log.ts";
import { storeFailure } from "./errors.ts";
import type { FilePool } from "./files/file-pool.ts";
import { syncFiles } from "./files/sync-files.ts";
import type { FlushQueue } from "./flush-queue.ts";

/** What may gather in the commit log: each checkpoint syncs every file that was written since the one before. */
const CHECKPOINT_BYTES_MIN = 64 * 1024 * 1024;
/** With many files, each sync should be worth some data: about what a disk writes in the time of a sync. */
const CHECKPOINT_BYTES_PER_FILE = 256 * 1024;
/** Recovery has to look through the log: a gigabyte takes it a few seconds. */
const CHECKPOINT_BYTES_MAX = 1024 * 1024 * 1024;

/** Syncs the files that were written, so that the commit log can begin anew. */
export interface Checkpoints {
  /** Starts one when enough has gathered. */
  startIfDue(): void;
  /** Syncs everything that is written now; joins one that is under way. @throws (rejects) StoreError `sync_failed` */
  run(): Promise<void>;
  /** The log has begun: its age counts from here on. */
  begin(): void;
  /** Noted down since the start. */
  readonly count: number;
  /** Given up since the start: a file could not be written or synced, or the checkpoint not be noted down. */
  readonly failures: number;
  /** Since the last one that was noted down, or {@link begin}. */
  readonly ageMillis: number;
}

export interface CheckpointOptions {
  readonly pool: FilePool;
  readonly queue: FlushQueue;
  readonly commitLog: () => CommitLog | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createCheckpoints({ pool, queue, commitLog, clock, logger }: CheckpointOptions): Checkpoints {
  let running: Promise<void> | undefined;
  let count = 0;
  let failures = 0;
  let lastAt = clock.monotonicMillis();

  const checkpoint = async (): Promise<void> => {
    const log = commitLog();
    // No batch may be between the log and its files: position and files have to be of one moment.
    const found = await queue.exclusively(async () => {
      if (!queue.writeBacklog()) return undefined;
      return { position: log?.position(), files: pool.takeUnsynced() };
    });
    // What is not in its file must stay in the log.
    if (found === undefined) {
      failures++;
      return;
    }
    const { position, files } = found;
    try {
      await syncFiles(files);
      if (log !== undefined && position !== undefined) await log.checkpointed(position);
      count++;
      lastAt = clock.monotonicMillis();
    } catch (error) {
      failures++;
      const failure =
        error instanceof CommitLogError || !(error instanceof FileError) ? storeFailure(error) : undefined;
      if (failure !== undefined) {
        queue.fail(failure);
        throw failure;
      }
      logger.error(`Unable to note down a checkpoint: ${error instanceof FileError ? error.message : ""}`);
    }
  };

  const run = async (): Promise<void> => {
    while (running !== undefined) await running;
    running = checkpoint().finally(() => {
      running = undefined;
    });
    await running;
  };

  return {
    run,
    begin(): void {
      lastAt = clock.monotonicMillis();
    },
    get count() {
      return count;
    },
    get failures() {
      return failures;
    },
    get ageMillis() {
      return clock.monotonicMillis() - lastAt;
    },
    startIfDue(): void {
      const log = commitLog();
      if (log === undefined || running !== undefined || queue.failure !== undefined) return;
      const wanted = Math.max(CHECKPOINT_BYTES_MIN, pool.unsyncedCount * CHECKPOINT_BYTES_PER_FILE);
      if (log.bytesSinceCheckpoint < Math.min(CHECKPOINT_BYTES_MAX, wanted)) return;
      // The queue has learnt of a failure, and so will whoever flushes next.
      run().catch(() => {});
    },
  };
}
