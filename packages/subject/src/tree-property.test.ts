import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { naiveMatches, naiveOverlaps } from "../bench/naive.ts";
import { seededShuffle } from "../bench/seeded.ts";
import { createSubjectTree } from "./pattern-tree.ts";
import type { SubjectTree, TreeEntry } from "./subject-tree.ts";

/** The tree by the letter of the specification: a list, looked through from end to end. */
class Model {
  entries: TreeEntry<string>[] = [];

  insert(entry: TreeEntry<string>): void {
    this.entries.push(entry);
  }

  remove(subject: string, value: string, queue: string): boolean {
    const place = this.entries.findIndex((e) => e.subject === subject && e.value === value && e.queue === queue);
    if (place < 0) return false;
    this.entries.splice(place, 1);
    return true;
  }

  /** Plain values by pattern, widest pattern first, and the queue groups by name; values of one pattern sorted. */
  match(subject: string): unknown {
    const hits = this.entries.filter((entry) => naiveMatches(entry.subject, subject));
    return summary(
      hits.filter((entry) => entry.queue === "").sort(byWidth),
      hits
        .filter((entry) => entry.queue !== "")
        .flatMap((entry) => Array<string>(entry.weight).fill(groupLabel(entry))),
    );
  }
}

const RANK: Readonly<Record<string, number>> = { ">": 0, "*": 1 };

/** From wide to narrow for patterns that match one literal: token by token, `>` before `*` before text. */
function byWidth(a: TreeEntry<string>, b: TreeEntry<string>): number {
  const left = a.subject.split(".");
  const right = b.subject.split(".");
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = (RANK[left[i]!] ?? 2) - (RANK[right[i]!] ?? 2);
    if (difference !== 0) return difference;
  }
  return a.value < b.value ? -1 : 1;
}

function groupLabel(entry: TreeEntry<string>): string {
  return `${entry.queue}/${entry.value}`;
}

function summary(plain: readonly TreeEntry<string>[], members: readonly string[]): unknown {
  return { plain: plain.map((entry) => entry.value), members: [...members].sort() };
}

/** What the tree says, in the same form. Values begin with their pattern, so the order of patterns can be read off. */
function asked(tree: SubjectTree<string>, subject: string): unknown {
  const { values, queues } = tree.matchGroups(subject);
  expect(tree.match(subject)).toEqual(values);
  expect(tree.hasInterest(subject)).toBe(values.length + queues.length > 0);
  const members = queues.flatMap((group) => group.values.map((value) => `${group.queue}/${value}`));
  expect(tree.numInterest(subject)).toEqual({ plain: values.length, queue: members.length });
  const plain = values.map((value) => ({ subject: value.split(" ")[0]!, value, queue: "", weight: 1 }));
  // Within one pattern the order is free.
  const sorted = plain.toSorted((a, b) =>
    a.subject === b.subject && a.value !== b.value ? (a.value < b.value ? -1 : 1) : 0,
  );
  return summary(sorted, members);
}

// Few names, so that patterns and queries meet again and again, with the cache in between.
const token = fc.constantFrom("a", "b", "*");
const pattern = fc
  .tuple(fc.array(token, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([tokens, isOpen]) => (isOpen ? [...tokens.slice(1), ">"] : tokens).join("."));
const literal = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 3 }).map((t) => t.join("."));
const entry = fc.record({
  subject: pattern,
  value: fc.constantFrom("v1", "v2", "v3"),
  queue: fc.constantFrom("", "", "", "q", "r"),
  weight: fc.integer({ min: 1, max: 3 }),
});
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("insert" as const), entry }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("remove" as const), entry }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("removeKnown" as const), place: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("match" as const), subject: literal }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reverse" as const), pattern }) },
);

