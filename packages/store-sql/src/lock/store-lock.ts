import { type Clock, errorText, type Logger, type Timer } from "@nats-streaming/kernel";
import { type LockOutcome, StoreError } from "@nats-streaming/store";
import { type Database, DatabaseError, type Session } from "../database.ts";
import { lockLost } from "../server-database.ts";
import { numberOf, textOf } from "../sql-values.ts";

/** The owner shows that it is alive this often. @see sql-store.md 9 */
const HEARTBEAT_MILLIS = 1000;
/** A heartbeat that takes longer has failed, though its answer is still waited for. */
const HEARTBEAT_PATIENCE_MILLIS = 1250;
/** Heartbeats that may fail in a row: the server stops at the last of them. */
const FAILURES_MAX = 3;
/** How often, and how far apart, somebody looks whether the owner is alive before he takes the lock. */
const LOOKS = 3;
const LOOK_MILLIS = 1500;

export interface StoreLockOptions {
  readonly database: () => Database;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 22 characters, new for every store. */
  readonly owner: string;
  /** Runs `work` while no batch is written. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
  /** When a batch, which is as good as a heartbeat, was last written, on the monotonic clock. */
  readonly confirmedAt: () => number;
  /** Whether a batch waits for a database that does not answer. */
  readonly isDown: () => boolean;
  /** The lock is lost: called once, the server has to stop. */
  readonly onLost: (error: StoreError) => void;
}

/**
 * The row of StoreLock: its owner, and a counter which shows that the owner is alive. Every transaction that writes checks
 * it, too: a server that was stopped for a while and lost the lock meanwhile writes nothing when it goes on. Owner IDs are
 * never used twice, so that the ID is all there is to check.
 * @see sql-store.md 9
 */
export interface StoreLock {
  /**
   * Owner ID, once the lock was taken: every transaction that writes has to find it in the lock row, also after the lock
   * was lost. Empty before.
   */
  readonly guard: string;
  /** @throws (rejects) StoreError `lock_failed` */
  acquire(): Promise<LockOutcome>;
  /** Gives the lock to whoever comes. Idempotent; never rejects. */
  release(): Promise<void>;
}

export function createStoreLock(options: StoreLockOptions): StoreLock {
  return new RowLock(options);
}

interface Held {
  readonly kind: "held";
  readonly id: string;
  readonly tick: number;
}

type Attempt = { readonly kind: "taken" } | Held;

class RowLock implements StoreLock {
  readonly #options: StoreLockOptions;
  #isHeld = false;
  #wasTaken = false;
  #isReleased = false;
  #timer: Timer | undefined;
  #failures = 0;
  #isBeating = false;
  #acquiring: Promise<LockOutcome> | undefined;
  #wake: (() => void) | undefined;

  constructor(options: StoreLockOptions) {
    this.#options = options;
  }

  get guard(): string {
    return this.#wasTaken ? this.#options.owner : "";
  }

