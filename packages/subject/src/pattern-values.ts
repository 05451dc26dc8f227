import { SlotList } from "./slot-list.ts";
import { type Gathering, ValueBag } from "./value-bag.ts";

/** What {@link PatternValues.remove} gives when the value is not there. */
export const NOT_HELD = -0x8000_0000;

/**
 * The values of all patterns of a tree. What one pattern holds is named by a number, its holding: 0 for nothing, n > 0 for
 * the single plain value in slot n, n < 0 for the bag in slot -n. So a pattern with one plain value, the usual case, costs
 * no object. Adding and removing give the new holding, which the caller keeps instead of the old.
 */
export class PatternValues<V> {
  readonly #singles = new SlotList<V>();
  readonly #bags = new SlotList<ValueBag<V>>();

  /** Patterns that hold more than a single plain value. */
  get shared(): number {
    return this.#bags.size;
  }

  /** Whether there is a plain value, or a member of the queue group that is named. */
  holdsAny(holding: number, queue: string): boolean {
    if (holding >= 0) return holding > 0 && queue === "";
    const bag = this.#bags.get(-holding);
    return queue === "" ? bag.plainCount > 0 : bag.hasQueue(queue);
  }

  add(holding: number, value: V, queue: string, weight: number): number {
    if (holding === 0 && queue === "") return this.#singles.add(value);
    let bag: ValueBag<V>;
    let slot = -holding;
    if (holding < 0) bag = this.#bags.get(slot);
    else {
      bag = new ValueBag();
      slot = this.#bags.add(bag);
      if (holding > 0) {
        bag.addPlain(this.#singles.get(holding));
        this.#singles.remove(holding);
      }
    }
    if (queue === "") bag.addPlain(value);
    else bag.addQueue(queue, value, weight);
    return -slot;
  }

  /** Takes out one insertion. @returns the new holding; {@link NOT_HELD} when there is none such. */
  remove(holding: number, value: V, queue: string): number {
    if (holding >= 0) {
      if (holding === 0 || queue !== "" || !isSameValue(this.#singles.get(holding), value)) return NOT_HELD;
      this.#singles.remove(holding);
      return 0;
    }
    const bag = this.#bags.get(-holding);
    const removed = queue === "" ? bag.removePlain(value) : bag.removeQueue(queue, value);
    if (!removed) return NOT_HELD;
    const single = bag.single();
    if (single === undefined && bag.count > 0) return holding;
    this.#bags.remove(-holding);
    return single === undefined ? 0 : this.#singles.add(single.value);
  }

  /** Gives one insertion another weight. @returns whether there was one. */
  setWeight(holding: number, value: V, queue: string, weight: number): boolean {
    return holding < 0 && this.#bags.get(-holding).setWeight(queue, value, weight);
  }

  plainCount(holding: number): number {
    return holding < 0 ? this.#bags.get(-holding).plainCount : Math.min(holding, 1);
  }

  /** Places that the members of queue groups take, by their weights. */
  queueWeight(holding: number): number {
    return holding < 0 ? this.#bags.get(-holding).queueWeight : 0;
  }

  gather(holding: number, into: Gathering<V>): void {
    if (holding > 0) into.values.push(this.#singles.get(holding));
    else this.#bags.get(-holding).gather(into);
  }

  /** Calls `visit` for each insertion: plain ones first (queue "", weight 1), then group by group. */
  visit(holding: number, visit: (value: V, queue: string, weight: number) => void): void {
    if (holding > 0) visit(this.#singles.get(holding), "", 1);
    else this.#bags.get(-holding).visit(visit);
  }

  /** Puts a holding into `other`. @returns its number there. */
  copyTo(other: PatternValues<V>, holding: number): number {
    if (holding > 0) return other.#singles.add(this.#singles.get(holding));
    return -other.#bags.add(this.#bags.get(-holding));
  }
}

/** As a Map tells keys apart. */
function isSameValue(a: unknown, b: unknown): boolean {
  return a === b || Object.is(a, b);
}
