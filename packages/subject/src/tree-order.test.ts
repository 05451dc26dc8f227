import { describe, expect, it } from "vitest";
import { seededShuffle } from "../bench/seeded.ts";
import { createSubjectTree } from "./pattern-tree.ts";
import type { SubjectTree } from "./subject-tree.ts";

function treeOf(subjects: readonly string[]): SubjectTree<string> {
  const tree = createSubjectTree<string>();
  for (const subject of subjects) tree.insert(subject, subject);
  return tree;
}

describe("subjects()", () => {
  it("SUB-14 lists the widest first, whatever the order of insertion", () => {
    const subjects = ["*.*", "foo.>", "*.>", ">", "foo.*.>", "bar.>", "foo.bar.>", "bar.baz"];
    const foo = ["foo.>", "foo.*.>", "foo.bar.>"];
    const bar = ["bar.>", "bar.baz"];
    const wide = [">", "*.>", "*.*"];
    for (let seed = 0; seed < 1_000; seed++) {
      const shuffled = seededShuffle(subjects, seed);
      const isFooFirst = shuffled.findIndex((s) => foo.includes(s)) < shuffled.findIndex((s) => bar.includes(s));
      // Literals of one level keep the order in which they appeared.
      expect(treeOf(shuffled).subjects()).toEqual(isFooFirst ? [...wide, ...foo, ...bar] : [...wide, ...bar, ...foo]);
    }
  });

  it("SUB-14 lists a subject before what is below it", () => {
    const subjects = ["bar", "bar.*", "bar.baz", "bar.>", "bar.*.bat", "bar.baz.*", "bar.baz.biz.box", "bar.baz.>"];
    const expected = ["bar", "bar.>", "bar.*", "bar.*.bat", "bar.baz", "bar.baz.>", "bar.baz.*", "bar.baz.biz.box"];
    for (let seed = 0; seed < 1_000; seed++) {
      expect(treeOf(seededShuffle(subjects, seed)).subjects()).toEqual(expected);
    }
  });

  it("lists each subject once, and all() and entries() each insertion", () => {
    const tree = treeOf(["foo", "foo", ">", "bar.*"]);
    tree.insert("foo", "member", { queue: "q", weight: 2 });
    expect(tree.subjects()).toEqual([">", "foo", "bar.*"]);
    expect(tree.all()).toEqual([">", "foo", "foo", "member", "bar.*"]);
    expect(tree.entries().map((entry) => [entry.subject, entry.value, entry.queue, entry.weight])).toEqual([
      [">", ">", "", 1],
      ["foo", "foo", "", 1],
      ["foo", "foo", "", 1],
      ["foo", "member", "q", 2],
      ["bar.*", "bar.*", "", 1],
    ]);
    for (const list of [tree.subjects(), tree.all(), tree.entries()]) expect(Object.isFrozen(list)).toBe(true);
  });
});

/** The limits of one entry; undefined is "inherit". */
interface Limits {
  readonly name: string;
  readonly msgs?: number;
  readonly bytes?: number;
  readonly age?: number;
  readonly subs?: number;
}

/** Inheritance as store-limits section 4 tells it: what the store package does with the tree. */
function inherit(root: Limits, entries: readonly Limits[]): (channel: string) => Limits {
  const tree = createSubjectTree<{ readonly given: Limits; effective: Limits | undefined }>();
  for (const given of entries) tree.insert(given.name, { given, effective: undefined });
  for (const name of tree.subjects()) {
    let parent = root;
    for (const entry of tree.matchList(name)) {
      entry.effective ??= { ...parent, ...entry.given };
      parent = entry.effective;
    }
  }
  return (channel) => tree.matchList(channel).at(-1)?.effective ?? root;
}

