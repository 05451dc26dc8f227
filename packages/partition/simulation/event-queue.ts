/** What will happen, by time; what happens at one instant happens in the order in which it was put in. */
export interface EventQueue {
  readonly now: number;
  at(time: number, event: () => void): void;
  /** Runs everything up to `time`. */
  runUntil(time: number): void;
}

interface Entry {
  readonly time: number;
  readonly order: number;
  readonly event: () => void;
}

export function createEventQueue(): EventQueue {
  // A heap of four branches, so that a million entries are ten levels: entry i comes before 4i + 1 to 4i + 4.
  const heap: Entry[] = [];
  let now = 0;
  let order = 0;

  const before = (a: Entry, b: Entry): boolean => a.time < b.time || (a.time === b.time && a.order < b.order);

  const put = (entry: Entry): void => {
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const above = (i - 1) >> 2;
      const parent = heap[above]!;
      if (!before(entry, parent)) break;
      heap[i] = parent;
      i = above;
    }
    heap[i] = entry;
  };

  const take = (): Entry => {
    const first = heap[0]!;
    const last = heap.pop()!;
    const count = heap.length;
    if (count === 0) return first;
    let i = 0;
    for (;;) {
      const start = 4 * i + 1;
      if (start >= count) break;
      let least = start;
      for (let child = start + 1; child < start + 4 && child < count; child++) {
        if (before(heap[child]!, heap[least]!)) least = child;
      }
      if (!before(heap[least]!, last)) break;
      heap[i] = heap[least]!;
      i = least;
    }
    heap[i] = last;
    return first;
  };

  return {
    get now(): number {
      return now;
    },
    at(time, event): void {
      put({ time: Math.max(time, now), order: order++, event });
    },
    runUntil(time): void {
      while (heap.length > 0 && heap[0]!.time <= time) {
        const entry = take();
        now = entry.time;
        entry.event();
      }
      now = Math.max(now, time);
    },
  };
}
