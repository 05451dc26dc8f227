import { describe, expect, it } from "vitest";
import { createSubjectTree } from "./pattern-tree.ts";

describe("watchInterest()", () => {
  it("NSL-13 tells when interest in a literal subject appears and disappears", () => {
    const tree = createSubjectTree<string>();
    const heard: boolean[] = [];
    expect(tree.watchInterest("foo", (interested) => heard.push(interested))).toEqual({
      kind: "watching",
      interested: false,
    });
    tree.insert("foo", "a");
    expect(heard).toEqual([true]);
    tree.remove("foo", "a");
    expect(heard).toEqual([true, false]);
  });

  it("NSL-13 says at once whether there is interest already, and tells the end of it", () => {
    const tree = createSubjectTree<string>();
    const heard: boolean[] = [];
    tree.insert("foo", "a");
    tree.insert("foo", "b");
    expect(tree.watchInterest("foo", (interested) => heard.push(interested))).toEqual({
      kind: "watching",
      interested: true,
    });
    tree.remove("foo", "a");
    expect(heard).toEqual([]);
    tree.remove("foo", "b");
    expect(heard).toEqual([false]);
  });

  it("NSL-13 does not repeat a state", () => {
    const tree = createSubjectTree<string>();
    const heard: boolean[] = [];
    tree.watchInterest("foo", (interested) => heard.push(interested));
    tree.insert("foo", "a");
    tree.insert("foo", "a");
    tree.insert("foo", "b");
    tree.remove("foo", "nobody");
    tree.remove("foo", "a");
    expect(heard).toEqual([true]);
  });

  it("NSL-13 is not moved by wildcards, other subjects or queue groups", () => {
    const tree = createSubjectTree<string>();
    const heard: boolean[] = [];
    tree.watchInterest("foo.bar", (interested) => heard.push(interested));
    for (const pattern of ["foo.*", "foo.>", ">", "*.bar", "foo", "foo.bar.baz"]) tree.insert(pattern, pattern);
    tree.insert("foo.bar", "member", { queue: "q" });
    tree.remove("foo.bar", "member", { queue: "q" });
    for (const pattern of ["foo.*", "foo.>", ">", "*.bar", "foo", "foo.bar.baz"]) tree.remove(pattern, pattern);
    expect(heard).toEqual([]);
  });

  it("NSL-13 watches one queue group of a subject", () => {
    const tree = createSubjectTree<string>();
    const heard: boolean[] = [];
    const listener = (interested: boolean): void => {
      heard.push(interested);
    };
    expect(tree.watchInterest("foo", listener, { queue: "q" })).toEqual({ kind: "watching", interested: false });
    tree.insert("foo", "plain");
    tree.insert("foo", "other", { queue: "r" });
    expect(heard).toEqual([]);
    tree.insert("foo", "one", { queue: "q" });
    tree.insert("foo", "two", { queue: "q", weight: 2 });
    tree.remove("foo", "one", { queue: "q" });
    expect(heard).toEqual([true]);
    tree.remove("foo", "two", { queue: "q" });
    expect(heard).toEqual([true, false]);
    expect(tree.watchInterest("foo", listener, { queue: "r" })).toEqual({ kind: "watching", interested: true });
    expect(tree.watchInterest("foo", listener)).toEqual({ kind: "watching", interested: true });
  });

  it("NSL-13 refuses the same listener for the same subject twice, and takes others", () => {
    const tree = createSubjectTree<string>();
    const heard: string[] = [];
    const first = (): void => {
      heard.push("first");
    };
    const second = (): void => {
      heard.push("second");
    };
    expect(tree.watchInterest("foo", first).kind).toBe("watching");
    expect(tree.watchInterest("foo", first)).toEqual({ kind: "already_watching" });
    expect(tree.watchInterest("foo", second).kind).toBe("watching");
    expect(tree.watchInterest("foo", first, { queue: "q" }).kind).toBe("watching");
    tree.insert("foo", "a");
    expect(heard).toEqual(["first", "second"]);
  });

  it.each(["foo.*", ">", "*", "foo..bar", ""])("NSL-13 refuses %j, which is not a literal subject", (subject) => {
    const tree = createSubjectTree<string>();
    const outcome = tree.watchInterest(subject, () => {});
    expect(outcome).toMatchObject({ kind: "invalid_subject", message: "sublist: invalid subject", subject });
  });

  it("NSL-13 ends with unwatchInterest", () => {
    const tree = createSubjectTree<string>();
    const heard: boolean[] = [];
    const listener = (interested: boolean): void => {
      heard.push(interested);
    };
    const other = (): void => {};
    tree.watchInterest("foo", listener);
    tree.watchInterest("foo", other);
    expect(tree.unwatchInterest("foo", listener, { queue: "q" })).toBe(false);
    expect(tree.unwatchInterest("foo", listener)).toBe(true);
    expect(tree.unwatchInterest("foo", listener)).toBe(false);
    expect(tree.unwatchInterest("foo", other)).toBe(true);
    tree.insert("foo", "a");
    expect(heard).toEqual([]);
  });

  it("lets a listener change the tree and the watching", () => {
    const tree = createSubjectTree<string>();
    const listener = (interested: boolean): void => {
      if (!interested) return;
      tree.unwatchInterest("foo", listener);
      tree.insert("foo", "from the listener");
    };
    tree.watchInterest("foo", listener);
    tree.insert("foo", "a");
    expect(tree.match("foo")).toEqual(["a", "from the listener"]);
  });

  it("lets an error of a listener out after the change was made", () => {
    const tree = createSubjectTree<string>();
    tree.watchInterest("foo", () => {
      throw new Error("listener");
    });
    expect(() => tree.insert("foo", "a")).toThrow("listener");
    expect(tree.match("foo")).toEqual(["a"]);
    expect(tree.count).toBe(1);
  });

  it("keeps queue names and subjects apart that read alike together", () => {
    const tree = createSubjectTree<string>();
    const heard: string[] = [];
    tree.watchInterest("b c", () => heard.push("b c in a"), { queue: "a" });
    tree.watchInterest("c", () => heard.push("c in ab"), { queue: "ab" });
    tree.insert("c", "v", { queue: "ab" });
    expect(heard).toEqual(["c in ab"]);
  });
});
