/** Something in memory that is also on disk: given up when memory is short. */
export interface Evictable {
  /** Gives up about `wanted` bytes, the oldest first; less if there is not as much. @returns how many it gave up */
  evict(wanted: number): number;
  /** Bytes that {@link evict} could not give up now, but later. */
  readonly isEmpty: boolean;
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
  /** Least recently used first. */
  const items = new Set<Evictable>();
  return {
    used: 0,
    limit,
    touch(item): void {
      items.delete(item);
      items.add(item);
    },
    forget(item): void {
      items.delete(item);
    },
    trim(bytes): void {
      for (const item of items) {
        const surplus = this.used + bytes - limit;
        if (surplus <= 0) return;
        this.used -= item.evict(surplus);
        if (item.isEmpty) items.delete(item);
      }
    },
  };
}
