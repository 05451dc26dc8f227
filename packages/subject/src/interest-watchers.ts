/** Told whether there is interest now. Called within the insert or remove that made the difference, after it took effect. */
export type InterestListener = (interested: boolean) => void;

/** Who wants to know when interest in a literal subject, or in a queue group of it, appears or disappears. */
export class InterestWatchers {
  readonly #listeners = new Map<string, InterestListener[]>();

  /** @returns false when this listener watches already. */
  add(subject: string, queue: string, listener: InterestListener): boolean {
    const key = keyOf(subject, queue);
    const present = this.#listeners.get(key);
    if (present === undefined) this.#listeners.set(key, [listener]);
    else if (present.includes(listener)) return false;
    // A new array, since the old one may be in the middle of being called.
    else this.#listeners.set(key, [...present, listener]);
    return true;
  }

  /** @returns whether the listener was watching. */
  remove(subject: string, queue: string, listener: InterestListener): boolean {
    const key = keyOf(subject, queue);
    const present = this.#listeners.get(key);
    if (present?.includes(listener) !== true) return false;
    const left = present.filter((other) => other !== listener);
    if (left.length === 0) this.#listeners.delete(key);
    else this.#listeners.set(key, left);
    return true;
  }

  tell(pattern: string, queue: string, interested: boolean): void {
    if (this.#listeners.size === 0) return;
    for (const listener of this.#listeners.get(keyOf(pattern, queue)) ?? []) listener(interested);
  }
}

/** The length in front makes it unambiguous, whatever characters the two hold. */
function keyOf(subject: string, queue: string): string {
  return `${queue.length} ${queue}${subject}`;
}
