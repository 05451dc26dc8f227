import { describe, expect, it } from "vitest";
import { textToByteString } from "../wire/byte-string.ts";
import { quoteByteString } from "./quote.ts";

describe("quoteByteString", () => {
  it.each([
    ["foo.bar", '"foo.bar"'],
    ["", '""'],
    ['say "hi"', '"say \\"hi\\""'],
    ["back\\slash", '"back\\\\slash"'],
    ["\x07\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'],
    ["\x00\x1b\x7f", '"\\x00\\x1b\\x7f"'],
    ["\xff", '"\\xff"'],
    // The first byte of a sequence that does not go on, a surrogate, and a code point beyond the last.
    ["\xc3", '"\\xc3"'],
    ["\xc3a", '"\\xc3a"'],
    ["\xed\xa0\x80", '"\\xed\\xa0\\x80"'],
    ["\xf4\x90\x80\x80", '"\\xf4\\x90\\x80\\x80"'],
    ["\xc0\x80", '"\\xc0\\x80"'],
  ])("of %j is %j", (bytes, quoted) => {
    expect(quoteByteString(bytes)).toBe(quoted);
  });

  it.each([
    ["é", '"é"'],
    ["日本", '"日本"'],
    ["€ 5", '"€ 5"'],
    ["😀", '"😀"'],
    ["\u00a0", '"\\u00a0"'],
    ["\u0080", '"\\u0080"'],
    ["\u200b", '"\\u200b"'],
    ["\ufeff", '"\\ufeff"'],
    ["\u{e0001}", '"\\U000e0001"'],
  ])("of the text %j is %j", (text, quoted) => {
    expect(quoteByteString(textToByteString(text))).toBe(textToByteString(quoted));
  });
});
