import type { Clock, Random, Timer } from "@nats-streaming/kernel";

/** How long after `CONNECT` the first ping goes out, which measures the round trip; earlier with a shorter interval. */
const FIRST_PING_MILLIS = 2_000;

/** By up to this share the first ping is put off at random, so that clients that came together are not pinged together. */
const FIRST_PING_SPREAD = 0.2;

/** The round trip is measured again after so long, even on a busy connection. */
const ROUND_TRIP_KEPT_MILLIS = 3_600_000;

export interface LivenessOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly intervalMillis: number;
  /** Pings that may be unanswered. */
  readonly unansweredMax: number;
  readonly sendPing: () => void;
  readonly onStale: () => void;
}

/**
 * Whether the peer of a connection is still there. A peer that was heard of within the interval is not pinged; one that
 * leaves too many pings unanswered is stale.
 */
export class Liveness {
  /** Round trip in milliseconds; 0 before the first one was measured. */
  roundTripMillis = 0;
  /** When anything was last read, on the monotonic clock. */
  heardAt: number;
  readonly #options: LivenessOptions;
  #timer: Timer | undefined;
  #unanswered = 0;
  #pingedAt = 0;
  #measuredAt = 0;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.heardAt = options.clock.monotonicMillis();
    this.#arm(options.intervalMillis);
  }

  /** The peer has introduced itself. */
  onConnected(): void {
    const { intervalMillis, random } = this.#options;
    this.#arm(Math.min(FIRST_PING_MILLIS, intervalMillis) * (1 + random.next() * FIRST_PING_SPREAD));
  }

  onPong(): void {
    this.#unanswered = 0;
    if (this.#pingedAt === 0) return;
    const now = this.#options.clock.monotonicMillis();
    this.roundTripMillis = Math.max(now - this.#pingedAt, Number.MIN_VALUE);
    this.#measuredAt = now;
    this.#pingedAt = 0;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(delayMillis: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(delayMillis, () => this.#fire());
  }

  #fire(): void {
    const { clock, intervalMillis, unansweredMax, sendPing, onStale } = this.#options;
    const now = clock.monotonicMillis();
    const isDue = this.roundTripMillis === 0 || now - this.#measuredAt > ROUND_TRIP_KEPT_MILLIS;
    if (isDue || now - this.heardAt >= intervalMillis) {
      if (this.#unanswered + 1 > unansweredMax) {
        this.stop();
        onStale();
        return;
      }
      this.#unanswered++;
      this.#pingedAt = now;
      sendPing();
    }
    this.#arm(intervalMillis);
  }
}
