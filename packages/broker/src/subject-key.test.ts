import { describe, expect, it } from "vitest";
import { bytesOfKey, isKey, keyOfBytes, textOfKey } from "./subject-key.ts";

describe("a subject's key", () => {
  it("is the text where that is ASCII", () => {
    expect(isKey("orders.new")).toBe(true);
    expect(textOfKey("orders.new")).toBe("orders.new");
  });

  it("has one character per byte of UTF-8", () => {
    expect([isKey("gr\xc3\xb6\xc3\x9fe"), isKey("日")]).toEqual([true, false]);
    expect(textOfKey("gr\xc3\xb6\xc3\x9fe.\xe6\x97\xa5")).toBe("größe.日");
  });

  it("is exact for bytes that are not UTF-8", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(bytesOfKey(keyOfBytes(bytes, 0, 256))).toEqual(bytes);
    expect(textOfKey("a\xff")).toBe("a\ufffd");
  });

  it("is taken from the given range, also of memory that does not start at 0", () => {
    const bytes = new Uint8Array(Buffer.from("xxfoo.baryy")).subarray(2);
    expect(keyOfBytes(bytes, 0, 7)).toBe("foo.bar");
  });
});
