import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { naiveMatches } from "../bench/naive.ts";
import { matches } from "./matches.ts";
import { createSubjectTree } from "./pattern-tree.ts";

describe("matches()", () => {
  it.each([
    ["foo", "foo", true],
    ["bar", "foo", false],
    ["*", "foo", true],
    [">", "foo", true],
    [">", "foo.bar", true],
    ["foo.>", "foo.bar", true],
    ["bar.>", "foo.bar", false],
    ["stats.>", "stats.test.22", true],
    ["stats.*.*", "stats.test.22", true],
    ["foo", "foo.bar", false],
    ["stats.test.foos", "stats.test.foos", true],
    ["stats.test.foo", "stats.test.foos", false],
  ])("SUB-09 %j against the literal %j is %j", (pattern, subject, expected) => {
    expect(matches(pattern, subject)).toBe(expected);
  });

  it.each([
    ["stats.test.*", "stats.test", false],
    ["stats.*", "stats.test.foos", false],
    ["stats.*.*.foos", "stats.test.foos", false],
    // A wildcard character inside a token is text.
    ["*bar", "*bar", true],
    ["*bar", "foobar", false],
    ["foo*", "foo*", true],
    ["foo*", "foobar", false],
    ["foo.>bar", "foo.>bar", true],
    ["foo.>bar", "foo.xbar", false],
    ["foo.*-", "foo.*-", true],
    ["foo.**", "foo.bar", false],
    ["foo.>>", "foo.bar.baz", false],
    ["*", "*bar", true],
    ["foo.>", "foo.*bar.>baz", true],
  ])("NSL-02 %j against the literal %j is %j", (pattern, subject, expected) => {
    expect(matches(pattern, subject)).toBe(expected);
  });

  it.each([
    ["foo.*", "foo.bar", true],
    ["foo.*", "foo", false],
    ["foo.*", "foo.bar.baz", false],
    ["*.*", "foo", false],
    ["foo.>", "foo.bar.baz", true],
    ["foo.>", "foo", false],
    ["a.*.c", "a.b.c", true],
    ["a.b.*", "a.b.c", true],
    ["Foo", "foo", false],
    ["föö", "fo\u0308o\u0308", false],
  ])("%j against %j is %j, as section 3 lists", (pattern, subject, expected) => {
    expect(matches(pattern, subject)).toBe(expected);
  });

  it.each(["", ".", ".foo", "foo.", "foo..bar", "..foo", "foo.."])(
    "matches nothing with the invalid subject %j",
    (subject) => {
      for (const pattern of [">", "*", "*.*", "foo.>", "*.>", subject]) expect(matches(pattern, subject)).toBe(false);
    },
  );

  it.each(["", ".", "foo.", ".foo", "foo..bar", "foo.>.bar", ">.bar", ">."])(
    "matches nothing with the invalid pattern %j",
    (pattern) => {
      for (const subject of ["foo", "foo.bar", "foo.x.bar", "x.bar", pattern]) {
        expect(matches(pattern, subject)).toBe(false);
      }
    },
  );

  it("takes subjects of any length", () => {
    const long = Array.from({ length: 20_000 }, (_, i) => `t${i}`).join(".");
    expect(matches("t0.>", long)).toBe(true);
    expect(matches(long, long)).toBe(true);
    expect(matches(long.replace("t500.", "*."), long)).toBe(true);
  });

  it("agrees with the naive model and with the tree on any text", () => {
    const text = fc.stringMatching(/^[ab*>.]{0,8}$/);
    fc.assert(
      fc.property(text, text, (pattern, subject) => {
        const expected = naiveMatches(pattern, subject);
        expect(matches(pattern, subject)).toBe(expected);
        const tree = createSubjectTree<string>();
        tree.insert(pattern, pattern);
        expect(tree.match(subject).length > 0).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});
