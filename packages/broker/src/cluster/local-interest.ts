import { encodeInterestGained, encodeInterestLost } from "@nats-streaming/protocol/nats";
import type { Subscription } from "../subscription.ts";

interface Interest {
  readonly subject: string;
  readonly queue: string;
  count: number;
}

/**
 * What this server listens to on behalf of its clients and local buses, as other servers are told: each subject once, and
 * each queue group with the number of its members.
 */
export class LocalInterest {
  readonly #interests = new Map<string, Interest>();
  readonly #announce: (line: Uint8Array) => void;

  /** @param announce told of every change, as the line that goes to the other servers. */
  constructor(announce: (line: Uint8Array) => void) {
    this.#announce = announce;
  }

  /** Different subjects and queue groups. */
  get count(): number {
    return this.#interests.size;
  }

  /** A subscription has begun (1) or ended (-1). */
  change({ subject, queue }: Subscription, by: 1 | -1): void {
    const key = interestKey(subject, queue);
    let interest = this.#interests.get(key);
    if (interest === undefined) {
      interest = { subject, queue, count: 0 };
      this.#interests.set(key, interest);
    }
    interest.count += by;
    if (interest.count === 0) {
      this.#interests.delete(key);
      this.#announce(encodeInterestLost(subject, queue));
    } else if (queue !== "" || (by === 1 && interest.count === 1)) {
      this.#announce(encodeInterestGained(subject, queue, interest.count));
    }
  }

  /** Everything there is, line by line, for a server that has just joined. */
  *lines(): Iterable<Uint8Array> {
    for (const { subject, queue, count } of this.#interests.values()) yield encodeInterestGained(subject, queue, count);
  }
}

/** No subject holds a blank. */
export function interestKey(subject: string, queue: string): string {
  return queue === "" ? subject : `${subject} ${queue}`;
}
