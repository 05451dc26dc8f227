import type { Random } from "@nats-streaming/kernel";

/** Random bytes that are drawn at a time: 2,048 choices, so that a choice does not cost a call to the system. */
const POOL_BYTES = 4_096;

/** Chooses members of queue groups, each as likely as the others (to one part in 65,536). */
export class MemberPicker {
  readonly #random: Random;
  readonly #pool: Uint8Array = new Uint8Array(POOL_BYTES);
  #next = POOL_BYTES;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A number from 0 up to but not including `count`. */
  pick(count: number): number {
    if (count === 1) return 0;
    if (this.#next >= POOL_BYTES) {
      this.#random.fill(this.#pool);
      this.#next = 0;
    }
    const high = this.#pool[this.#next++]!;
    const low = this.#pool[this.#next++]!;
    return ((high * 256 + low) * count) >>> 16;
  }
}
