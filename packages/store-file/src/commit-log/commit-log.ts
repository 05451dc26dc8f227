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
 * @see the design's "The commit log of the file store"
 */
export interface CommitLog {
  /**
   * Adds to the gathering batch that `bytes[start, end)` were appended to `file` at `position`. The bytes are copied.
   * The caller writes the same bytes to the file itself; when is its own business, as long as it is before the next
   * checkpoint.
   */
  append(entry: CommitEntry, bytes: Uint8Array, start: number, end: number): void;

  /** Adds to the gathering batch that the files below a channel's directory are gone: replay must not bring them back. */
  removeChannel(directory: string): void;

  /**
   * Makes everything that was added before durable. While a sync runs, further entries gather; calls that come meanwhile
   * share the next sync.
   * @throws (rejects) FileError of the write (nothing of the batch counts then: a following commit may succeed), or
   * CommitLogError `sync_failed`, which is final
   */
  commit(): Promise<void>;

  /** Bytes that were committed since the last checkpoint: what a recovery would have to look through. */
  readonly bytesSinceCheckpoint: number;

  /**
   * Everything committed before this call is synced in the files themselves: the segments that hold it are recycled.
   * The caller has synced the files before.
   */
  checkpointed(position: CheckpointPosition): Promise<void>;

  /** Where the log stands now; to be taken before the files are synced, and handed to {@link checkpointed} after. */
  position(): CheckpointPosition;

  /** Closes without a checkpoint; the segments stay for the next recovery. Idempotent. */
  close(): Promise<void>;
}

export interface CommitEntry {
  /** Path below the root directory, with `/` between its parts. */
  readonly file: string;
  /** Size of the file before the append, which is where the bytes go. */
  readonly position: number;
  /** Sequence of the message, for reports; 0 for what is no message. */
  readonly sequence: number;
}

/** A place in the log; later ones are greater. */
export type CheckpointPosition = number & { readonly checkpointPosition: unique symbol };

/** What a replay did; nothing is dropped silently. */
export interface ReplayReport {
  /** Entries whose bytes were missing in their file and have been written there. */
  readonly replayed: number;
  /** Entries that their file held already. */
  readonly present: number;
  /** Entries whose place holds other bytes, such as those of an original server that ran in between. */
  readonly discarded: readonly CommitEntry[];
  /** Whether the log ended in a torn entry, which a crash leaves and which was never acknowledged. */
  readonly tornTail: boolean;
}
