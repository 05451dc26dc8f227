import { describe, expect, it } from "vitest";
import { bytesOf, latin1 } from "./ascii.ts";
import { decimalLength, readSize, writeDecimal } from "./decimal.ts";

const NUMBERS = [
  0, 1, 9, 10, 99, 100, 128, 999, 1_000, 9_999, 10_000, 99_999, 100_000, 1_048_576, 999_999_999, 4_294_967_295,
];

describe("readSize()", () => {
  it("reads up to nine digits", () => {
    for (const value of NUMBERS.filter((number) => number < 1e9)) {
      const bytes = bytesOf(`x${value}y`);
      expect(readSize(bytes, 1, bytes.length - 1)).toBe(value);
    }
    expect(readSize(bytesOf("000000007"), 0, 9)).toBe(7);
  });

  it("returns -1 for what is no size", () => {
    for (const text of ["", "-1", "+1", "1.0", "1e3", "0x10", " 1", "1 ", "1234567890"]) {
      expect(readSize(bytesOf(text), 0, text.length), text).toBe(-1);
    }
  });
});

describe("writeDecimal()", () => {
  it("writes what readSize and Number read, and as long as decimalLength says", () => {
    for (const value of NUMBERS) {
      const bytes = new Uint8Array(16).fill(0x78);
      const end = writeDecimal(bytes, 2, value);
      expect(latin1(bytes, 0, 16)).toBe(`xx${value}`.padEnd(16, "x"));
      expect(end).toBe(2 + decimalLength(value));
    }
  });
});
