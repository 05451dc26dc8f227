import { describe, expect, it } from "vitest";
import {
  checkChannel,
  checkLiteralSubject,
  checkSubject,
  isLiteralChannel,
  isLiteralSubject,
  isValidChannel,
  isValidLiteralSubject,
  isValidSubject,
} from "./grammar.ts";

interface Row {
  readonly names: readonly string[];
  readonly channel: boolean;
  readonly pattern: boolean;
  readonly subject: boolean;
  readonly literal: boolean;
}

// The table of subject-matching section 2.
const TABLE: readonly Row[] = [
  { names: [""], channel: false, pattern: false, subject: false, literal: false },
  { names: ["foo", "foo.bar", "a".repeat(300)], channel: true, pattern: true, subject: true, literal: true },
  {
    names: [".", "..", ".foo", "foo.", "foo..bar", "foo.bar..baz"],
    channel: false,
    pattern: false,
    subject: false,
    literal: false,
  },
  { names: ["foo.*", "*", "*.bar.*", "foo.*.*"], channel: false, pattern: true, subject: true, literal: false },
  {
    names: ["foo.>", ">", "foo.*.>", "*.>", "*.bar.>"],
    channel: false,
    pattern: true,
    subject: true,
    literal: false,
  },
  { names: ["foo.>.bar", ">.", ">.>", ">.foo"], channel: false, pattern: false, subject: false, literal: false },
  {
    names: ["foo*", "foo.bar*", "foo*.bar", "foo.*bar", "*bar", "foo**", "**"],
    channel: false,
    pattern: false,
    subject: true,
    literal: true,
  },
  {
    names: ["foo>", "foo.bar>", "foo>.bar", "foo.>bar", ">bar", "foo.>>", ">>.foo"],
    channel: false,
    pattern: false,
    subject: true,
    literal: true,
  },
  { names: ["foo/bar", "/", "foo./"], channel: false, pattern: false, subject: true, literal: true },
  {
    names: ["foo bar", "foo\tbar", "foo\rbar", "foo\nbar", "foo\fbar", " ", "foo.bar "],
    channel: true,
    pattern: true,
    subject: false,
    literal: true,
  },
  {
    names: ["foo\0bar", "foo\ufffd", "\ud800.foo", "föö.日本"],
    channel: true,
    pattern: true,
    subject: true,
    literal: true,
  },
];

function rows(): { readonly name: string; readonly row: Row }[] {
  return TABLE.flatMap((row) => row.names.map((name) => ({ name, row })));
}

describe("channel names", () => {
  it.each(rows())("SUB-15 judges $name as a literal name and as a pattern", ({ name, row }) => {
    expect(isValidChannel(name)).toBe(row.channel);
    expect(isValidChannel(name, { wildcards: false })).toBe(row.channel);
    expect(isValidChannel(name, { wildcards: true })).toBe(row.pattern);
  });

  it("SUB-15 accepts a name of 101 tokens", () => {
    expect(isValidChannel(Array.from({ length: 101 }, (_, i) => `t${i}`).join("."))).toBe(true);
  });

  it("SUB-15 calls a name literal when it holds no wildcard character at all", () => {
    for (const name of ["foo", "foo.bar", "foo.bar.baz"]) expect(isLiteralChannel(name)).toBe(true);
    for (const name of ["*", ">", "foo.*", "foo.>", "foo*.bar", "fo>o", "foo.>.bar"]) {
      expect(isLiteralChannel(name)).toBe(false);
    }
  });

  it.each([
    "foo bar",
    "foo\tbar",
    "foo\nbar",
    "foo\rbar",
    "foo\fbar",
    "foo\vbar",
    "foo\0bar",
    "foo\u0007",
    "foo\u007f",
    "foo\u0085",
    "foo\u00a0bar",
    "foo\u2028",
    "foo\ufffd",
    "foo.\ud800",
    "\udc00.foo",
  ])("refuses %j in strict mode", (name) => {
    expect(isValidChannel(name)).toBe(true);
    expect(isValidChannel(name, { strict: true })).toBe(false);
    expect(isValidChannel(name, { wildcards: true, strict: true })).toBe(false);
  });

  it.each(["foo", "föö.日本", "emoji.😀", "a-b_c:d=e~1"])("accepts %j in strict mode", (name) => {
    expect(isValidChannel(name, { strict: true })).toBe(true);
  });
});

