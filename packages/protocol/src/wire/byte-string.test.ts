import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { surrounded } from "../../test-support/hex.ts";
import { byteString, byteStringBytes, byteStringToText, textToByteString, writeByteString } from "./byte-string.ts";

describe("byte strings", () => {
  it("have one character per byte and give every byte back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (content) => {
        const { bytes, start, end } = surrounded(content);
        const text = byteString(bytes, start, end);
        expect(text).toHaveLength(content.length);
        expect([...byteStringBytes(text)]).toEqual([...content]);

        const target = new Uint8Array(content.length + 2);
        expect(writeByteString(target, 1, text)).toBe(content.length + 1);
        expect([...target]).toEqual([0, ...content, 0]);
      }),
    );
  });

  it("are read from a Buffer as well", () => {
    const buffer = Buffer.from("a client ID of some length");
    expect(byteString(buffer)).toBe("a client ID of some length");
    expect(byteString(buffer, 2, 8)).toBe("client");
  });

  it("of ASCII are the text itself", () => {
    expect(textToByteString("foo.bar\u0000")).toBe("foo.bar\u0000");
    expect(byteStringToText("foo.bar\u0000")).toBe("foo.bar\u0000");
  });

  it("of other text hold its UTF-8", () => {
    expect(textToByteString("é😀")).toBe("\xc3\xa9\xf0\x9f\x98\x80");
    expect(byteStringToText("\xc3\xa9\xf0\x9f\x98\x80")).toBe("é😀");
  });

  it("show people U+FFFD where they are not UTF-8", () => {
    expect(byteStringToText("a\xffb")).toBe("a\ufffdb");
  });
});
