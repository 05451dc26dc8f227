import { describe, expect, it } from "vitest";
import { createSubjectTree } from "./pattern-tree.ts";
import type { SubjectTree } from "./subject-tree.ts";

function treeOf(...subjects: readonly string[]): SubjectTree<string> {
  const tree = createSubjectTree<string>();
  for (const subject of subjects) expect(tree.insert(subject, subject)).toEqual({ kind: "inserted" });
  return tree;
}

const INVALID = { kind: "invalid_subject", message: "sublist: invalid subject" };
const NO_MATCH = { kind: "no_match", message: "sublist: no match found" };

describe("inserting and matching", () => {
  it("SUB-01 counts nothing when new and each insertion after", () => {
    const tree = createSubjectTree<string>();
    expect(tree.count).toBe(0);
    for (const subject of ["foo", "bar", "foo.bar"]) tree.insert(subject, "v");
    expect(tree.count).toBe(3);
  });

  it.each(["foo", "foo.bar.baz"])("SUB-02 finds the literal %s by itself only", (subject) => {
    const tree = treeOf(subject);
    expect(tree.match(subject)).toEqual([subject]);
    for (const other of ["fo", "foo.bar", "foo.bar.bat", "foo.bar.baz.x", "bar"]) expect(tree.match(other)).toEqual([]);
  });

  it.each([
    ["a.b.c", "a.*.c"],
    ["a.b.c", "a.b.*"],
    ["a.b.c", "a.>"],
  ])("SUB-03 finds the literal %s after the pattern %s", (literal, pattern) => {
    expect(treeOf(literal, pattern).match("a.b.c")).toEqual([pattern, literal]);
    expect(treeOf(pattern, literal).match("a.b.c")).toEqual([pattern, literal]);
  });

  it("gives values from wide to narrow along the path", () => {
    const narrow = ["a.b.c", "a.b.*", "a.b.>", "a.*.c", "a.*.*", "a.*.>", "a.>", "*.b.c", "*.>", ">"];
    const wide = [">", "*.>", "*.b.c", "a.>", "a.*.>", "a.*.*", "a.*.c", "a.b.>", "a.b.*", "a.b.c"];
    expect(treeOf(...narrow).match("a.b.c")).toEqual(wide);
  });

  it("takes wildcard tokens of a query as text that only wildcards meet", () => {
    const tree = treeOf("foo.*", "foo.bar", "foo.>", "*.*");
    expect(tree.match("foo.*")).toEqual(["*.*", "foo.>", "foo.*"]);
    expect(tree.match("foo.>")).toEqual(["*.*", "foo.>", "foo.*"]);
    expect(treeOf("foo.bar").match("foo.*")).toEqual([]);
  });

  it.each([".foo", "foo.", "foo..bar", "foo.bar..baz", "foo.>.bar", "", ">.>"])(
    "SUB-07 refuses to insert %j and leaves no trace",
    (subject) => {
      const tree = createSubjectTree<string>();
      expect(tree.insert(subject, "v")).toMatchObject({ ...INVALID, subject });
      expect(tree.count).toBe(0);
      expect(tree.numLevels).toBe(0);
      expect(tree.statistics()).toMatchObject({ inserts: 0, nodes: 0, tokens: 0 });
    },
  );

  it("says where a refused subject is wrong and what to do", () => {
    expect(createSubjectTree<string>().insert("foo.>.bar", "v")).toEqual({
      ...INVALID,
      subject: "foo.>.bar",
      position: 6,
      reason: 'a token follows ">" at position 6: ">" must be the last token',
    });
  });

  it("SUB-11 does not find foo by foo.bar", () => {
    expect(treeOf("foo").match("foo.bar")).toEqual([]);
    expect(treeOf("foo").match("foo")).toEqual(["foo"]);
  });

  it.each(["foo.*-", "foo.>-", "*foo", ">x.y", "a.**"])("NSL-03 takes %j as a literal", (subject) => {
    const tree = treeOf(subject);
    expect(tree.match(subject)).toEqual([subject]);
    for (const other of ["foo.bar", "foo.x-", "foo", "x.y", "a.bc"]) expect(tree.match(other)).toEqual([]);
  });

  it("NSL-03 leaves literals with wildcard characters alone when another subject is removed", () => {
    for (const subject of ["foo.*-", "foo.>-"]) {
      const tree = treeOf(subject);
      expect(tree.remove("foo.bar", subject)).toEqual(NO_MATCH);
      expect(tree.count).toBe(1);
      expect(tree.remove(subject, subject)).toEqual({ kind: "removed" });
      expect(tree.count).toBe(0);
    }
  });

  it.each([".foo", "..foo", "foo..", "foo.", "foo..bar", "foo...bar", "", "."])(
    "NSL-04 matches nothing with %j, cached or not, even against >",
    (subject) => {
      const tree = treeOf(">", "*", "*.*", "foo.>", "*.>");
      for (let i = 0; i < 2; i++) {
        expect(tree.match(subject)).toEqual([]);
        expect(tree.hasInterest(subject)).toBe(false);
        expect(tree.numInterest(subject)).toEqual({ plain: 0, queue: 0 });
      }
    },
  );

  it("NSL-08 gives the identical object for every miss", () => {
    const tree = treeOf("foo");
    expect(tree.match("bar")).toBe(tree.match("foo.bar"));
    expect(tree.matchGroups("bar")).toBe(tree.matchGroups("foo..bar"));
    expect(tree.match("bar")).toBe(createSubjectTree<number>({ cacheSize: 0 }).match("x"));
  });

  it("NSL-10 keeps a result as it was when the tree changes afterwards", () => {
    for (const cacheSize of [0, 16]) {
      const tree = createSubjectTree<string>({ cacheSize });
      for (const subject of ["foo.bar", "foo.*"]) tree.insert(subject, subject);
      const before = tree.match("foo.bar");
      tree.insert("foo.>", "foo.>");
      tree.insert("foo.bar", "again");
      tree.remove("foo.*", "foo.*");
      expect(before).toEqual(["foo.*", "foo.bar"]);
      expect(Object.isFrozen(before)).toBe(true);
      expect(tree.match("foo.bar")).toEqual(["foo.>", "foo.bar", "again"]);
    }
  });

  it("takes subjects of thousands of tokens, all of them wildcards too", () => {
    const tokens = Array.from({ length: 5_000 }, (_, i) => `t${i}`);
    const stars = tokens.map(() => "*").join(".");
    const tree = treeOf(tokens.join("."), stars, `t0.${"*.".repeat(200)}>`);
    expect(tree.numLevels).toBe(5_000);
    expect(tree.match(tokens.join("."))).toHaveLength(3);
    expect(tree.reverseMatch(stars)).toHaveLength(3);
    expect(tree.subjects()).toHaveLength(3);
  });

  it("tells values apart as a Map does", () => {
    const tree = createSubjectTree<number | undefined>();
    tree.insert("foo", Number.NaN);
    expect(tree.remove("foo", Number.NaN)).toEqual({ kind: "removed" });
    tree.insert("foo", undefined);
    expect(tree.match("foo")).toEqual([undefined]);
    expect(tree.remove("foo", 1)).toEqual(NO_MATCH);
    expect(tree.remove("foo", undefined)).toEqual({ kind: "removed" });
  });
});

