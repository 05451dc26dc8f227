import { describe, expect, it } from "vitest";
import { createKnownLists } from "./known-lists.ts";

describe("known lists", () => {
  it("puts the parts of one list together, and begins anew with another list", () => {
    const lists = createKnownLists();
    lists.heard("a", "check1", ["foo", "bar.*"]);
    lists.heard("a", "check1", ["baz", "foo"]);
    expect([...lists.entries()]).toEqual([["a", ["foo", "bar.*", "baz"]]]);
    lists.heard("a", "check2", ["qux"]);
    expect([...lists.entries()]).toEqual([["a", ["qux"]]]);
    expect(lists.ownersOf("foo")).toEqual([]);
  });

  it("says who has listed a channel, wildcards included", () => {
    const lists = createKnownLists();
    lists.heard("a", "1", ["foo.*"]);
    lists.heard("b", "1", ["foo.bar"]);
    expect([...lists.ownersOf("foo.bar")].sort()).toEqual(["a", "b"]);
    lists.forget("a");
    expect(lists.ownersOf("foo.bar")).toEqual(["b"]);
    expect([lists.has("a"), lists.has("b")]).toEqual([false, true]);
  });

  it("skips what is no channel, and holds a million names at most", () => {
    const lists = createKnownLists();
    lists.heard("a", "1", ["", "..", "foo..bar", "ok"]);
    expect([...lists.entries()]).toEqual([["a", ["ok"]]]);
    lists.heard(
      "forger",
      "1",
      Array.from({ length: 1_000_001 }, (_, i) => `n.${i}`),
    );
    expect(lists.isComplete).toBe(false);
    lists.forget("forger");
    expect(lists.ownersOf("n.5")).toEqual([]);
    lists.forget("a");
    expect(lists.isComplete).toBe(true);
  }, 60_000);

  it("holds a hundred thousand patterns at most, since each of them costs time", () => {
    const lists = createKnownLists();
    const patterns = Array.from({ length: 100_001 }, (_, i) => `n.${i}.*`);
    lists.heard("forger", "1", [...patterns, "literal"]);
    expect(lists.isComplete).toBe(false);
    expect(lists.ownersOf("n.100000.x")).toEqual([]);
    expect(lists.ownersOf("literal")).toEqual(["forger"]);
  }, 60_000);

  it("keeps the others of a name when one goes", () => {
    const lists = createKnownLists();
    for (const id of ["a", "b", "c"]) lists.heard(id, "1", ["foo", "foo.*"]);
    lists.forget("b");
    expect([...lists.ownersOf("foo")]).toEqual(["a", "c"]);
    lists.forget("a");
    lists.forget("c");
    expect([...lists.ownersOf("foo"), ...lists.ownersOf("foo.x")]).toEqual([]);
  });

  it("holds a bounded number of servers", () => {
    const lists = createKnownLists();
    for (let i = 0; i < 20_000; i++) lists.heard(`forged${i}`, "1", ["x"]);
    expect([...lists.entries()]).toHaveLength(16_384);
    expect(lists.isComplete).toBe(false);
  });
});
