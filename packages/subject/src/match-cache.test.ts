import { describe, expect, it } from "vitest";
import { MatchCache } from "./match-cache.ts";
import { createSubjectTree } from "./pattern-tree.ts";

describe("the cache of a tree", () => {
  it("SUB-08 keeps results right while literal, * and > come and go around cached matches", () => {
    const tree = createSubjectTree<string>();
    const check = (...expected: readonly string[]): void => {
      // Twice: once found in the tree, once in the cache.
      expect(tree.match("a.b.c.d")).toEqual(expected);
      expect(tree.match("a.b.c.d")).toEqual(expected);
    };
    check();
    tree.insert("a.b.c.d", "literal");
    check("literal");
    tree.insert("a.b.*.d", "star");
    check("star", "literal");
    tree.insert("a.b.>", "full");
    check("full", "star", "literal");
    tree.insert("*.b.c.d", "early");
    check("early", "full", "star", "literal");
    tree.remove("a.b.*.d", "star");
    check("early", "full", "literal");
    tree.remove("a.b.c.d", "literal");
    check("early", "full");
    tree.remove("a.b.>", "full");
    check("early");
    tree.remove("*.b.c.d", "early");
    expect(tree.cacheCount).toBe(0);
    check();
  });

  it("SUB-08 holds at most 1024 of 2048 distinct misses", () => {
    const tree = createSubjectTree<string>();
    tree.insert("other", "v");
    for (let i = 0; i < 2048; i++) tree.match(`foo-${i}`);
    expect(tree.cacheCount).toBe(1024);
    expect(tree.statistics().matches).toBe(2048);
  });

  it.each([1, 3, 100])("holds at most %i results when told so", (cacheSize) => {
    const tree = createSubjectTree<string>({ cacheSize });
    for (let i = 0; i < 500; i++) {
      tree.match(`foo-${i}`);
      expect(tree.cacheCount).toBeLessThanOrEqual(cacheSize);
    }
    expect(tree.cacheCount).toBe(cacheSize);
  });

  it("holds nothing when told so", () => {
    const tree = createSubjectTree<string>({ cacheSize: 0 });
    tree.insert("foo", "v");
    expect(tree.match("foo")).not.toBe(tree.match("foo"));
    expect(tree.cacheCount).toBe(0);
  });

  it("gives the same object for the same query until a change concerns it", () => {
    const tree = createSubjectTree<string>();
    tree.insert("foo.bar", "v");
    const cached = tree.match("foo.bar");
    tree.insert("foo.baz", "w");
    tree.insert("other.*", "x");
    tree.insert("foo.baz.*", "y");
    expect(tree.match("foo.bar")).toBe(cached);
    tree.insert("foo.*", "z");
    expect(tree.match("foo.bar")).not.toBe(cached);
  });

  it("does not count results that went out of date", () => {
    const tree = createSubjectTree<string>();
    for (const subject of ["foo.a", "foo.b", "bar"]) {
      tree.insert(subject, subject);
      tree.match(subject);
    }
    expect(tree.cacheCount).toBe(3);
    tree.insert("foo.*", "v");
    expect(tree.cacheCount).toBe(1);
    tree.insert(">", "v");
    expect(tree.cacheCount).toBe(0);
  });
});

describe("MatchCache", () => {
  it("lets the oldest go first", () => {
    const cache = new MatchCache<string>(2);
    for (const subject of ["a", "b", "c", "c"]) cache.set(subject, subject.toUpperCase());
    expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual([undefined, "B", "C"]);
  });

  it("takes in what is asked for a second time, once it is full", () => {
    const cache = new MatchCache<string>(2);
    for (const subject of ["a", "b"]) cache.set(subject, "busy");
    for (let i = 0; i < 100; i++) cache.set(`_INBOX.${i}`, "once");
    expect([cache.get("a"), cache.get("b")]).toEqual(["busy", "busy"]);
    cache.set("_INBOX.99", "twice");
    expect(cache.get("_INBOX.99")).toBe("twice");
  });

  it("replaces a result without taking another place", () => {
    const cache = new MatchCache<string>(2);
    cache.set("a", "1");
    cache.set("b", "2");
    cache.set("b", "3");
    expect([cache.get("a"), cache.get("b")]).toEqual(["1", "3"]);
  });

  it("stays within its capacity when dropped subjects come back", () => {
    const cache = new MatchCache<number>(4);
    for (let i = 0; i < 1000; i++) {
      const subject = `s${i % 7}`;
      cache.set(subject, i);
      if (i % 3 === 0) cache.patternChanged(`s${(i * 5) % 7}`);
      let held = 0;
      cache.visit(() => held++);
      expect(held).toBeLessThanOrEqual(4);
    }
  });

  it.each([
    ["foo.bar.baz", true],
    ["foo.bar.*", true],
    ["foo.bar.>", true],
    ["foo.*.x", true],
    ["*.x", true],
    [">", true],
    ["foo.bar", false],
    ["foo.bar.baz.x", false],
    ["other.bar.*", false],
  ])("after a change of %s, a result for foo.bar.baz is forgotten: %j", (pattern, isForgotten) => {
    const cache = new MatchCache<string>(8);
    cache.set("foo.bar.baz", "result");
    cache.patternChanged(pattern);
    expect(cache.get("foo.bar.baz")).toBe(isForgotten ? undefined : "result");
  });

  it("is empty after clear()", () => {
    const cache = new MatchCache<string>(2);
    cache.set("a", "1");
    cache.clear();
    expect(cache.get("a")).toBeUndefined();
    cache.set("a", "2");
    expect(cache.get("a")).toBe("2");
  });
});
