import { seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { decodeRecords, encodeRecords, recordSize } from "./records.ts";

describe("records", () => {
  const records = [Uint8Array.of(1, 2, 3), new Uint8Array(0), new Uint8Array(300).fill(7)];

  it("come back as they were put in, also from the middle of a buffer", () => {
    const bytes = encodeRecords(records);
    expect(bytes).toHaveLength(records.reduce((sum, record) => sum + recordSize(record.length), 0));
    const within = new Uint8Array(bytes.length + 2);
    within.set(bytes, 1);
    expect(decodeRecords(within.subarray(1, bytes.length + 1))).toEqual(records);
    expect(decodeRecords(new Uint8Array(0))).toEqual([]);
  });

  it("are not read when they break off, wherever they do", () => {
    const bytes = encodeRecords(records);
    const ends = new Set([0, 7, 11, bytes.length]);
    for (let end = 0; end <= bytes.length; end++) {
      expect(decodeRecords(bytes.subarray(0, end)) !== undefined).toBe(ends.has(end));
    }
  });

  it("of random bytes do no harm", () => {
    const random = seededRandom(5);
    for (let i = 0; i < 2_000; i++) {
      const bytes = new Uint8Array(Math.floor(random.next() * 40));
      random.fill(bytes);
      const read = decodeRecords(bytes);
      if (read !== undefined) expect(encodeRecords(read)).toEqual(bytes);
    }
  });
});
