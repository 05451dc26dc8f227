/**
 * Most messages whose size and time are known ahead: what one read brings. 20 bytes each, so at most 80 KiB per channel,
 * and only where limits are in force.
 */
export const WINDOW_MESSAGES = 4096;

const WINDOW_MIN = 16;

/**
 * Sequences, sizes and times of the oldest messages that are in the database only. Limits remove from the front, at once
 * and without waiting: this is what they have to know of it.
 */
export class FrontWindow {
  #sequences: Float64Array = new Float64Array(0);
  #sizes: Uint32Array = new Uint32Array(0);
  #times: BigInt64Array = new BigInt64Array(0);
  #head = 0;
  #end = 0;
  /**
   * Whether the messages behind the window are all in memory. If not, an empty window says nothing about the front.
   */
  isComplete = true;

  get length(): number {
    return this.#end - this.#head;
  }

  /** Of the first message; there is one. */
  get sequence(): number {
    return this.#sequences[this.#head]!;
  }

  get size(): number {
    return this.#sizes[this.#head]!;
  }

  /** Nanoseconds since 1970. */
  get time(): bigint {
    return this.#times[this.#head]!;
  }

  /** Adds the message behind the last one. @returns false when the window is full: from then on it is not complete */
  push(sequence: number, size: number, time: bigint): boolean {
    if (this.length >= WINDOW_MESSAGES) {
      this.isComplete = false;
      return false;
    }
    if (this.#end === this.#sequences.length) this.#makeRoom();
    const at = this.#end++;
    this.#sequences[at] = sequence;
    this.#sizes[at] = size;
    this.#times[at] = time;
    return true;
  }

  shift(): void {
    this.#head++;
    if (this.#head === this.#end) this.#head = this.#end = 0;
  }

  clear(isComplete: boolean): void {
    this.#head = this.#end = 0;
    this.isComplete = isComplete;
  }

  #makeRoom(): void {
    const { length } = this;
    const size = Math.max(WINDOW_MIN, Math.min(2 * WINDOW_MESSAGES, 2 * length));
    const sequences = new Float64Array(size);
    const sizes = new Uint32Array(size);
    const times = new BigInt64Array(size);
    sequences.set(this.#sequences.subarray(this.#head, this.#end));
    sizes.set(this.#sizes.subarray(this.#head, this.#end));
    times.set(this.#times.subarray(this.#head, this.#end));
    this.#sequences = sequences;
    this.#sizes = sizes;
    this.#times = times;
    this.#head = 0;
    this.#end = length;
  }
}
