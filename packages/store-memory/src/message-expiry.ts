import { type Clock, type DurationNanos, invariant, type Timer, type Timestamp } from "@nats-streaming/kernel";
import { readMsgProtoTime } from "@nats-streaming/protocol/stan";
import type { ByteRange, MessageArena } from "@nats-streaming/store";

/** Removes messages when they have reached max_age: one timer per log, set for its first message. */
export interface MessageExpiry {
  /** To be called after a message came in: sets the timer if none is set. */
  watch(): void;
  /** Takes the timer away: the log has become empty, or will not be used again. */
  stop(): void;
}

/** For logs without max_age. */
export const noExpiry: MessageExpiry = { watch: () => {}, stop: () => {} };

/** Most messages removed in one turn, a few milliseconds' worth: a million that expire at once must not stop the server. */
const REMOVALS_PER_TURN_MAX = 20_000;

const NANOS_PER_MILLI = 1_000_000;

export interface MessageExpiryOptions {
  readonly arena: MessageArena;
  readonly clock: Clock;
  /** Above 0. */
  readonly maxAge: DurationNanos;
}

export function createMessageExpiry(options: MessageExpiryOptions): MessageExpiry {
  return new TimedExpiry(options);
}

class TimedExpiry implements MessageExpiry {
  readonly #arena: MessageArena;
  readonly #clock: Clock;
  /** max_age in two numbers, so that no message costs a bigint. */
  readonly #ageMillis: number;
  readonly #ageNanos: number;
  readonly #now: Timestamp = { millis: 0, nanos: 0 };
  readonly #stored: Timestamp = { millis: 0, nanos: 0 };
  readonly #first: ByteRange = { bytes: new Uint8Array(0), start: 0, end: 0 };
  #timer: Timer | undefined;

  constructor(options: MessageExpiryOptions) {
    invariant(options.maxAge > 0n, "expiry without max_age");
    this.#arena = options.arena;
    this.#clock = options.clock;
    this.#ageMillis = Number(options.maxAge / BigInt(NANOS_PER_MILLI));
    this.#ageNanos = Number(options.maxAge % BigInt(NANOS_PER_MILLI));
  }

  watch(): void {
    if (this.#timer !== undefined) return;
    this.#clock.read(this.#now);
    // Whole milliseconds, rounded up: a timer never fires before its message is due.
    this.#setTimer(Math.max(0, Math.ceil(this.#millisLeft())));
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /**
   * From the front only: a message with a later timestamp shields those behind it. The message that the timer was set for
   * may be gone already, removed by another limit.
   */
  #expire(): void {
    this.#timer = undefined;
    this.#clock.read(this.#now);
    for (let removed = 0; this.#arena.count > 0; removed++) {
      const left = this.#millisLeft();
      if (left > 0) {
        this.#setTimer(Math.ceil(left));
        return;
      }
      if (removed === REMOVALS_PER_TURN_MAX) {
        this.#setTimer(0);
        return;
      }
      this.#arena.removeFirst();
    }
  }

  #setTimer(delayMillis: number): void {
    this.#timer = this.#clock.setTimer(delayMillis, () => this.#expire());
  }

  /** From `#now` until the first message is due; not above 0 when it is. */
  #millisLeft(): number {
    const first = this.#first;
    this.#arena.locate(this.#arena.firstSequence, first);
    readMsgProtoTime(first.bytes, first.start, first.end, this.#stored);
    const millis = this.#stored.millis + this.#ageMillis - this.#now.millis;
    return millis + (this.#stored.nanos + this.#ageNanos - this.#now.nanos) / NANOS_PER_MILLI;
  }
}
