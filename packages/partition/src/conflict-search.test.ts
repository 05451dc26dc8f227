import { isValidChannel, matches, overlaps } from "@nats-streaming/subject";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createConflictSearch } from "./conflict-search.ts";

/** partitioning.md 7: own entry, incoming entry, name that is reported. The last four the original misses. */
const TABLE: readonly (readonly [string, string, string | undefined])[] = [
  ["foo", "foo", "foo"],
  ["foo", "bar", undefined],
  ["foo", "foo.bar", undefined],
  ["foo", "Foo", undefined],
  ["foo.*", "foo.bar", "foo.bar"],
  ["foo.bar", "foo.*", "foo.bar"],
  ["foo.*", "foo", undefined],
  ["foo.>", "foo", undefined],
  ["foo.*", "foo.bar.baz", undefined],
  ["foo.>", "foo.bar.baz", "foo.bar.baz"],
  ["foo.*", "foo.*", "foo.*"],
  ["foo.*", "foo.>", "foo.>"],
  ["foo.>", "foo.*", "foo.*"],
  ["foo", ">", "foo"],
  [">", "*.*", "*.*"],
  ["*.*", ">", "*.*"],
  ["*", "foo.bar", undefined],
  ["*.>", "foo", undefined],
  ["*.>", "foo.*", "foo.*"],
  ["foo.*", "foo.*.>", undefined],
  ["foo.*", "*.bar", "*.bar"],
  ["foo.>", "*.bar", "*.bar"],
  ["foo.*.c", "foo.b.*", "foo.b.*"],
  ["foo.bar.>", "foo.*.baz", "foo.*.baz"],
];

/** The rule by its letter, pair by pair. */
function byTheLetter(own: readonly string[], incoming: readonly string[]): string | undefined {
  return (
    incoming.find((name) => own.some((entry) => matches(entry, name))) ??
    own.find((entry) => incoming.some((name) => matches(name, entry))) ??
    incoming.find((name) => own.some((entry) => overlaps(entry, name)))
  );
}

describe("createConflictSearch()", () => {
  it.each(TABLE)("reports for own %j and incoming %j the name %j", (own, incoming, expected) => {
    expect(createConflictSearch([own]).find([incoming])).toBe(expected);
  });

  it("reports the first incoming name that the own list matches, before any own name", () => {
    const search = createConflictSearch(["a.b", "c", "d.*"]);
    expect(search.find(["x", "a.*", "d.1", "c"])).toBe("d.1");
    expect(search.find(["x", "*", "a.*"])).toBe("a.b");
  });

  it("reports the own name before an incoming one that only crosses", () => {
    expect(createConflictSearch(["foo.*", "bar.baz"]).find(["*.zap", "bar.*"])).toBe("bar.baz");
  });

  it("finds no conflict with an empty list", () => {
    expect(createConflictSearch(["foo"]).find([])).toBeUndefined();
  });

  it.each(["", ".", "foo.", "..", "foo..bar"])(
    "takes the hostile name %j, with an empty token, as overlapping nothing",
    (name) => {
      expect(createConflictSearch([">", "foo", "foo.*"]).find([name])).toBeUndefined();
    },
  );

  it("agrees with a comparison pair by pair, for any two lists", () => {
    const name = fc
      .array(fc.constantFrom("a", "b", "*", ">"), { minLength: 1, maxLength: 3 })
      .map((tokens) => tokens.join("."))
      .filter((text) => isValidChannel(text, { wildcards: true }));
    const list = fc.array(name, { maxLength: 5 });
    fc.assert(
      fc.property(list, list, (own, incoming) => {
        expect(createConflictSearch(own).find(incoming)).toBe(byTheLetter(own, incoming));
      }),
      { numRuns: 1_000 },
    );
  });

  it("compares 20,000 entries with 20,000 without comparing the pairs", () => {
    const names = (from: number): string[] =>
      Array.from({ length: 20_000 }, (_, i) => (i % 10 === 0 ? `ch.${from + i}.*` : `ch.${from + i}.x`));
    const search = createConflictSearch(names(0));
    expect(search.find(names(20_000))).toBeUndefined();
    expect(search.find([...names(20_000), "*.19999.>"])).toBe("ch.19999.x");
  });
});
