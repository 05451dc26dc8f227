/** Something in memory that is also on disk: given up when memory is short. */
export interface Evictable {
  /** Gives up about `wanted` bytes, the oldest first; less if there is not as much. @returns how many it gave up */
  evict(wanted: number): number;
  /** Nothing is left that {@link evict} could give up now, or later. */
  readonly isEmpty: boolean;
  /** The cache's: who was used before it and after it; undefined at first. */
  older: Evictable | undefined;
  newer: Evictable | undefined;
}

/**
 * How much of all messages a store keeps in memory. What is not durable yet is always kept and counted, and is the only
 * thing that can exceed the limit.
 */
export interface MessageCache {
  /** Bytes in memory; whoever adds or drops some says so. */
  used: number;
  readonly limit: number;
  /** `item` was used: it is given up after all others. */
  touch(item: Evictable): void;
  forget(item: Evictable): void;
  /** Makes room for `bytes` more, the least recently used first. */
  trim(bytes: number): void;
}

/** @param limit in bytes */
export function createMessageCache(limit: number): MessageCache {
  return new LinkedCache(limit);
}

/**
 * Its items are links of a list. With many channels that take turns the neighbours of one that is used are at hand, which the
 * places of a hash table are not.
 */
class LinkedCache implements MessageCache {
  used = 0;
  readonly limit: number;
  #oldest: Evictable | undefined;
  #newest: Evictable | undefined;

  constructor(limit: number) {
    this.limit = limit;
  }

  touch(item: Evictable): void {
    if (item === this.#newest) return;
    this.forget(item);
    item.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = item;
    else this.#newest.newer = item;
    this.#newest = item;
  }

  forget(item: Evictable): void {
    const { older, newer } = item;
    if (older !== undefined) older.newer = newer;
    else if (item === this.#oldest) this.#oldest = newer;
    if (newer !== undefined) newer.older = older;
    else if (item === this.#newest) this.#newest = older;
    item.older = item.newer = undefined;
  }

  trim(bytes: number): void {
    for (let item = this.#oldest; item !== undefined; ) {
      const surplus = this.used + bytes - this.limit;
      if (surplus <= 0) return;
      const { newer } = item;
      this.used -= item.evict(surplus);
      if (item.isEmpty) this.forget(item);
      item = newer;
    }
  }
}
