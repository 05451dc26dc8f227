/**
 * The commit log: makes a batch durable with one write and one sync, however many files it touches.
 *
 * ```text
 *  batch ─▶ one write + one sync ─▶ commit-log segment (recycled, in the root directory; the original ignores it)
 *    └────▶ the compatible files, written in the same turn, not synced
 *  checkpoint (by size, by time, at a clean stop): sync the compatible files, then recycle the segments
 *  recovery: replay what the compatible files lack, before anybody reads them
 * ```
 *
 * What the caller owes to the log, so that a replay finds its way:
 *
 * 1. A file grows at its end only, and all bytes that it grows by go through the log in their order. (Bytes that may be
 *    lost can go without a commit; the next one takes them along. Bytes that bypass the log, and those that a
 *    recovery finds in a file without knowing that they are synced, have to be synced before anything behind them is committed.)
 * 2. When a commit is refused, the files are cut back to where they stood, at once; that need not be synced, if all that
 *    is cut off had been added to the log. Whoever cuts a file for
 *    another reason, such as the torn end found by a recovery, syncs it before anything is appended to it.
 * 3. A file that is removed or replaced is told by {@link CommitLog.removeFile}, {@link CommitLog.replaceFile} or
 *    {@link CommitLog.removeChannel}.
 *
 * @see the design's "The commit log of the file store"
 */
export interface CommitLog {
  /**
   * Adds to the gathering batch that `bytes[start, end)` were appended to `file` at `position`. The bytes are copied.
   * The caller writes the same bytes to the file itself; when is its own business, as long as it is before the next
   * checkpoint.
   */
  append(entry: GivenEntry, bytes: Uint8Array, start: number, end: number): void;

  /**
   * Adds to the gathering batch that the files below a channel's directory are gone: replay must not bring them back. To be
   * called once they are: a refused commit does not take it back.
   */
  removeChannel(directory: string): void;

  /** As {@link removeChannel} for one file. */
  removeFile(file: string): void;

  /**
   * Adds to the gathering batch that `temporary` was renamed to `file` (a compaction): what was appended to the former file
   * is done with, and replay renames it again if a crash has undone that. To be called in the turn of the renaming, which
   * need not be synced. Before it, the temporary file and its name have been synced; a name is used once only.
   */
  replaceFile(file: string, temporary: string): void;

  /**
   * Makes everything that was added before this call durable, and nothing else. While a sync runs, further entries gather;
   * calls that come meanwhile share the next sync.
   * @throws (rejects) FileError of the write. Then whatever was appended and is not durable is dropped, that which came
   * while the write was under way included, and all waiting commits reject alike. Nothing of it will be replayed; a
   * following commit may succeed. In the moment of dropping the log calls {@link RefusalListener}.
   * CommitLogError `batch_too_large`: as above; too much was added without a commit.
   * CommitLogError `sync_failed`: final, nothing can be committed any more. `closed`.
   */
  commit(): Promise<void>;

  /** Bytes that were committed since the last checkpoint: what a recovery would have to look through. */
  readonly bytesSinceCheckpoint: number;

  /** Bytes of its segment files, those included that wait to be used again. */
  readonly diskBytes: number;

  /**
   * Everything committed before this call is synced in the files themselves: the segments that hold it are recycled.
   * The caller has synced the files before.
   * @throws (rejects) FileError when the checkpoint could not be noted down; nothing is recycled then, and the next
   * checkpoint may succeed. CommitLogError `sync_failed`, which is final; `closed`.
   */
  checkpointed(position: CheckpointPosition): Promise<void>;

  /** Where the log stands now; to be taken before the files are synced, and handed to {@link checkpointed} after. */
  position(): CheckpointPosition;

  /**
   * Waits for the commits that were asked for, then closes without a checkpoint; the segments stay for the next recovery.
   * What was added without a commit is dropped. Idempotent.
   */
  close(): Promise<void>;
}

/**
 * Called when appended entries have been dropped, before anybody else gets a turn: the place to cut back files and
 * positions to what was durable. What is appended from here on belongs to the next batch.
 */
export type RefusalListener = (error: Error) => void;

/** One append to one file. */
export interface CommitEntry {
  /** Path below the root directory, with `/` between its parts. */
  readonly file: string;
  /** Size of the file before the append, which is where the bytes go. */
  readonly position: number;
  /** Sequence of the message, for reports; 0 for what is no message. */
  readonly sequence: number;
}

/** An entry that is added. Who appends to a file over and over with the same object saves the log the search for its name. */
export interface GivenEntry extends CommitEntry {
  /** The log's; undefined at first. */
  known?: KnownName | undefined;
}

/** What the log knows of a file that the segment it writes to has a name for. */
export interface KnownName {
  /** Which table of names it belongs to: a number, as it may outlive the table by far. */
  readonly table: number;
  /** What stands for the name, from 1 on. */
  readonly id: number;
  /** The frame in which the next two were set last, likewise; 0 before that. */
  frame: number;
  /** Where the file's next bytes are expected. */
  end: number;
  sequence: number;
}

/** A place in the log; later ones are greater. */
export type CheckpointPosition = number & { readonly checkpointPosition: unique symbol };

/** What a replay did; nothing is dropped silently. */
export interface ReplayReport {
  /** Entries whose bytes were missing in their file and have been written there. */
  readonly replayed: number;
  /** Entries that their file held already. */
  readonly present: number;
  /** Entries of files and channels that were removed later. */
  readonly removed: number;
  /**
   * Entries whose place holds other bytes, such as those of an original server that ran in between; the first
   * `DISCARDED_LISTED_MAX` of them.
   */
  readonly discarded: readonly CommitEntry[];
  /** How many they are in all. */
  readonly discardedCount: number;
  /** Whether the log ended in a torn entry, which a crash leaves and which was never acknowledged. */
  readonly tornTail: boolean;
  /** Places that held committed entries and cannot be read; the segments are kept aside under another name. */
  readonly damaged: readonly LogDamage[];
}

/** Where the log cannot be read. */
export interface LogDamage {
  /** Path of the segment as it is called now. */
  readonly file: string;
  /** Where the first unreadable bytes are. */
  readonly offset: number;
}

/** Enough to see what happened; a log may hold hundreds of thousands. */
export const DISCARDED_LISTED_MAX = 1000;

/** Why the commit log cannot do what it was asked. Outside the store it is a `StoreError` with the same text. */
export type CommitLogErrorCode =
  /** The log's own write or sync failed: final, the server ends itself. Remedy: Check the disk, then start again. */
  | "sync_failed"
  /**
   * More waits for a commit than the log takes at once. Those publishes are refused, and nothing of them is kept.
   * Remedy: Publish again, with fewer messages under way at a time.
   */
  | "batch_too_large"
  /**
   * The log was written by a newer server.
   * Remedy: As the text says: start the newer one once more and stop it in order.
   */
  | "unsupported_version"
  /** The log was closed. Remedy: Look for the first error in the log of the server. */
  | "closed";

/** A commit log that cannot do what it was asked. */
export class CommitLogError extends Error {
  override readonly name = "CommitLogError";
  readonly code: CommitLogErrorCode;

  constructor(code: CommitLogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
