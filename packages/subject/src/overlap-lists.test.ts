import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findOverlap, type Overlap, overlapsOf } from "./overlap-lists.ts";
import { overlaps } from "./overlaps.ts";

function pairwise(incoming: readonly string[], own: readonly string[]): Overlap[] {
  return incoming.flatMap((pattern, incomingIndex) =>
    own.flatMap((other, ownIndex) =>
      overlaps(pattern, other) ? [{ incoming: pattern, incomingIndex, own: other, ownIndex }] : [],
    ),
  );
}

describe("findOverlap()", () => {
  it("names the first incoming pattern that overlaps, and the first own one that it overlaps", () => {
    const incoming = ["ok.a", "foo.*", "bar"];
    const own = ["bar", "x.y", "*.baz", "foo.>"];
    expect(findOverlap(incoming, own)).toEqual({ incoming: "foo.*", incomingIndex: 1, own: "*.baz", ownIndex: 2 });
  });

  it("finds patterns that only cross", () => {
    expect(findOverlap(["foo.baz.*"], ["foo.*.bar"])).toMatchObject({ incoming: "foo.baz.*", own: "foo.*.bar" });
  });

  it("finds nothing when either list is empty, disjoint or invalid", () => {
    expect(findOverlap([], [">"])).toBeUndefined();
    expect(findOverlap([">"], [])).toBeUndefined();
    expect(findOverlap(["foo", "foo.*.bar"], ["bar", "foo.*"])).toBeUndefined();
    expect(findOverlap(["foo.>"], ["foo"])).toBeUndefined();
    expect(findOverlap(["foo..bar", "", "a.>.b"], [">", "*.*.*"])).toBeUndefined();
  });
});

describe("overlapsOf()", () => {
  it("lists every pair in the order of the incoming list, then of the own one", () => {
    const incoming = [">", "foo.bar", "a.*"];
    const own = ["b.>", "foo.*", "foo.bar"];
    expect([...overlapsOf(incoming, own)].map((pair) => [pair.incoming, pair.own])).toEqual([
      [">", "b.>"],
      [">", "foo.*"],
      [">", "foo.bar"],
      ["foo.bar", "foo.*"],
      ["foo.bar", "foo.bar"],
    ]);
  });

  it("lists repeated patterns as often as they are repeated", () => {
    const pairs = [...overlapsOf(["foo", "foo"], ["foo", "x", "foo"])];
    expect(pairs.map((pair) => [pair.incomingIndex, pair.ownIndex])).toEqual([
      [0, 0],
      [0, 2],
      [1, 0],
      [1, 2],
    ]);
  });

  it("lists a pair of patterns that both end in > once", () => {
    expect([...overlapsOf(["a.>", ">", "a.b.>"], ["a.>"])]).toHaveLength(3);
  });

  it("agrees with the comparison of every pair, and findOverlap with its first", () => {
    const token = fc.constantFrom("a", "b", "c", "*");
    const pattern = fc
      .tuple(fc.array(token, { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([tokens, isOpen]) => (isOpen ? [...tokens.slice(1), ">"] : tokens).join("."));
    const list = fc.array(fc.oneof({ weight: 20, arbitrary: pattern }, { weight: 1, arbitrary: fc.constant("a..b") }), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(list, list, (incoming, own) => {
        const expected = pairwise(incoming, own);
        expect([...overlapsOf(incoming, own)]).toEqual(expected);
        expect(findOverlap(incoming, own)).toEqual(expected[0]);
      }),
      { numRuns: 3000 },
    );
  });

  it("walks lists that would take 10^8 comparisons one by one", () => {
    const incoming = Array.from({ length: 10_000 }, (_, i) => `*.y${i}.*`);
    const own = Array.from({ length: 10_000 }, (_, i) => `a${i}.*.x`);
    expect(findOverlap(incoming, own)).toMatchObject({ incomingIndex: 0, ownIndex: 0 });
    expect(
      findOverlap(
        incoming,
        own.map((pattern) => `${pattern}.z`),
      ),
    ).toBeUndefined();
  });

  it("gives the pairs one by one, so that the product of two large lists can be looked into", () => {
    const many = Array.from({ length: 2_000 }, (_, i) => `${i % 2 === 0 ? "*" : `t${i}`}.>`);
    const seen: number[] = [];
    for (const pair of overlapsOf(many, many)) {
      seen.push(pair.ownIndex);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([0, 1, 2]);
  });
});
