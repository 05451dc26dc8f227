import { invariant } from "@nats-streaming/kernel";
import type { LogMark } from "./log-mark.ts";
import type { Slice } from "./slice.ts";

/**
 * The slices of a channel in the order of their numbers.
 *
 * ```text
 *   all      | emptied by limits | head: has the first message | … | tail: is written to |
 *   on disk until what emptied them is durable
 * ```
 *
 * The tail is never emptied away: a log without messages keeps its last slice.
 */
export class SliceList {
  #all: Slice[];
  #head = 0;
  /** The last of them, and whether it is the only one: of a list that is seldom at hand each look behind costs. */
  #tail: Slice | undefined;
  #isSingle = false;

  constructor(slices: Slice[]) {
    this.#all = slices;
    this.#changed();
  }

  #changed(): void {
    this.#tail = this.#all.at(-1);
    this.#isSingle = this.#all.length === 1;
  }

  get tail(): Slice | undefined {
    return this.#tail;
  }

  /** The last slice, if there is no other. */
  get single(): Slice | undefined {
    return this.#isSingle ? this.#tail : undefined;
  }

  get length(): number {
    return this.#all.length;
  }

  /** The slice with the first message; only when there is a slice. */
  get head(): Slice {
    return this.#all[this.#head]!;
  }

  at(index: number): Slice {
    return this.#all[index]!;
  }

  /** Index of the first slice that has something to seal; those behind it have, too. */
  unsealedFrom(): number {
    let from = this.#all.length;
    while (from > 0 && this.#all[from - 1]!.hasUnsealed) from--;
    return from;
  }

  /** Index of the first slice that may have something to write. */
  unwrittenFrom(): number {
    let from = this.#all.length;
    while (from > 0 && this.#all[from - 1]!.unwritten > 0) from--;
    return from;
  }

  get isHeadTail(): boolean {
    return this.#head === this.#all.length - 1;
  }

  add(slice: Slice): void {
    this.#all.push(slice);
    this.#changed();
    while (!this.isHeadTail && this.head.removed === this.head.count) this.#head++;
  }

  /** The head has lost its last message: the next slice becomes head, if there is one. @returns whether there was */
  advance(): boolean {
    if (this.isHeadTail) return false;
    this.#head++;
    return true;
  }

  /** The slices that have messages, in order. */
  *live(): Generator<Slice, void, undefined> {
    for (let i = this.#head; i < this.#all.length; i++) yield this.#all[i]!;
  }

  /** The first slice whose last sequence is not below that one. */
  find(sequence: number): Slice | undefined {
    const { tail } = this;
    if (tail !== undefined && sequence >= tail.first) return sequence <= tail.last ? tail : undefined;
    let low = this.#head;
    let high = this.#all.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#all[middle]!.last >= sequence) high = middle;
      else low = middle + 1;
    }
    return this.#all[low];
  }

  /** Takes away the slices that had no message at the time of `mark`, and are written; brings the mark up to date. */
  takeEmptied(mark: LogMark): Slice[] {
    let count = 0;
    while (count < mark.head && this.#all[count]!.unwritten === 0) count++;
    const emptied = this.#all.splice(0, count);
    this.#changed();
    this.#head -= count;
    mark.slices -= count;
    mark.head -= count;
    return emptied;
  }

  /** Takes away all slices. */
  takeAll(): Slice[] {
    const all = this.#all;
    this.#all = [];
    this.#changed();
    this.#head = 0;
    return all;
  }

  save(mark: LogMark): void {
    mark.head = this.#head;
    if (this.#isSingle) {
      mark.slices = 1;
      mark.headRemoved = this.#tail!.removed;
    } else {
      mark.slices = this.#all.length;
      mark.headRemoved = this.#all.length === 0 ? 0 : this.head.removed;
    }
    this.#tail?.saveEnd(mark);
  }

  /** @returns slices that did not exist then */
  restore(mark: LogMark): Slice[] {
    invariant(mark.slices <= this.#all.length, "a slice of a durable state is gone");
    const added = this.#all.splice(mark.slices);
    this.#changed();
    for (let i = mark.head; i < this.#all.length; i++) this.#all[i]!.removed = 0;
    this.#head = mark.head;
    const { tail } = this;
    if (tail !== undefined) {
      tail.restoreEnd(mark);
      this.head.removed = mark.headRemoved;
    }
    return added;
  }
}
