import { describe, expect, it } from "vitest";
import { displayName, quoteName } from "./display-name.ts";

const bytes = (text: string) => Buffer.from(text, "utf8").toString("latin1");

describe("quoteName", () => {
  it.each([
    ["foo.bar", '"foo.bar"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ["\x07\b\f\n\r\t\v\0\x1b\x7f", '"\\a\\b\\f\\n\\r\\t\\v\\x00\\x1b\\x7f"'],
    [bytes("grün 日本 😀"), '"grün 日本 😀"'],
    [bytes("a\u00a0b\u0085\u{e0001}"), '"a\\u00a0b\\u0085\\U000e0001"'],
    ["\xff\xe6\x97", '"\\xff\\xe6\\x97"'],
    ["\xc0\x80\xed\xa0\x80", '"\\xc0\\x80\\xed\\xa0\\x80"'],
    ["日本", '"日本"'],
  ])("quotes %j", (name, quoted) => {
    expect(quoteName(name)).toBe(quoted);
  });
});

describe("displayName", () => {
  it("decodes a name that is UTF-8 and leaves every other as it is", () => {
    expect(displayName("foo")).toBe("foo");
    expect(displayName(bytes("grün"))).toBe("grün");
    expect(displayName("\xff")).toBe("\xff");
    expect(displayName("日本")).toBe("日本");
  });
});
