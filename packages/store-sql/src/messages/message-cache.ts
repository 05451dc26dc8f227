/** Something in memory that the database also has: given up when memory is short. */
export interface Evictable {
  /** Gives up about `wanted` bytes, the oldest first; less if there is not as much. @returns how many it gave up */
  evict(wanted: number): number;
  /** Whether nothing is left that {@link evict} could ever give up. */
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
  /** Gives up what is beyond the limit, the least recently used first. */
  trim(): void;
  /** Does so at the end of the present turn: what was just read for somebody has to be there until he has looked. */
  trimLater(): void;
}

/** @param limit in bytes @param defer calls back at the end of the turn */
export function createMessageCache(limit: number, defer: (work: () => void) => void): MessageCache {
  /** Least recently used first. */
  const items = new Set<Evictable>();
  let isDeferred = false;
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
    trim(): void {
      for (const item of items) {
        const surplus = this.used - limit;
        if (surplus <= 0) return;
        this.used -= item.evict(surplus);
        if (item.isEmpty) items.delete(item);
      }
    },
    trimLater(): void {
      if (isDeferred) return;
      isDeferred = true;
      defer(() => {
        isDeferred = false;
        this.trim();
      });
    },
  };
}
