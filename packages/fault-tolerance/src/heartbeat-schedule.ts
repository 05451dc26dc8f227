import { type FaultToleranceTiming, PROMPT_HEARTBEAT_MILLIS } from "./timing.ts";

/** When an active sends its heartbeats. Times are milliseconds on a clock that never goes back. */
export interface HeartbeatSchedule {
  /** When the next one is due. */
  readonly deadline: number;
  /** Whether one is to be sent now; the next is then an interval away. */
  take(now: number): boolean;
  /** One more is wanted, as soon as the last is not too recent. */
  hasten(now: number): void;
  /**
   * Finds out whether the process stood still, and for how long: then the next heartbeat waits for as long as a standby
   * would. Others may have taken the lock over meanwhile, and who hears that somebody is active since long ago gives way;
   * the store has to get its chance to notice first.
   * @returns undefined when all is well
   */
  heldUp(now: number): number | undefined;
  /** Whether the process stood still and that time of waiting is not over, noticed by {@link heldUp} or not. */
  isHeldUp(now: number): boolean;
}

/** The first heartbeat is due at once. */
export function heartbeatSchedule(timing: FaultToleranceTiming, now: number): HeartbeatSchedule {
  let next = now;
  let lastSent = Number.NEGATIVE_INFINITY;
  /** Before, none is sent. */
  let earliest = now;

  return {
    get deadline(): number {
      return next;
    },
    take(at): boolean {
      if (at < next) return false;
      lastSent = at;
      next = at + timing.heartbeatMillis;
      return true;
    },
    hasten(at): void {
      next = Math.min(next, Math.max(at, lastSent + PROMPT_HEARTBEAT_MILLIS, earliest));
    },
    heldUp(at): number | undefined {
      const late = at - next;
      if (late <= timing.missedHeartbeatMillis) return undefined;
      earliest = at + timing.missedHeartbeatMillis;
      next = earliest;
      return late;
    },
    isHeldUp: (at) => at < earliest || at - next > timing.missedHeartbeatMillis,
  };
}
