import type { Clock } from "@nats-streaming/kernel";
import type { ResponsePermission } from "./permissions.ts";

/**
 * Most messages of one connection that may wait for an answer; with more, the oldest can no longer be answered.
 */
const WAITING_MAX = 65_536;

/** The subjects that a connection may answer on, because a message it received named them. */
export class ReplyPermits {
  readonly #permission: Required<ResponsePermission>;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, { readonly since: number; answers: number }>();

  constructor(permission: Required<ResponsePermission>, clock: Clock) {
    this.#permission = permission;
    this.#clock = clock;
  }

  /** A message that asks for an answer on `subject` goes to the connection. */
  note(subject: string): void {
    this.#waiting.delete(subject);
    this.#waiting.set(subject, { since: this.#clock.monotonicMillis(), answers: 0 });
    if (this.#waiting.size <= WAITING_MAX) return;
    const oldest = this.#waiting.keys().next();
    if (oldest.done !== true) this.#waiting.delete(oldest.value);
  }

  /** Whether the connection may answer on `subject` now; if so, it counts as done. */
  use(subject: string): boolean {
    const entry = this.#waiting.get(subject);
    if (entry === undefined) return false;
    entry.answers++;
    const { maxMessages, expiresMillis } = this.#permission;
    const isSpent = maxMessages > 0 && entry.answers > maxMessages;
    const isLate = expiresMillis > 0 && this.#clock.monotonicMillis() - entry.since > expiresMillis;
    if (!isSpent && !isLate) return true;
    this.#waiting.delete(subject);
    return false;
  }
}
