import { describe, expect, it } from "vitest";
import { sortInSteps } from "./sort-in-steps.ts";

/** Runs to the end; tells the most comparisons of one step. */
function sort(items: readonly number[]): { readonly sorted: readonly number[]; readonly most: number } {
  let comparisons = 0;
  let most = 0;
  const steps = sortInSteps(items, (a, b) => {
    comparisons++;
    return a - b;
  });
  for (;;) {
    comparisons = 0;
    const step = steps.next();
    most = Math.max(most, comparisons);
    if (step.done === true) return { sorted: step.value, most };
  }
}

describe("sortInSteps()", () => {
  it.each([0, 1, 2, 511, 512, 513, 1_025, 5_000])("puts %i items in order", (count) => {
    const items = Array.from({ length: count }, (_, i) => (i * 7_919) % 1_009);
    expect(sort(items).sorted).toEqual(items.toSorted((a, b) => a - b));
  });

  it("gives back what is in order already, as it is", () => {
    const items = Array.from({ length: 2_000 }, (_, i) => i >> 1);
    expect(sort(items).sorted).toBe(items);
  });

  it("never compares more than a few thousand times in one step, however long the list", () => {
    for (const count of [2_000, 40_000]) {
      expect(sort(Array.from({ length: count }, (_, i) => -i)).most).toBeLessThanOrEqual(5_120);
      expect(sort(Array.from({ length: count }, (_, i) => i)).most).toBeLessThanOrEqual(512);
    }
  });
});