describe("removing", () => {
  it("SUB-04 keeps count and match when the value is not there, and empties with the right one", () => {
    const tree = createSubjectTree<string>();
    tree.insert("a.b.c.d", "right");
    expect(tree.remove("a.b.c.d", "wrong")).toEqual(NO_MATCH);
    expect(tree.remove("a.b.c", "right")).toEqual(NO_MATCH);
    expect(tree.remove("a.b.c.d.e", "right")).toEqual(NO_MATCH);
    expect(tree.count).toBe(1);
    expect(tree.match("a.b.c.d")).toEqual(["right"]);
    expect(tree.remove("a.b.c.d", "right")).toEqual({ kind: "removed" });
    expect(tree.count).toBe(0);
    expect(tree.match("a.b.c.d")).toEqual([]);
  });

  it("SUB-05 counts 3, 2, 1, 0 when literal, * and > are removed one by one", () => {
    const tree = treeOf("a.b.c.d", "a.b.*.d", "a.b.>");
    const left: number[] = [tree.count];
    for (const subject of ["a.b.>", "a.b.*.d", "a.b.c.d"]) {
      tree.remove(subject, subject);
      left.push(tree.count);
      expect(tree.match("a.b.c.d")).not.toContain(subject);
    }
    expect(left).toEqual([3, 2, 1, 0]);
    expect(tree.match("a.b.c.d")).toEqual([]);
  });

  it.each(["a.b.c.d.e.f", "a.b.*.d.e.>"])("SUB-06 has 6 levels with %s and none after its removal", (subject) => {
    const tree = treeOf(subject);
    expect(tree.numLevels).toBe(6);
    tree.remove(subject, subject);
    expect(tree.numLevels).toBe(0);
    expect(tree.statistics()).toMatchObject({ nodes: 0, tokens: 0 });
  });

  it("keeps as many levels as the longest subject that is left", () => {
    const tree = treeOf("a", "a.b", "a.b.c.>");
    expect(tree.numLevels).toBe(4);
    tree.remove("a.b.c.>", "a.b.c.>");
    expect(tree.numLevels).toBe(2);
    tree.remove("a", "a");
    expect(tree.numLevels).toBe(2);
    tree.remove("a.b", "a.b");
    expect(tree.numLevels).toBe(0);
  });

  it.each(["a.b..d", "a.>.b"])("SUB-10 refuses to remove %s as an invalid subject", (subject) => {
    const tree = treeOf("a.b.c");
    expect(tree.remove(subject, "a.b.c")).toMatchObject({ ...INVALID, subject });
    expect(tree.count).toBe(1);
  });

  it("SUB-12 returns a value as often as it was inserted", () => {
    const tree = createSubjectTree<string>();
    tree.insert("foo", "same");
    tree.insert("bar", "same");
    tree.remove("bar", "same");
    tree.insert("foo", "same");
    expect(tree.count).toBe(2);
    expect(tree.match("foo")).toEqual(["same", "same"]);
    expect(tree.match("bar")).toEqual([]);
    tree.remove("foo", "same");
    expect(tree.match("foo")).toEqual(["same"]);
  });

  it("SUB-13 gives the memory of a shared pattern back once it holds one value again", () => {
    const tree = createSubjectTree<number>();
    for (let i = 0; i < 10; i++) tree.insert("foo", i);
    expect(tree.statistics().sharedPatterns).toBe(1);
    for (let i = 0; i < 9; i++) tree.remove("foo", i);
    expect(tree.statistics().sharedPatterns).toBe(0);
    expect(tree.match("foo")).toEqual([9]);
  });

  it("NSL-05 removes from the start, the middle and the end of a large node", () => {
    const tree = createSubjectTree<number>();
    const values = Array.from({ length: 1_000 }, (_, i) => i);
    for (const value of values) tree.insert("foo", value);
    expect(tree.match("foo")).toEqual(values);
    for (const gone of [0, 500, 999]) {
      expect(tree.remove("foo", gone)).toEqual({ kind: "removed" });
      expect(tree.remove("foo", gone)).toEqual(NO_MATCH);
    }
    expect(tree.match("foo")).toEqual(values.filter((value) => value !== 0 && value !== 500 && value !== 999));
  });

  it("NSL-06 removes a batch as it would one by one", () => {
    const subjects = ["foo", "bar.*", "bar.>", "baz"];
    const tree = treeOf(...subjects);
    tree.insert("foo", "q", { queue: "workers" });
    tree.match("bar.x");
    const batch = [
      ...subjects.slice(0, 3).map((subject) => ({ subject, value: subject })),
      { subject: "foo", value: "q", queue: "workers" },
    ];
    expect(tree.removeBatch(batch)).toEqual({ kind: "removed", removed: 4 });
    expect(tree.subjects()).toEqual(["baz"]);
    expect(tree.match("bar.x")).toEqual([]);
  });

  it("NSL-06 reports what a batch misses and removes the rest", () => {
    const tree = treeOf("foo", "bar", "baz");
    const outcome = tree.removeBatch([
      { subject: "foo", value: "foo" },
      { subject: "bar", value: "missing" },
      { subject: "a..b", value: "x" },
      { subject: "baz", value: "baz" },
    ]);
    expect(outcome).toMatchObject({
      kind: "incomplete",
      removed: 2,
      failures: [
        { index: 1, outcome: NO_MATCH },
        { index: 2, outcome: INVALID },
      ],
    });
    expect(tree.subjects()).toEqual(["bar"]);
  });
});

