import { describe, expect, it } from "vitest";
import { goQuote } from "./go-quote.ts";

const key = (text: string): string => Buffer.from(text).toString("latin1");

describe("goQuote()", () => {
  it("prints what Go's %q prints", () => {
    expect(goQuote("a.b")).toBe('"a.b"');
    expect(goQuote('a"b\\c')).toBe('"a\\"b\\\\c"');
    expect(goQuote("\x00\x01\x07\x08\t\x0b\x0c\x7f")).toBe('"\\x00\\x01\\a\\b\\t\\v\\f\\x7f"');
    expect(goQuote(key("größe 漢😀"))).toBe('"größe 漢😀"');
    expect(goQuote(key("\u00a0\u200b\u{e0001}"))).toBe('"\\u00a0\\u200b\\U000e0001"');
    expect(goQuote("\xff\xc3x\xe6\xbc")).toBe('"\\xff\\xc3x\\xe6\\xbc"');
    expect(goQuote(key("\ufffd"))).toBe('"\ufffd"');
  });
});
