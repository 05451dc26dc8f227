import { type Clock, type Deferred, deferred, errorText, invariant, type Logger } from "@nats-streaming/kernel";
import {
  type CheckpointPosition,
  type CommitLog,
  CommitLogError,
  type GivenEntry,
  type RefusalListener,
} from "./commit-log.ts";
import type { Gathering, Note } from "./gathering.ts";
import type { SegmentPool } from "./segment-pool.ts";
import type { SegmentWriter } from "./segment-writer.ts";

/** A commit that takes longer than this gets a line in the log: users ask why publishing stalls. */
const SLOW_COMMIT_MILLIS = 5_000;

export interface SegmentedCommitLogOptions {
  readonly gathering: Gathering;
  readonly writer: SegmentWriter;
  readonly pool: SegmentPool;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onRefused: RefusalListener;
}

/** Runs commits and checkpoints one after the other; entries gather meanwhile. */
export class SegmentedCommitLog implements CommitLog {
  readonly #gathering: Gathering;
  readonly #writer: SegmentWriter;
  readonly #pool: SegmentPool;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onRefused: RefusalListener;
  /** What is on its way to the disk; settles when the next may start. */
  #running: Promise<void> | undefined;
  /** The commit under way. */
  #committing: Promise<void> | undefined;
  /** Commits of what is gathering. */
  #waiting: Deferred | undefined;
  #checkpoint: { readonly position: CheckpointPosition; readonly waiting: Deferred } | undefined;
  #failure: CommitLogError | undefined;
  #isClosed = false;

  constructor(options: SegmentedCommitLogOptions) {
    this.#gathering = options.gathering;
    this.#writer = options.writer;
    this.#pool = options.pool;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#onRefused = options.onRefused;
  }

  get bytesSinceCheckpoint(): number {
    return this.#writer.end.address - this.#writer.lowWater;
  }

  get diskBytes(): number {
    return this.#pool.diskBytes;
  }

  append(entry: GivenEntry, bytes: Uint8Array, start: number, end: number): void {
    if (start === end || this.#refusal() !== undefined) return;
    this.#gathering.append(entry, bytes, start, end);
  }

  removeChannel(directory: string): void {
    this.#note({ kind: "directory_removed", name: directory });
  }

  removeFile(file: string): void {
    this.#note({ kind: "file_removed", name: file });
  }

  replaceFile(file: string, temporary: string): void {
    this.#note({ kind: "file_replaced", name: file, temporary });
  }

  commit(): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    if (this.#gathering.isEmpty) return this.#committing ?? Promise.resolve();
    this.#gathering.cut();
    this.#waiting ??= deferred();
    const { promise } = this.#waiting;
    this.#next();
    return promise;
  }

  position(): CheckpointPosition {
    return checkpointPosition(this.#writer.end.address);
  }

  checkpointed(position: CheckpointPosition): Promise<void> {
    invariant(position <= this.#writer.end.address, "a checkpoint of what is not committed");
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    // Checkpoints that come while one waits are done with it.
    const waiting = this.#checkpoint?.waiting ?? deferred();
    const former = this.#checkpoint?.position ?? position;
    this.#checkpoint = { position: position > former ? position : former, waiting };
    this.#next();
    return waiting.promise;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#running !== undefined) await this.#running;
    await this.#writer.close();
  }

  #note(note: Note): void {
    if (this.#refusal() === undefined) this.#gathering.note(note);
  }

  #refusal(): CommitLogError | undefined {
    if (this.#failure !== undefined) return this.#failure;
    return this.#isClosed ? new CommitLogError("closed", "commit log is closed") : undefined;
  }

  /** Starts what waits, unless something is under way. */
  #next(): void {
    if (this.#running !== undefined || (this.#checkpoint ?? this.#waiting) === undefined) return;
    // Taken at once: what runs now may call back, and be asked for more.
    this.#running = Promise.resolve();
    const run = this.#checkpoint !== undefined ? this.#runCheckpoint() : this.#runCommit();
    this.#running = run.then(() => {
      this.#running = undefined;
      this.#next();
    });
  }

  async #runCommit(): Promise<void> {
    const waiting = this.#waiting!;
    this.#waiting = undefined;
    this.#committing = waiting.promise;
    const frames = this.#gathering.take();
    const begun = this.#clock.monotonicMillis();
    try {
      if (this.#gathering.isOver) throw this.#tooMuch();
      await this.#writer.write(frames);
      if (this.#pool.failure !== undefined) throw this.#pool.failure;
      for (const frame of frames) this.#gathering.reuse(frame);
      waiting.resolve();
    } catch (error) {
      this.#gathering.dropAll(frames, this.#writer.end);
      waiting.reject(error);
      this.#fail(error);
      if (this.#failure === undefined) this.#tellRefused(error instanceof Error ? error : new Error(String(error)));
    }
    this.#committing = undefined;
    const millis = this.#clock.monotonicMillis() - begun;
    if (millis > SLOW_COMMIT_MILLIS) {
      this.#logger.warn(`Commit log: the disk took ${(millis / 1000).toFixed(1)}s for a commit`);
    }
  }

  async #runCheckpoint(): Promise<void> {
    const { position, waiting } = this.#checkpoint!;
    this.#checkpoint = undefined;
    try {
      if (position > this.#writer.lowWater) await this.#writer.mark(position);
      waiting.resolve();
    } catch (error) {
      waiting.reject(error);
      if (error instanceof CommitLogError) this.#fail(error);
    }
  }

  /** What is waiting fails alike; a failed sync is final. */
  #fail(error: unknown): void {
    if (error instanceof CommitLogError && error.code === "sync_failed") {
      this.#failure ??= error;
      this.#checkpoint?.waiting.reject(error);
      this.#checkpoint = undefined;
    }
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  /** Files that cannot be cut back are not what the log takes them for: that is the end too. */
  #tellRefused(error: Error): void {
    try {
      this.#onRefused(error);
    } catch (cause) {
      const text = errorText(cause);
      this.#fail(new CommitLogError("sync_failed", `commit log: files could not be cut back: ${text}`, { cause }));
    }
  }

  #tooMuch(): CommitLogError {
    const text = `commit log: more than ${this.#gathering.bytesMax} bytes, or too many parts, wait for a commit`;
    return new CommitLogError("batch_too_large", text);
  }
}

/** The only way to make a {@link CheckpointPosition}. */
function checkpointPosition(address: number): CheckpointPosition {
  return address as CheckpointPosition;
}
