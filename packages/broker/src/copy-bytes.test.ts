import { describe, expect, it } from "vitest";
import { cloneBytes, copyBytes, copyShort } from "./copy-bytes.ts";

function source(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 37 + 11) & 0xff);
}

describe("copyBytes()", () => {
  it("copies every length at every alignment and nothing beside it", () => {
    const from = source(600);
    const fromView = new DataView(from.buffer);
    for (let length = 0; length < 260; length++) {
      for (let shift = 0; shift < 9; shift++) {
        const to = new Uint8Array(600).fill(0xee);
        const start = shift * 3;
        const end = copyBytes(from, fromView, start, start + length, to, new DataView(to.buffer), 8 + shift);
        expect(end).toBe(8 + shift + length);
        expect(to.subarray(8 + shift, end)).toEqual(from.subarray(start, start + length));
        expect(to.subarray(0, 8 + shift).every((byte) => byte === 0xee)).toBe(true);
        expect(to.subarray(end).every((byte) => byte === 0xee)).toBe(true);
      }
    }
  });

  it("keeps bytes that would be a signalling NaN as a number", () => {
    const from = new Uint8Array([1, 0, 0, 0, 0, 0, 0xf4, 0x7f, 1, 0, 0xa0, 0x7f, 0xff, 0xff, 0xff, 0xff]);
    const to = new Uint8Array(16);
    copyBytes(from, new DataView(from.buffer), 0, 16, to, new DataView(to.buffer), 0);
    expect(to).toEqual(from);
  });
});

describe("copyShort()", () => {
  it("copies all of a piece", () => {
    const to = new Uint8Array(8);
    expect(copyShort(source(5), to, 2)).toBe(7);
    expect(to.subarray(2, 7)).toEqual(source(5));
  });
});

describe("cloneBytes()", () => {
  it("shares no memory, not even with a Buffer", () => {
    const from = Buffer.from("abcdef");
    const clone = cloneBytes(from, 1, 4);
    from.fill(0);
    expect(clone).toEqual(new Uint8Array([0x62, 0x63, 0x64]));
  });
});
