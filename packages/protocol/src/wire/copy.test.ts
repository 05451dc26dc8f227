import { describe, expect, it } from "vitest";
import { copyBytes, copyOf } from "./copy.ts";

const source = Uint8Array.from({ length: 1_000 }, (_, i) => i & 0xff);

describe("copyBytes", () => {
  it.each([0, 1, 15, 16, 127, 128, 129, 500])("copies exactly %i bytes", (length) => {
    const target = new Uint8Array(600).fill(0xee);
    expect(copyBytes(source, 3, 3 + length, target, 5)).toBe(5 + length);
    expect([...target.subarray(5, 5 + length)]).toEqual([...source.subarray(3, 3 + length)]);
    expect([...target.subarray(0, 5), ...target.subarray(5 + length)].every((byte) => byte === 0xee)).toBe(true);
  });
});

describe("copyBytes, again and again", () => {
  it("copies every length, at every offset of a word, from and to buffers that change now and then", () => {
    const sources = [source, Buffer.from(source), source.subarray(7)];
    const targets = [new Uint8Array(700), Buffer.alloc(900), new Uint8Array(800).subarray(13)];
    for (let length = 0; length < 260; length++) {
      const from = sources[(length >> 3) % 3]!;
      for (let offset = 0; offset < 5; offset++) {
        const target = targets[(length + (offset >> 1)) % 3]!.fill(0xee);
        expect(copyBytes(from, offset, offset + length, target, 4 - offset)).toBe(4 - offset + length);
        expect(
          Buffer.compare(target.subarray(4 - offset, 4 - offset + length), from.subarray(offset, offset + length)),
        ).toBe(0);
        expect(target[4 - offset + length]).toBe(0xee);
      }
    }
  });
});

describe("copyOf", () => {
  it.each([0, 10, 500])("gives %i bytes in memory of their own", (length) => {
    const buffer = Buffer.from(source);
    const copy = copyOf(buffer, 3, 3 + length);
    buffer.fill(0);
    expect(copy).toEqual(source.slice(3, 3 + length));
  });
});