describe("NATS subjects", () => {
  it.each(rows())("NSL-01 judges $name as a subject and as a literal subject", ({ name, row }) => {
    expect(isValidSubject(name)).toBe(row.subject);
    expect(isValidLiteralSubject(name)).toBe(row.literal);
  });

  it.each(["foo\0bar", "foo.\ufffd", "\ud800.foo", "foo\udc00"])("NSL-01 refuses %j in strict mode only", (subject) => {
    expect(isValidSubject(subject)).toBe(true);
    expect(isValidSubject(subject, { strict: true })).toBe(false);
    expect(isValidLiteralSubject(subject)).toBe(true);
    expect(isValidLiteralSubject(subject, { strict: true })).toBe(false);
  });

  it("NSL-01 refuses white space in a literal subject in strict mode only", () => {
    expect(isValidLiteralSubject("foo bar")).toBe(true);
    expect(isValidLiteralSubject("foo bar", { strict: true })).toBe(false);
  });

  it("accepts whole surrogate pairs in strict mode", () => {
    expect(isValidSubject("emoji.😀.*", { strict: true })).toBe(true);
    expect(isValidLiteralSubject("emoji.😀", { strict: true })).toBe(true);
  });

  it.each(["foo", "foo*.bar", "foo.bar*", "*bar", "foo.>>", "foo.*-.x", "**"])("NSL-01 calls %j literal", (subject) => {
    expect(isLiteralSubject(subject)).toBe(true);
  });

  it.each(["*", ">", "foo.*", "*.foo", "foo.>", "a.*.b", "foo.>.bar"])("NSL-01 calls %j not literal", (subject) => {
    expect(isLiteralSubject(subject)).toBe(false);
  });
});

describe("explanations", () => {
  it.each([
    ["", 0, "empty"],
    ["foo..bar", 4, 'remove the extra "."'],
    ["foo.", 4, 'remove the extra "."'],
    ["foo.>.bar", 6, '">" must be the last token'],
    ["foo.b*r", 5, "a wildcard must be a whole token"],
    ["foo/bar", 3, 'part tokens by "."'],
  ])("names the place in the channel %j and the remedy", (name, position, remedy) => {
    expect(checkChannel(name, { wildcards: true })).toEqual({
      kind: "invalid",
      position,
      reason: expect.stringContaining(remedy),
    });
  });

  it("names the wildcard that a literal name must not have", () => {
    expect(checkChannel("foo.*.bar")).toEqual({
      kind: "invalid",
      position: 4,
      reason: 'the token at position 4 is the wildcard "*": a literal name is needed',
    });
    expect(checkLiteralSubject("foo.>")).toMatchObject({ kind: "invalid", position: 4 });
  });

  it("names white space and characters that cannot be seen", () => {
    expect(checkSubject("a b")).toEqual({
      kind: "invalid",
      position: 1,
      reason: "white space at position 1: remove it",
    });
    expect(checkChannel("foo\0", { strict: true })).toEqual({
      kind: "invalid",
      position: 3,
      reason: "the character U+0000 at position 3 cannot be used: remove it",
    });
  });

  it("agrees with the short tests on valid names", () => {
    expect(checkChannel("foo.bar")).toEqual({ kind: "valid" });
    expect(checkSubject("foo.*.>")).toEqual({ kind: "valid" });
    expect(checkLiteralSubject("foo*.bar")).toEqual({ kind: "valid" });
  });
});
