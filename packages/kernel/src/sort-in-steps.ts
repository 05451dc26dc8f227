/** Items that are sorted, or compared, in one step: well below a millisecond of work. */
const STEP_ITEMS = 512;

/**
 * Sorts in steps, so that a long list holds up nobody: a step is over at each `yield`. Items that are in order already cost one
 * look each. Equal items keep their order. What is yielded is `undefined`, so that a generator whose items may be that can pass
 * the steps on by `yield*`.
 */
export function* sortInSteps<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
): Generator<undefined, readonly T[]> {
  if (yield* isInOrder(items, compare)) return items;
  if (items.length <= STEP_ITEMS) return items.toSorted(compare);
  let runs: (readonly T[])[] = [];
  for (let at = 0; at < items.length; at += STEP_ITEMS) {
    runs.push(items.slice(at, at + STEP_ITEMS).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: (readonly T[])[] = [];
    for (let i = 0; i < runs.length; i += 2) merged.push(yield* merge(runs[i]!, runs[i + 1] ?? [], compare));
    runs = merged;
  }
  return runs[0] ?? [];
}

function* isInOrder<T>(items: readonly T[], compare: (a: T, b: T) => number): Generator<undefined, boolean> {
  for (let i = 1; i < items.length; i++) {
    if (compare(items[i - 1]!, items[i]!) > 0) return false;
    if (i % STEP_ITEMS === 0) yield;
  }
  return true;
}

function* merge<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
): Generator<undefined, readonly T[]> {
  const merged: T[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const takesLeft = r >= right.length || (l < left.length && compare(left[l]!, right[r]!) <= 0);
    merged.push(takesLeft ? left[l++]! : right[r++]!);
    if (merged.length % STEP_ITEMS === 0) yield;
  }
  return merged;
}
