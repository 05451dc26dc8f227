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
  // A binary heap: entry i comes before entries 2i + 1 and 2i + 2.
  const heap: Entry[] = [];
  let now = 0;
  let order = 0;

  const before = (a: Entry, b: Entry): boolean => a.time < b.time || (a.time === b.time && a.order < b.order);
  const swap = (i: number, j: number): void => {
    [heap[i], heap[j]] = [heap[j]!, heap[i]!];
  };
  const take = (): Entry => {
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let i = 0; ; ) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < heap.length && before(heap[child]!, heap[least]!)) least = child;
      }
      if (least === i) return first;
      swap(i, least);
      i = least;
    }
  };

  return {
    get now(): number {
      return now;
    },
    at(time, event): void {
      heap.push({ time: Math.max(time, now), order: order++, event });
      for (let i = heap.length - 1; i > 0; ) {
        const parent = (i - 1) >> 1;
        if (!before(heap[i]!, heap[parent]!)) break;
        swap(i, parent);
        i = parent;
      }
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
