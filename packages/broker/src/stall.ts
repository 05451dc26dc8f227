import { FAR_BEHIND } from "./outgoing.ts";

/** How long a publisher waits for a receiver that is far behind: at least, and at most with the receiver's bound reached. */
const STALL_MILLIS_MIN = 100;
const STALL_MILLIS_MAX = 1_000;

/** The wait for a receiver whose pending data is this share of its bound, in whole milliseconds. */
export function stallMillis(fullness: number): number {
  const share = Math.min(1, Math.max(0, (fullness - FAR_BEHIND) / (1 - FAR_BEHIND)));
  return Math.round(STALL_MILLIS_MIN + share * (STALL_MILLIS_MAX - STALL_MILLIS_MIN));
}
