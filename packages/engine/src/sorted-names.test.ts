import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSortedNames } from "./sorted-names.ts";

describe("createSortedNames()", () => {
  it("holds what sorting would give, whatever comes and goes", () => {
    const name = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom("a", "b", ".", "\u00e4") });
    const step = fc.record({ name, isAdded: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const names = createSortedNames();
        const members = new Set<string>();
        for (const { name: one, isAdded } of steps) {
          if (!isAdded) names.delete(one);
          else if (!members.has(one)) names.add(one);
          if (isAdded) members.add(one);
          else members.delete(one);
          expect(names.all()).toEqual([...members].sort());
        }
      }),
    );
  });

  it("stays in order over many blocks, which go when they are empty", () => {
    const names = createSortedNames();
    const all = Array.from({ length: 5_000 }, (_, i) => `orders.${(i * 7_919) % 5_000}`);
    for (const one of all) names.add(one);
    expect(names.all()).toEqual([...all].sort());
    for (const one of all.slice(0, 4_990)) names.delete(one);
    expect(names.all()).toEqual(all.slice(4_990).sort());
  });

  it("gives the same array until something changes", () => {
    const names = createSortedNames();
    names.add("a");
    expect(names.all()).toBe(names.all());
    names.delete("unknown");
    const before = names.all();
    names.add("b");
    expect(names.all()).not.toBe(before);
    expect(before).toEqual(["a"]);
  });
});
