/** Things kept under small positive numbers, which are given out again after {@link remove}. */
export class SlotList<T> {
  // Place 0 is never given out; it also keeps a list of numbers from becoming a different kind of array.
  readonly #items: (T | undefined)[] = [undefined];
  readonly #free: number[] = [];

  /** Numbers in use. */
  get size(): number {
    return this.#items.length - 1 - this.#free.length;
  }

  add(item: T): number {
    const freed = this.#free.pop();
    if (freed !== undefined) {
      this.#items[freed] = item;
      return freed;
    }
    return this.#items.push(item) - 1;
  }

  /** The thing under a number that is in use. */
  get(slot: number): T {
    return this.#items[slot]!;
  }

  remove(slot: number): void {
    this.#items[slot] = undefined;
    this.#free.push(slot);
  }
}
