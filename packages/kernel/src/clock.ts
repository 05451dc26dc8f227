import { type TimestampNanos, timestampNanos } from "./scalars.ts";

/**
 * A point of wall-clock time as two numbers, so that the hot path needs no bigint.
 * Reused: {@link Clock.read} overwrites it.
 */
export interface Timestamp {
  /** Whole milliseconds since 1970. */
  millis: number;
  /** Nanoseconds within that millisecond, 0 to 999,999. */
  nanos: number;
}

/** A timer that was set; `cancel` after it fired, or twice, does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time as the packages see it. Tests drive a `FakeClock` instead (`@nats-streaming/kernel/testing`). */
export interface Clock {
  /** Writes the present wall-clock time into `out`. May go backwards when the system clock is set. */
  read(out: Timestamp): void;
  /** Milliseconds of a clock that never goes back and has no relation to the calendar; for deadlines. Has a fraction. */
  monotonicMillis(): number;
  /** Calls back once, not before `delayMillis` have passed. Delays below 0 count as 0; any length is allowed. */
  setTimer(delayMillis: number, callback: () => void): Timer;
  /**
   * Calls back once at the end of the present turn of the event loop: after everything that was read from sockets in
   * this turn has been handled, before anything else is waited for. Calls are made in order.
   */
  defer(callback: () => void): void;
}

/** `timestamp` as one number of nanoseconds since 1970. */
export function toNanos(timestamp: Timestamp): TimestampNanos {
  return timestampNanos(BigInt(timestamp.millis) * 1_000_000n + BigInt(timestamp.nanos));
}

/** The present wall-clock time in nanoseconds since 1970. */
export function nowNanos(clock: Clock): TimestampNanos {
  const timestamp: Timestamp = { millis: 0, nanos: 0 };
  clock.read(timestamp);
  return toNanos(timestamp);
}

/** The present wall-clock time in whole milliseconds since 1970. */
export function nowMillis(clock: Clock): number {
  const timestamp: Timestamp = { millis: 0, nanos: 0 };
  clock.read(timestamp);
  return timestamp.millis;
}

/** Settles in the next turn of the event loop, after everything that has come in meanwhile. */
export function nextTurn(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.defer(resolve));
}

/** Longest delay that one `setTimeout` takes; longer ones are made of several. */
const TIMEOUT_MILLIS_MAX = 2_147_483_647;

/** How far the high-resolution reading may drift from the system's calendar before it follows it again. */
const DRIFT_MILLIS_MAX = 2;

/** The machine's own clock. */
export function systemClock(): Clock {
  let anchorWall = Date.now();
  let anchorMonotonic = performance.now();

  return {
    read(out: Timestamp): void {
      const wall = Date.now();
      const monotonic = performance.now();
      let estimate = anchorWall + (monotonic - anchorMonotonic);
      if (estimate - wall > DRIFT_MILLIS_MAX || wall - estimate > DRIFT_MILLIS_MAX) {
        anchorWall = wall;
        anchorMonotonic = monotonic;
        estimate = wall;
      }
      const millis = Math.floor(estimate);
      out.millis = millis;
      out.nanos = Math.min(999_999, Math.floor((estimate - millis) * 1_000_000));
    },
    monotonicMillis: () => performance.now(),
    setTimer(delayMillis: number, callback: () => void): Timer {
      let remaining = Math.max(0, delayMillis);
      let handle: NodeJS.Timeout;
      const arm = (): void => {
        const step = Math.min(remaining, TIMEOUT_MILLIS_MAX);
        remaining -= step;
        handle = setTimeout(() => (remaining > 0 ? arm() : callback()), step);
      };
      arm();
      return { cancel: () => clearTimeout(handle) };
    },
    defer(callback: () => void): void {
      setImmediate(callback);
    },
  };
}
