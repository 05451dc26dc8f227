import { matches } from "@nats-streaming/subject";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChannelScope, channelScope } from "./channel-scope.ts";

function scopeOf(...entries: string[]): ChannelScope {
  const outcome = channelScope(entries);
  if (outcome.kind !== "scope") throw new Error(outcome.message);
  return outcome.scope;
}

describe("channelScope()", () => {
  it("keeps the entries in file order, each once", () => {
    expect(scopeOf("foo.>", "bar", "foo.bar", "bar").entries).toEqual(["foo.>", "bar", "foo.bar"]);
  });

  it("PART-01 refuses a list without entries", () => {
    expect(channelScope([])).toEqual({ kind: "no_channel", message: "stan: no configured channel" });
  });

  it.each([".", ".foo", "foo.", "foo*", "foo.*.", "foo.>.bar", "foo/bar", "", "foo..bar", "foo.*bar", "foo.>.>"])(
    "PART-02 refuses the entry %j",
    (entry) => {
      expect(channelScope(["ok", entry])).toEqual({
        kind: "invalid_channel",
        message: `invalid channel name "${entry}"`,
        entry,
      });
    },
  );

  it.each([
    ["foo bar", 'invalid channel name "foo bar"'],
    ["foo\tbar", 'invalid channel name "foo\\tbar"'],
    ["foo\n", 'invalid channel name "foo\\n"'],
  ])("PART-D13 refuses the entry %j, which NATS cannot carry", (entry, message) => {
    expect(channelScope([entry])).toMatchObject({ kind: "invalid_channel", message });
  });

  it.each([">", "*", "foo.*", "*.>", "foo.*.bar", "zürich.日本", "Foo"])("takes the entry %j", (entry) => {
    expect(scopeOf(entry).entries).toEqual([entry]);
  });

  it("takes a few million characters of entries without harm", () => {
    const scope = scopeOf(...Array.from({ length: 100_000 }, (_, i) => `channel.number.${i}`));
    expect(scope.firstMatch("channel.number.99999")).toBe(99_999);
    expect(scope.owns("channel.number.100000")).toBe(false);
    expect(scope.selfOverlaps).toBe(false);
  });
});

describe("firstMatch()", () => {
  it("PART-D1 gives a channel that several entries match to the first of them", () => {
    const scope = scopeOf("foo.*", "foo.bar", "foo.>");
    expect(["foo.bar", "foo.baz", "foo.a.b", "foo", "bar"].map(scope.firstMatch)).toEqual([0, 0, 2, -1, -1]);
  });

  it("PART-D1 gives a channel to a literal entry that stands first", () => {
    expect(scopeOf("foo.bar", "foo.*").firstMatch("foo.bar")).toBe(0);
    expect(scopeOf("*.bar", "foo.bar", "foo.*").firstMatch("foo.bar")).toBe(0);
  });

  it("PART-10 tells the channels of the wildcard example from the others", () => {
    const scope = scopeOf("foo.*", "bar.>");
    const served = ["foo.bar", "bar.baz", "bar.baz.bat"];
    const ignored = ["foo", "foo.bar.baz", "bar", "some.other.channel"];
    expect(served.map(scope.owns)).toEqual([true, true, true]);
    expect(ignored.map(scope.owns)).toEqual([false, false, false, false]);
  });

  it("tells names apart that differ only in case", () => {
    const scope = scopeOf("foo", "Foo");
    expect([scope.firstMatch("foo"), scope.firstMatch("Foo"), scope.firstMatch("FOO")]).toEqual([0, 1, -1]);
  });

  const token = fc.constantFrom("a", "b", "*", ">");
  const pattern = fc
    .array(token, { minLength: 1, maxLength: 3 })
    .map((tokens) => tokens.join("."))
    .filter((name) => channelScope([name]).kind === "scope");
  const literal = fc
    .array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 })
    .map((tokens) => tokens.join("."));

  it("agrees with a search through the list, for any list and channel", () => {
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { minLength: 1, maxLength: 8 }), literal, (entries, channel) => {
        const scope = scopeOf(...entries);
        expect(scope.firstMatch(channel)).toBe(entries.findIndex((entry) => matches(entry, channel)));
        expect(scope.owns(channel)).toBe(scope.firstMatch(channel) >= 0);
      }),
    );
  });

  it("says that a list overlaps itself whenever some channel matches two entries", () => {
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { minLength: 1, maxLength: 4 }), literal, (entries, channel) => {
        const times = entries.filter((entry) => matches(entry, channel)).length;
        if (times > 1) expect(scopeOf(...entries).selfOverlaps).toBe(true);
      }),
    );
  });

  it.each([
    [["foo", "bar", "baz.*"], false],
    [["foo.*", "bar.>"], false],
    [["foo.>", "foo.bar"], true],
    [["foo.*", "*.bar"], true],
    [[">"], false],
  ])("says of %j whether it overlaps itself: %s", (entries, expected) => {
    expect(scopeOf(...entries).selfOverlaps).toBe(expected);
  });
});
