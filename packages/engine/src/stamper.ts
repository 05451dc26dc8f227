import type { Clock, Timestamp } from "@nats-streaming/kernel";
import type { Channel } from "./channel.ts";
import type { CommitQueue } from "./commit.ts";

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
  let turn = -1;
  return (channel) => {
    if (turn !== commit.turn) {
      clock.read(stamp);
      turn = commit.turn;
    } else if (++stamp.nanos === 1_000_000) {
      stamp.nanos = 0;
      stamp.millis++;
    }
    if (stamp.millis < channel.lastMillis || (stamp.millis === channel.lastMillis && stamp.nanos < channel.lastNanos)) {
      stamp.millis = channel.lastMillis;
      stamp.nanos = channel.lastNanos;
    }
    channel.lastMillis = stamp.millis;
    channel.lastNanos = stamp.nanos;
    return stamp;
  };
}
