import type { Clock, Timestamp } from "@nats-streaming/kernel";
import type { Channel } from "./channel.ts";
import type { CommitQueue } from "./commit.ts";

const MILLIS_PER_SECOND = 1_000;
const NANOS_PER_MILLI = 1_000_000;
const NANOS_PER_SECOND = 1_000_000_000;

/**
 * Gives the next message of a channel its timestamp. The clock is read once a turn, further messages of the turn follow a
 * nanosecond apart, and a channel's timestamps never decrease.
 * @returns an object that the next call overwrites.
 * @see delivery.md 2.4
 */
export type Stamper = (channel: Channel) => Timestamp;

export function createStamper(options: { readonly clock: Clock; readonly commit: CommitQueue }): Stamper {
  const { clock, commit } = options;
  const stamp: Timestamp = { millis: 0, nanos: 0 };
  // The same time, as channels keep theirs.
  let seconds = 0;
  let nanos = 0;
  let turn = -1;
  return (channel) => {
    if (turn !== commit.turn) {
      clock.read(stamp);
      seconds = Math.floor(stamp.millis / MILLIS_PER_SECOND);
      nanos = (stamp.millis - seconds * MILLIS_PER_SECOND) * NANOS_PER_MILLI + stamp.nanos;
      turn = commit.turn;
    } else {
      if (++stamp.nanos === NANOS_PER_MILLI) {
        stamp.nanos = 0;
        stamp.millis++;
      }
      if (++nanos === NANOS_PER_SECOND) {
        nanos = 0;
        seconds++;
      }
    }
    if (seconds < channel.lastSeconds || (seconds === channel.lastSeconds && nanos < channel.lastNanos)) {
      seconds = channel.lastSeconds;
      nanos = channel.lastNanos;
      const millis = Math.floor(nanos / NANOS_PER_MILLI);
      stamp.millis = seconds * MILLIS_PER_SECOND + millis;
      stamp.nanos = nanos - millis * NANOS_PER_MILLI;
    }
    channel.lastSeconds = seconds;
    channel.lastNanos = nanos;
    return stamp;
  };
}
