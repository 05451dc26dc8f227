import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { naiveMatches } from "../bench/naive.ts";
import { isSubset, overlaps } from "./overlaps.ts";
import { createSubjectTree } from "./pattern-tree.ts";

/** All texts of 1 to `lengthMax` tokens. */
function paths(tokens: readonly string[], lengthMax: number): string[] {
  let longest = [...tokens];
  const all = [...longest];
  for (let length = 2; length <= lengthMax; length++) {
    longest = longest.flatMap((path) => tokens.map((token) => `${path}.${token}`));
    all.push(...longest);
  }
  return all;
}

const PATTERNS = paths(["a", "b", "*"], 3).concat(
  ">",
  paths(["a", "b", "*"], 2).map((path) => `${path}.>`),
);
// A token that no pattern names, and one token more than any pattern has, make the enumeration decide the question.
const LITERALS = paths(["a", "b", "other"], 4);

describe("overlaps()", () => {
  it.each([
    ["foo.*", "foo.foo", true],
    ["foo.*", "*.foo", true],
    ["foo.bar.>", "*.bar.foo", true],
    ["foo.*", "foo.*.bar.>", false],
    ["foo.>", "foo", false],
    ["foo.>", ">", true],
    ["*.*", ">", true],
    ["*", "foo.>", false],
    ["foo.*.c", "foo.b.*", true],
    ["foo.>", "foo.*.bar.>", true],
    ["foo.bar.>", "foo.bar", false],
    ["foo", "foo", true],
    ["foo", "bar", false],
    ["foo.*", "foo.*", true],
    ["foo.>", "foo.>", true],
    // The wildcards are one-character tokens, nothing else.
    ["*x", "foo", false],
    ["*x", "*", true],
    [">x.foo", "bar.foo", false],
    ["foo.>x", "foo.bar", false],
    ["foo.>x", "foo.>", true],
  ])("NSL-09 %j and %j: %j, in either order", (a, b, expected) => {
    expect(overlaps(a, b)).toBe(expected);
    expect(overlaps(b, a)).toBe(expected);
  });

  it.each([
    ["foo", "foo", true],
    ["foo", "bar", false],
    ["foo", "foo.bar", false],
    ["foo", "Foo", false],
    ["foo.*", "foo.bar", true],
    ["foo.*", "foo", false],
    ["foo.*", "foo.bar.baz", false],
    ["foo.>", "foo.bar.baz", true],
    ["foo.*", "foo.>", true],
    ["foo", ">", true],
    [">", "*.*", true],
    ["*", "foo.bar", false],
    ["*.>", "foo", false],
    ["*.>", "foo.*", true],
    ["foo.*", "foo.*.>", false],
    ["foo.*", "*.bar", true],
    ["foo.>", "*.bar", true],
    ["foo.*.c", "foo.b.*", true],
    ["foo.bar.>", "foo.*.baz", true],
  ])("own %j and incoming %j: %j, as partitioning section 7 lists", (own, incoming, expected) => {
    expect(overlaps(own, incoming)).toBe(expected);
    expect(overlaps(incoming, own)).toBe(expected);
  });

  it("finds exactly the pairs of patterns that some literal matches both of", () => {
    for (const a of PATTERNS) {
      for (const b of PATTERNS) {
        const expected = LITERALS.some((literal) => naiveMatches(a, literal) && naiveMatches(b, literal));
        expect(overlaps(a, b), `${a} and ${b}`).toBe(expected);
      }
    }
  });

  it("finds a superset of what the lookup of patterns as if they were literals finds", () => {
    let missed = 0;
    for (const a of PATTERNS) {
      const own = createSubjectTree<string>();
      own.insert(a, a);
      for (const b of PATTERNS) {
        const incoming = createSubjectTree<string>();
        incoming.insert(b, b);
        const lookedUp = own.matchList(b).length > 0 || incoming.matchList(a).length > 0;
        if (lookedUp) expect(overlaps(a, b), `${a} and ${b}`).toBe(true);
        else if (overlaps(a, b)) missed++;
      }
    }
    // partitioning section 7 counts the same for the original server.
    expect([PATTERNS.length, missed]).toEqual([52, 304]);
  });

  it.each(["", ".", "foo.", ".foo", "foo..bar", ">.foo", "foo.>.bar", ">.>"])(
    "finds no overlap with the invalid pattern %j",
    (pattern) => {
      for (const other of [">", "*", "*.*", "foo.>", "*.>", "foo.*.bar", pattern]) {
        expect(overlaps(pattern, other)).toBe(false);
        expect(overlaps(other, pattern)).toBe(false);
      }
    },
  );

  it("is symmetric, and true for a pattern and any literal that it matches", () => {
    const text = fc.stringMatching(/^[ab*>.]{1,8}$/);
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(overlaps(a, b)).toBe(overlaps(b, a));
        if (!b.split(".").some((token) => token === "*" || token === ">")) {
          expect(overlaps(a, b)).toBe(naiveMatches(a, b));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("isSubset()", () => {
  it.each([
    ["foo.*", ">", true],
    ["foo.*", "*.*", true],
    ["foo.*", "foo.*", true],
    ["foo.*", "foo.bar", false],
    ["foo.>", ">", true],
    ["foo.>", "*.>", true],
    ["foo.>", "foo.>", true],
    ["foo.>", "foo.bar", false],
    ["foo.>", "foo.*", false],
    ["foo.bar", "foo.*", true],
    ["foo", "foo.>", false],
    [">", "*.>", false],
    ["*.>", ">", true],
    ["*x", "*", true],
    ["*", "*x", false],
    ["foo..bar", ">", false],
    ["foo.bar", "foo..bar", false],
    ["foo.", "foo.", false],
    ["", ">", false],
    ["foo.>.bar", ">", false],
    ["foo.x.bar", "foo.>.bar", false],
  ])("NSL-09 %j in %j: %j", (a, b, expected) => {
    expect(isSubset(a, b)).toBe(expected);
  });

  it("holds exactly when every literal that the first matches is matched by the second", () => {
    for (const a of PATTERNS) {
      for (const b of PATTERNS) {
        const expected = LITERALS.every((literal) => !naiveMatches(a, literal) || naiveMatches(b, literal));
        expect(isSubset(a, b), `${a} in ${b}`).toBe(expected);
      }
    }
  });
});