describe("matchList()", () => {
  it("holds for a pattern what its wildcard tokens meet, as if they were text", () => {
    const tree = treeOf(["*.*", "foo.*", "foo.>", ">", "foo.bar", "*", "bar.>", "*.>"]);
    expect(tree.matchList("foo.>")).toEqual([">", "*.>", "*.*", "foo.>", "foo.*"]);
    expect(tree.matchList("foo.*")).toEqual([">", "*.>", "*.*", "foo.>", "foo.*"]);
    expect(tree.matchList("foo.bar")).toEqual([">", "*.>", "*.*", "foo.>", "foo.*", "foo.bar"]);
    expect(tree.matchList("foo")).toEqual([">", "*"]);
    expect(tree.matchList("foo..bar")).toEqual([]);
  });

  it("is neither cached nor counted", () => {
    const tree = treeOf(["foo.*"]);
    tree.matchList("foo.bar");
    expect(tree.statistics()).toMatchObject({ matches: 0, cacheCount: 0 });
  });

  const GLOBAL: Limits = { name: "", msgs: 100, bytes: 1000, age: 3600, subs: 10 };

  it.each([
    ["foo.bar", 50, 500, 300, 20],
    ["foo.baz", 50, 500, 3600, 20],
    ["foo.bar.baz", 50, 1000, 3600, 20],
    ["foo", 100, 1000, 3600, 20],
    ["other", 100, 1000, 3600, 20],
    ["a.b", 100, 1000, 3600, 20],
  ])("gives %s the limits of example A of store-limits", (channel, msgs, bytes, age, subs) => {
    const limitsOf = inherit(GLOBAL, [
      { name: ">", subs: 20 },
      { name: "foo.>", msgs: 50 },
      { name: "foo.*", bytes: 500 },
      { name: "foo.bar", age: 300 },
    ]);
    expect(limitsOf(channel)).toMatchObject({ msgs, bytes, age, subs });
  });

  it.each([
    ["foo.bar", 100, 8],
    ["y.bar", 7, 1000],
    ["foo.x", 100, 8],
  ])("gives %s the limits of example B", (channel, msgs, bytes) => {
    const limitsOf = inherit(GLOBAL, [
      { name: "*.bar", msgs: 7 },
      { name: "foo.*", bytes: 8 },
    ]);
    expect(limitsOf(channel)).toMatchObject({ msgs, bytes });
  });

  it.each([
    ["foo.a", 3, 9],
    ["foo.a.b", 3, 9],
    ["x.y", 3, 1000],
    ["x.y.z", 100, 1000],
  ])("gives %s the limits of example D, where foo.> inherits from *.*", (channel, msgs, bytes) => {
    const limitsOf = inherit(GLOBAL, [
      { name: "foo.>", bytes: 9 },
      { name: "*.*", msgs: 3 },
    ]);
    expect(limitsOf(channel)).toMatchObject({ msgs, bytes });
  });

  it("gives the limits of examples E and F", () => {
    const e = inherit({ name: "", msgs: 100 }, [
      { name: "*", msgs: 1 },
      { name: ">", bytes: 2 },
    ]);
    expect(e("a")).toMatchObject({ msgs: 1, bytes: 2 });
    expect(e("a.b")).toMatchObject({ msgs: 100, bytes: 2 });
    const f = inherit({ name: "", msgs: 100, bytes: 1000 }, [
      { name: "foo.*.baz", msgs: 1 },
      { name: "foo.bar.*", bytes: 2 },
      { name: "foo.bar.baz", age: 1 },
    ]);
    expect(f("foo.bar.baz")).toMatchObject({ msgs: 100, bytes: 2, age: 1 });
    expect(f("foo.x.baz")).toMatchObject({ msgs: 1, bytes: 1000 });
    expect(f("foo.bar.x")).toMatchObject({ msgs: 100, bytes: 2 });
  });

  it("gives the parents of the long chain of example G", () => {
    const chain = [
      "*.>",
      "*.*",
      "foo.>",
      "foo.*.>",
      "foo.*.*.>",
      "foo.a.b.c",
      "foo.d.e.f",
      "foo.baz",
      "bar.*.>",
      "bar.baz.>",
      "bar.baz.boz",
      "bar.baz.bat",
    ];
    const parents: Readonly<Record<string, string | undefined>> = {
      "*.>": undefined,
      "*.*": "*.>",
      "foo.>": "*.*",
      "foo.*.>": "foo.>",
      "foo.*.*.>": "foo.*.>",
      "foo.a.b.c": "foo.*.*.>",
      "foo.d.e.f": "foo.*.*.>",
      "foo.baz": "foo.>",
      "bar.*.>": "*.>",
      "bar.baz.>": "bar.*.>",
      "bar.baz.boz": "bar.baz.>",
      "bar.baz.bat": "bar.baz.>",
    };
    for (let seed = 0; seed < 50; seed++) {
      const tree = treeOf(seededShuffle(chain, seed));
      for (const [name, parent] of Object.entries(parents)) {
        const list = tree.matchList(name);
        const place = list.indexOf(name);
        expect(place === 0 ? undefined : list[place - 1], name).toBe(parent);
      }
    }
  });
});