describe("looking without matching", () => {
  it("NSL-11 agrees with match on interest, with the cache empty and filled", () => {
    const tree = treeOf("foo", "foo.*", "foo.>", "*.bar", ">");
    tree.insert("foo.bar", "a", { queue: "q" });
    tree.insert("foo.*", "b", { queue: "q", weight: 3 });
    for (let pass = 0; pass < 2; pass++) {
      expect(tree.numInterest("foo.bar")).toEqual({ plain: 4, queue: 4 });
      expect(tree.numInterest("foo")).toEqual({ plain: 2, queue: 0 });
      expect(tree.hasInterest("foo.bar")).toBe(true);
      expect(tree.statistics().cacheCount).toBe(pass * 2);
      tree.matchGroups("foo.bar");
      tree.matchGroups("foo");
    }
  });

  it("NSL-11 sees interest that only overlaps, and its end", () => {
    const tree = treeOf("stream.A.child", "stream.*.x");
    tree.insert("stream.>", "group member", { queue: "q" });
    expect(tree.hasInterest("stream.A.child")).toBe(true);
    expect(tree.hasInterest("stream.A")).toBe(true);
    expect(tree.hasInterest("stream")).toBe(false);
    tree.remove("stream.>", "group member", { queue: "q" });
    expect(tree.hasInterest("stream.A")).toBe(false);
    expect(tree.hasInterest("stream.B.x")).toBe(true);
    expect(tree.hasInterest("stream.B.y")).toBe(false);
  });

  it("NSL-11 never fills the cache", () => {
    const tree = treeOf("foo");
    for (const subject of ["foo", "bar"]) {
      tree.hasInterest(subject);
      tree.numInterest(subject);
    }
    expect(tree.cacheCount).toBe(0);
  });

  it("NSL-12 counts inserts, removes, matches and cache hits", () => {
    const tree = treeOf("foo", "bar", "baz.*");
    for (let i = 0; i < 4; i++) tree.match("foo");
    tree.remove("bar", "bar");
    expect(tree.statistics()).toMatchObject({
      count: 2,
      inserts: 3,
      removes: 1,
      matches: 4,
      cacheHits: 3,
      cacheHitRate: 0.75,
      cacheCount: 1,
    });
  });

  it("NSL-12 counts no hits without a cache, and no rate before the first match", () => {
    const tree = createSubjectTree<string>({ cacheSize: 0 });
    tree.insert("foo", "v");
    expect(tree.statistics()).toMatchObject({ matches: 0, cacheHits: 0, cacheHitRate: 0 });
    for (let i = 0; i < 4; i++) tree.match("foo");
    expect(tree.statistics()).toMatchObject({ matches: 4, cacheHits: 0, cacheHitRate: 0, cacheCount: 0 });
  });

  it("NSL-12 tells the fan-out of cached results", () => {
    const tree = treeOf("foo", "*");
    tree.insert("foo", "q", { queue: "workers" });
    tree.match("foo");
    tree.match("bar");
    expect(tree.statistics()).toMatchObject({ fanoutMax: 3, fanoutAverage: 2 });
  });

  it("counts nodes and tokens, each token once", () => {
    const tree = treeOf("a.b.a", "a.c.*", "a.c.>");
    expect(tree.statistics()).toMatchObject({ nodes: 6, tokens: 3, numLevels: 3 });
  });

  it("refuses a cache size that is not a whole number", () => {
    expect(() => createSubjectTree({ cacheSize: -1 })).toThrow("cacheSize is -1: give a whole number, 0 for no cache");
    expect(() => createSubjectTree({ cacheSize: 1.5 })).toThrow(RangeError);
  });
});