  acquire(): Promise<LockOutcome> {
    if (this.#isReleased) return Promise.resolve({ kind: "busy" });
    if (this.#isHeld) return Promise.resolve({ kind: "acquired" });
    this.#acquiring ??= this.#acquire()
      .catch((error: unknown) => {
        if (!(error instanceof DatabaseError)) throw error;
        throw new StoreError("lock_failed", error.message, { cause: error });
      })
      .finally(() => {
        this.#acquiring = undefined;
      });
    return this.#acquiring;
  }

  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#timer?.cancel();
    this.#wake?.();
    // An attempt that is under way may still get the lock: then it is given back here.
    await this.#acquiring?.catch(() => {});
    if (!this.#isHeld) return;
    this.#isHeld = false;
    try {
      await this.#options.database().transaction((session) => session.run("releaseLock", [this.#options.owner]));
    } catch (error) {
      this.#options.logger.warn(`Unable to release the store lock: ${errorText(error)}`);
    }
  }

  // --- taking ---

  async #acquire(): Promise<LockOutcome> {
    const attempt = await this.#attempts();
    if (attempt.kind === "held") return { kind: "busy", holder: attempt.id };
    this.#isHeld = this.#wasTaken = true;
    this.#failures = 0;
    if (this.#isReleased) return { kind: "busy" };
    this.#schedule();
    return { kind: "acquired" };
  }

  async #attempts(): Promise<Attempt> {
    const seen = await this.#try(undefined);
    if (seen.kind === "taken") return seen;
    for (let look = 0; look < LOOKS; look++) {
      await this.#pause(LOOK_MILLIS);
      if (this.#isReleased) return seen;
      const attempt = await this.#try(undefined);
      if (attempt.kind === "taken" || attempt.id !== seen.id || attempt.tick !== seen.tick) return attempt;
    }
    // The owner has not moved for three looks: it is gone, unless it moves before the lock is taken.
    return this.#isReleased ? seen : this.#try(seen);
  }

  /** @param gone the owner that the lock is taken from, in the state in which it was last seen */
  #try(gone: Held | undefined): Promise<Attempt> {
    return this.#options.database().transaction((session) => this.#attempt(session, gone));
  }

  async #attempt(session: Session, gone: Held | undefined): Promise<Attempt> {
    const { owner } = this.#options;
    await session.run("lockTable", []);
    const [row] = await session.query("selectLock", []);
    if (row === undefined) {
      await session.run("insertLock", [owner, 1]);
      return { kind: "taken" };
    }
    const id = textOf(row[0]);
    const tick = numberOf(row[1]);
    const isSteal = gone !== undefined && gone.id === id && gone.tick === tick;
    if (!isSteal && id !== "" && id !== owner) return { kind: "held", id, tick };
    await session.run("updateLock", [owner, isSteal ? 1 : tick + 1]);
    return { kind: "taken" };
  }

  /** Is over at once when the lock is given up. */
  #pause(millis: number): Promise<void> {
    if (this.#isReleased) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(millis, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  // --- keeping ---

  #schedule(): void {
    if (this.#isReleased) return;
    this.#timer = this.#options.clock.setTimer(HEARTBEAT_MILLIS, () => {
      this.#beat();
      if (this.#isHeld) this.#schedule();
    });
  }

  #beat(): void {
    const { clock, confirmedAt, isDown, exclusively, database, owner } = this.#options;
    if (this.#isBeating) return;
    if (clock.monotonicMillis() - confirmedAt() < HEARTBEAT_MILLIS / 2) {
      this.#failures = 0;
      return;
    }
    if (isDown()) {
      this.#failed("the database does not answer");
      return;
    }
    this.#isBeating = true;
    const work = async (): Promise<void> => {
      let isLate = false;
      // Only once it is under way: before that, a batch is written, which keeps the lock as well.
      const patience = clock.setTimer(HEARTBEAT_PATIENCE_MILLIS, () => {
        isLate = true;
        this.#failed(`no answer within ${HEARTBEAT_PATIENCE_MILLIS} ms`);
      });
      try {
        const matched = await database().transaction((session) => session.run("guardLock", [owner]));
        if (matched === 0 && this.#isHeld && !this.#isReleased) throw lockLost();
        if (matched > 0) this.#failures = 0;
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        if (error.code === "lock_lost") this.#lost();
        else if (!isLate) this.#failed(error.message);
      } finally {
        patience.cancel();
        this.#isBeating = false;
      }
    };
    exclusively(work).catch(() => {
      this.#isBeating = false;
    });
  }

  #failed(text: string): void {
    if (!this.#isHeld || this.#isReleased) return;
    this.#failures++;
    this.#options.logger.error(`Unable to update store lock (failed=${this.#failures} err=${text})`);
    if (this.#failures >= FAILURES_MAX) this.#lost();
  }

  #lost(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#timer?.cancel();
    const error = lockLost();
    this.#options.onLost(new StoreError("sync_failed", error.message, { cause: error }));
  }
}
