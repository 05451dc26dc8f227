import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { safeInteger } from "../../test-support/messages.ts";
import { type Bits64, bits64, bitsToBigInt, bitsToBigUint, bitsToNumber, readVarint } from "./read.ts";
import { bitsSize, bitsToTimestamp, timestampBits, varintSize, writeBits, writeVarint } from "./write.ts";

const uint64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.integer({ min: 0, max: 63 }).map((bit) => 2n ** BigInt(bit)),
  fc.integer({ min: 1, max: 64 }).map((bit) => 2n ** BigInt(bit) - 1n),
);

function bitsOf(value: bigint): Bits64 {
  return { low: Number(value & 0xffff_ffffn), high: Number(value >> 32n) };
}

/** The definition of a varint, by division. */
function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest /= 128n) bytes.push(Number(rest % 128n) + 128);
  return [...bytes, Number(rest)];
}

describe("varints of safe integers", () => {
  it("are written and read back in exactly varintSize bytes", () => {
    fc.assert(
      fc.property(safeInteger, (value) => {
        const target = new Uint8Array(12);
        const end = writeVarint(target, 1, value);
        expect([...target.subarray(1, end)]).toEqual(varint(BigInt(value)));
        expect(end - 1).toBe(varintSize(value));
        const out = bits64();
        expect(readVarint(target, 1, end, out)).toBe(end);
        expect(bitsToNumber(out)).toBe(value);
      }),
      { numRuns: 500 },
    );
  });
});

describe("varints of 64 bits", () => {
  it("are written and read back in exactly bitsSize bytes", () => {
    fc.assert(
      fc.property(uint64, (value) => {
        const target = new Uint8Array(12);
        const end = writeBits(target, 1, bitsOf(value));
        expect([...target.subarray(1, end)]).toEqual(varint(value));
        expect(end - 1).toBe(bitsSize(bitsOf(value)));
        const out = bits64();
        expect(readVarint(target, 1, end, out)).toBe(end);
        expect(bitsToBigUint(out)).toBe(value);
        expect(bitsToBigInt(out)).toBe(BigInt.asIntN(64, value));
      }),
      { numRuns: 500 },
    );
  });

  it("above 2^53 - 1 are never taken for a smaller number", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }), (value) => {
        expect(bitsToNumber(bitsOf(value))).toBeGreaterThanOrEqual(2 ** 53);
      }),
    );
  });
});

describe("timestamps as 64 bits", () => {
  it("hold millis * 1,000,000 + nanos exactly, also before 1970, and give both back", () => {
    const millis = fc.oneof(
      fc.integer({ min: -9_223_372_036_854, max: 9_223_372_036_853 }),
      fc.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 }),
    );
    fc.assert(
      fc.property(millis, fc.nat(999_999), (wholeMillis, nanos) => {
        const bits = bits64();
        timestampBits({ millis: wholeMillis, nanos }, bits);
        expect(bitsToBigInt(bits)).toBe(BigInt(wholeMillis) * 1_000_000n + BigInt(nanos));
        const back = { millis: 0, nanos: 0 };
        bitsToTimestamp(bits, back);
        expect(back).toEqual({ millis: wholeMillis, nanos });
      }),
      { numRuns: 1_000 },
    );
  });
});
