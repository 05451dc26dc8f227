import type { Clock, Timer, Timestamp } from "../clock.ts";

interface Armed {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until a test moves it. Wall clock and monotonic clock run together, except where
 * {@link setWall} parts them.
 */
export class FakeClock implements Clock {
  #monotonic = 0;
  #wallOffset: number;
  #order = 0;
  readonly #timers = new Set<Armed>();
  #deferred: (() => void)[] = [];

  /** @param wallMillis the calendar time at which the test begins; a fraction is kept as nanoseconds. */
  constructor(wallMillis = 1_700_000_000_000) {
    this.#wallOffset = wallMillis;
  }

  read(out: Timestamp): void {
    const millis = Math.floor(this.#wallOffset + this.#monotonic);
    out.millis = millis;
    out.nanos = Math.round((this.#wallOffset + this.#monotonic - millis) * 1_000) * 1_000;
  }

  monotonicMillis(): number {
    return this.#monotonic;
  }

  setTimer(delayMillis: number, callback: () => void): Timer {
    const armed: Armed = { due: this.#monotonic + Math.max(0, delayMillis), order: this.#order++, callback };
    this.#timers.add(armed);
    return { cancel: () => this.#timers.delete(armed) };
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** How many timers are armed. */
  get timerCount(): number {
    return this.#timers.size;
  }

  /** Sets the calendar without letting any time pass. */
  setWall(wallMillis: number): void {
    this.#wallOffset = wallMillis - this.#monotonic;
  }

  /** Ends the present turn: runs what was deferred, and what that defers in its turn. */
  runDeferred(): void {
    while (this.#deferred.length > 0) {
      const batch = this.#deferred;
      this.#deferred = [];
      for (const callback of batch) callback();
    }
  }

  /** Lets promises settle and turns end until nothing is left to do at the present instant. */
  async settle(): Promise<void> {
    do {
      this.runDeferred();
      // A macrotask of the real loop: every chain of microtasks that is ready has run when it fires.
      await new Promise<void>((resolve) => setImmediate(resolve));
    } while (this.#deferred.length > 0);
  }

  /** Moves time forward; timers fire in the order in which they are due, each followed by the end of its turn. */
  advance(millis: number): void {
    const target = this.#monotonic + millis;
    this.runDeferred();
    for (let next = this.#next(target); next !== undefined; next = this.#next(target)) {
      this.#fire(next);
      this.runDeferred();
    }
    this.#monotonic = target;
  }

  /** As {@link advance}, letting promises settle around every timer. */
  async advanceAsync(millis: number): Promise<void> {
    const target = this.#monotonic + millis;
    await this.settle();
    for (let next = this.#next(target); next !== undefined; next = this.#next(target)) {
      this.#fire(next);
      await this.settle();
    }
    this.#monotonic = target;
  }

  #fire(armed: Armed): void {
    this.#timers.delete(armed);
    this.#monotonic = Math.max(this.#monotonic, armed.due);
    armed.callback();
  }

  #next(until: number): Armed | undefined {
    let first: Armed | undefined;
    for (const armed of this.#timers) {
      if (armed.due > until) continue;
      if (first === undefined || armed.due < first.due || (armed.due === first.due && armed.order < first.order)) {
        first = armed;
      }
    }
    return first;
  }
}