describe("a tree under random changes", () => {
  it.each([0, 2, 1024])("agrees with a plain list at every step, with a cache of %i", (cacheSize) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const tree = createSubjectTree<string>({ cacheSize });
        const model = new Model();
        const remove = (gone: TreeEntry<string>): void => {
          const outcome = tree.remove(gone.subject, gone.value, { queue: gone.queue });
          expect(outcome.kind === "removed").toBe(model.remove(gone.subject, gone.value, gone.queue));
        };
        const kept: { readonly result: readonly string[]; readonly copy: readonly string[] }[] = [];
        for (const now of steps) {
          if (now.kind === "insert") {
            const value = `${now.entry.subject} ${now.entry.value}`;
            // The weight of a plain value is 1; equal members of a group weigh the same, so that any may be removed.
            const weight = now.entry.queue === "" ? 1 : Number(now.entry.value.slice(1));
            const added = { ...now.entry, value, weight };
            tree.insert(added.subject, value, { queue: added.queue, weight });
            model.insert(added);
          } else if (now.kind === "remove") {
            remove({ ...now.entry, value: `${now.entry.subject} ${now.entry.value}` });
          } else if (now.kind === "removeKnown") {
            const known = model.entries[now.place % Math.max(1, model.entries.length)];
            if (known !== undefined) remove(known);
          } else if (now.kind === "match") {
            const result = tree.match(now.subject);
            kept.push({ result, copy: [...result] });
            expect(asked(tree, now.subject)).toEqual(model.match(now.subject));
          } else {
            const found = tree.reverseMatch(now.pattern).map(groupLabel).sort();
            const expected = model.entries.filter((e) => naiveOverlaps(e.subject, now.pattern));
            expect(found).toEqual(expected.map(groupLabel).sort());
          }
          expect(tree.count).toBe(model.entries.length);
        }
        const lengths = model.entries.map((e) => e.subject.split(".").length);
        expect(tree.numLevels).toBe(Math.max(0, ...lengths));
        expect([...tree.subjects()].sort()).toEqual([...new Set(model.entries.map((e) => e.subject))].sort());
        expect([...tree.all()].sort()).toEqual(model.entries.map((e) => e.value).sort());
        for (const { result, copy } of kept) expect(result).toEqual(copy);
        tree.removeBatch(model.entries);
        expect(tree.statistics()).toMatchObject({ count: 0, nodes: 0, tokens: 0, numLevels: 0, sharedPatterns: 0 });
      }),
      { numRuns: 400 },
    );
  });
});

describe("a tree that grows and shrinks", () => {
  it("finds all it holds after its room was made larger and smaller again", () => {
    const name = (i: number): string =>
      `t${i % 17}.${i % 5 === 0 ? "*" : `u${i % 101}`}.node${i}.${i % 7 === 0 ? ">" : "x"}`;
    const tree = createSubjectTree<number>();
    const held = new Set<number>();
    for (const goal of [20_000, 50, 10_000, 0]) {
      for (let value = 0; held.size < goal; value++) {
        if (held.has(value)) continue;
        tree.insert(name(value), value);
        held.add(value);
      }
      for (const value of seededShuffle([...held], goal)) {
        if (held.size === goal) break;
        expect(tree.remove(name(value), value)).toEqual({ kind: "removed" });
        held.delete(value);
      }
      expect(tree.count).toBe(goal);
      expect([...tree.all()].sort((a, b) => a - b)).toEqual([...held].sort((a, b) => a - b));
      for (const value of [...held].slice(0, 500)) {
        expect(tree.match(name(value).replace("*", "any").replace(">", "y"))).toContain(value);
      }
    }
    expect(tree.statistics()).toMatchObject({ nodes: 0, tokens: 0, numLevels: 0 });
  });

  it("keeps the order of its literals when it is made smaller", () => {
    const tree = createSubjectTree<number>();
    for (let i = 0; i < 2_000; i++) tree.insert(`chan.n${i}`, i);
    const kept = [3, 500, 1_000, 1_999];
    for (let i = 0; i < 2_000; i++) if (!kept.includes(i)) tree.remove(`chan.n${i}`, i);
    expect(tree.subjects()).toEqual(kept.map((i) => `chan.n${i}`));
    tree.insert("chan.n0", 0);
    expect(tree.all()).toEqual([...kept, 0]);
  });
});
