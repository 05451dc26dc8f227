import { describe, expect, it } from "vitest";
import { createSubjectTree } from "./pattern-tree.ts";
import { WEIGHT_MAX } from "./subject-tree.ts";

const NO_MATCH = { kind: "no_match", message: "sublist: no match found" };

describe("queue groups", () => {
  it("NSL-07 gives plain values, and one list for each queue name", () => {
    const tree = createSubjectTree<string>();
    tree.insert("foo", "p1");
    tree.insert("foo", "a1", { queue: "a" });
    tree.insert("foo", "b1", { queue: "b" });
    tree.insert("foo", "a2", { queue: "a" });
    tree.insert("foo", "p2");
    expect(tree.count).toBe(5);
    expect(tree.match("foo")).toEqual(["p1", "p2"]);
    expect(tree.matchGroups("foo")).toEqual({
      values: ["p1", "p2"],
      queues: [
        { queue: "a", values: ["a1", "a2"] },
        { queue: "b", values: ["b1"] },
      ],
    });
  });

  it("NSL-07 joins the members of one queue name that several patterns bring", () => {
    const tree = createSubjectTree<string>();
    tree.insert("foo.bar", "narrow", { queue: "q" });
    tree.insert("foo.*", "wide", { queue: "q" });
    tree.insert(">", "other", { queue: "r" });
    expect(tree.matchGroups("foo.bar")).toEqual({
      values: [],
      queues: [
        { queue: "r", values: ["other"] },
        { queue: "q", values: ["wide", "narrow"] },
      ],
    });
    expect(tree.match("foo.bar")).toEqual([]);
    expect(tree.hasInterest("foo.bar")).toBe(true);
  });

  it("NSL-07 lists a member as often as it weighs", () => {
    const tree = createSubjectTree<string>();
    tree.insert("foo", "remote", { queue: "q", weight: 3 });
    tree.insert("foo", "local", { queue: "q" });
    expect(tree.matchGroups("foo").queues).toEqual([{ queue: "q", values: ["remote", "remote", "remote", "local"] }]);
    expect(tree.numInterest("foo")).toEqual({ plain: 0, queue: 4 });
    expect(tree.count).toBe(2);
  });

  it.each(["foo", "foo.*", ">"])("NSL-07 shows a new weight of %s in results that were cached", (pattern) => {
    const tree = createSubjectTree<string>();
    tree.insert(pattern, "remote", { queue: "q", weight: 2 });
    const subject = pattern.replace("*", "bar").replace(">", "foo");
    const before = tree.matchGroups(subject);
    expect(before.queues[0]?.values).toHaveLength(2);
    expect(tree.setWeight(pattern, "remote", { queue: "q", weight: 5 })).toEqual({ kind: "changed" });
    expect(tree.matchGroups(subject).queues[0]?.values).toHaveLength(5);
    expect(tree.numInterest(subject)).toEqual({ plain: 0, queue: 5 });
    expect(before.queues[0]?.values).toHaveLength(2);
  });

  it("NSL-07 removes the insertion of the group that is named and no other", () => {
    const tree = createSubjectTree<string>();
    tree.insert("foo", "v");
    tree.insert("foo", "v", { queue: "a" });
    tree.insert("foo", "v", { queue: "b" });
    expect(tree.remove("foo", "v", { queue: "c" })).toEqual(NO_MATCH);
    expect(tree.remove("foo", "v", { queue: "a" })).toEqual({ kind: "removed" });
    expect(tree.remove("foo", "v", { queue: "a" })).toEqual(NO_MATCH);
    expect(tree.matchGroups("foo")).toEqual({ values: ["v"], queues: [{ queue: "b", values: ["v"] }] });
    expect(tree.remove("foo", "v")).toEqual({ kind: "removed" });
    expect(tree.remove("foo", "v")).toEqual(NO_MATCH);
    expect(tree.remove("foo", "v", { queue: "b" })).toEqual({ kind: "removed" });
    expect(tree.statistics()).toMatchObject({ count: 0, nodes: 0, sharedPatterns: 0 });
  });

  it("removes the oldest of several insertions of one member", () => {
    const tree = createSubjectTree<string>();
    tree.insert("foo", "v", { queue: "q", weight: 2 });
    tree.insert("foo", "v", { queue: "q", weight: 1 });
    expect(tree.matchGroups("foo").queues[0]?.values).toHaveLength(3);
    tree.remove("foo", "v", { queue: "q" });
    expect(tree.matchGroups("foo").queues[0]?.values).toHaveLength(1);
    expect(tree.numInterest("foo")).toEqual({ plain: 0, queue: 1 });
  });

  it("takes an empty queue name as none", () => {
    const tree = createSubjectTree<string>();
    tree.insert("foo", "v", { queue: "" });
    expect(tree.matchGroups("foo")).toEqual({ values: ["v"], queues: [] });
    expect(tree.remove("foo", "v", { queue: "" })).toEqual({ kind: "removed" });
  });

  it.each([0, -1, 1.5, Number.NaN, WEIGHT_MAX + 1])("refuses the weight %d and leaves no trace", (weight) => {
    const tree = createSubjectTree<string>();
    const refused = { kind: "invalid_weight", message: `the weight ${weight} is not a whole number from 1 to 65536` };
    expect(tree.insert("foo", "v", { queue: "q", weight })).toEqual(refused);
    expect(tree.statistics()).toMatchObject({ count: 0, nodes: 0 });
    tree.insert("foo", "v", { queue: "q" });
    expect(tree.setWeight("foo", "v", { queue: "q", weight })).toEqual(refused);
    expect(tree.matchGroups("foo").queues[0]?.values).toHaveLength(1);
  });

  it("finds nothing to weigh when subject, value or group is not there", () => {
    const tree = createSubjectTree<string>();
    tree.insert("foo", "v", { queue: "q" });
    tree.insert("plain", "v");
    expect(tree.setWeight("foo", "w", { queue: "q", weight: 2 })).toEqual(NO_MATCH);
    expect(tree.setWeight("foo", "v", { queue: "r", weight: 2 })).toEqual(NO_MATCH);
    expect(tree.setWeight("plain", "v", { queue: "q", weight: 2 })).toEqual(NO_MATCH);
    expect(tree.setWeight("nowhere", "v", { queue: "q", weight: 2 })).toEqual(NO_MATCH);
    expect(tree.setWeight("a..b", "v", { queue: "q", weight: 2 })).toMatchObject({ kind: "invalid_subject" });
  });

  it("freezes groups and their lists", () => {
    const tree = createSubjectTree<string>();
    tree.insert("foo", "v", { queue: "q" });
    const result = tree.matchGroups("foo");
    for (const part of [result, result.values, result.queues, result.queues[0], result.queues[0]?.values]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });
});