describe("reverseMatch()", () => {
  it.each([
    ["*", 2],
    ["foo.*", 2],
    ["*.*", 2],
    ["*.bar", 1],
    ["bar.*", 0],
    ["foo.>", 3],
    [">", 5],
    ["foo.bar", 1],
    ["foo..bar", 0],
    ["unknown", 0],
  ])("NSL-09 finds by %j %i of five literals", (pattern, expected) => {
    const tree = treeOf("foo", "bar", "foo.bar", "foo.baz", "foo.bar.baz");
    expect(tree.reverseMatch(pattern)).toHaveLength(expected);
  });

  it.each(["uplink.*.*.>", "uplink.1.*.*.>", "uplink.1.2.3.>", "uplink.1.2.3"])(
    "NSL-09 finds uplink.*.*.> by the pattern %s",
    (pattern) => {
      const tree = treeOf("uplink.*.*.>");
      expect(tree.reverseMatch(pattern)).toEqual([
        { subject: "uplink.*.*.>", value: "uplink.*.*.>", queue: "", weight: 1 },
      ]);
    },
  );

  it("finds members of queue groups too", () => {
    const tree = createSubjectTree<string>();
    tree.insert("foo.*", "v", { queue: "q", weight: 2 });
    expect(tree.reverseMatch("*.bar")).toEqual([{ subject: "foo.*", value: "v", queue: "q", weight: 2 }]);
  });
});
