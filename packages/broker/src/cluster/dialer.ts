import type { Clock, Random, Timer } from "@nats-streaming/kernel";
import type { Cancellable } from "../transport.ts";
import { hostPort, type RouteUrl } from "./route-url.ts";

/** Waits between attempts: the first, doubled with each failure, and the longest. */
const WAIT_FIRST_MILLIS = 100;
const WAIT_MAX_MILLIS = 2_000;

/**
 * Each wait is up to so much longer at random: two servers that have both opened a route, and lost both, should not do so
 * at the same moment again.
 */
const WAIT_SPREAD_MILLIS = 100;

export interface DialerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly url: RouteUrl;
  /** Configured, not learnt from another server. */
  readonly isExplicit: boolean;
  /** Failures in a row after which it gives up. */
  readonly attemptsMax: number;
  /** Opens a connection to {@link url}; reports failure by {@link Dialer.failed}. */
  readonly dial: (dialer: Dialer) => Cancellable;
  readonly onFailed: (dialer: Dialer, error: Error) => void;
  readonly onGivenUp: (dialer: Dialer) => void;
}

/**
 * Keeps a route to one address open, from this side.
 *
 *     waiting --time--> dialling --connected--> in use --route lost--> waiting
 *        '<---failed-------'            '-- another route to the same server --> resting --that is lost--> waiting
 */
export class Dialer {
  readonly url: RouteUrl;
  readonly isExplicit: boolean;
  /** Identity of the server found there at last; empty before. */
  remoteId = "";
  /** Failures since the last route that came to be used. */
  attempts = 0;
  readonly #options: DialerOptions;
  #timer: Timer | undefined;
  #dial: Cancellable | undefined;
  #isStopped = false;

  constructor(options: DialerOptions) {
    this.#options = options;
    this.url = options.url;
    this.isExplicit = options.isExplicit;
  }

  /** Without user and password. */
  get address(): string {
    return hostPort(this.url.host, this.url.port);
  }

  /** Dials now. */
  start(): void {
    if (this.#isStopped) return;
    this.rest();
    this.#dial = this.#options.dial(this);
  }

  failed(error: Error): void {
    this.attempts++;
    this.#options.onFailed(this, error);
    this.#wait();
  }

  /** The route was lost, or another one to the same server was. */
  lost(): void {
    this.attempts++;
    this.#wait();
  }

  /** The route has come to be used. */
  succeeded(): void {
    this.attempts = 0;
  }

  /** Waits for {@link lost}: there is a route to the same server. */
  rest(): void {
    this.#timer?.cancel();
    this.#dial?.cancel();
  }

  stop(): void {
    this.rest();
    this.#isStopped = true;
  }

  #wait(): void {
    const { clock, random, attemptsMax, onGivenUp } = this.#options;
    this.rest();
    if (this.#isStopped) return;
    if (this.attempts > attemptsMax) {
      this.stop();
      onGivenUp(this);
      return;
    }
    const wait = Math.min(WAIT_MAX_MILLIS, WAIT_FIRST_MILLIS * 2 ** Math.min(16, this.attempts - 1));
    this.#timer = clock.setTimer(wait + random.next() * WAIT_SPREAD_MILLIS, () => this.start());
  }
}
