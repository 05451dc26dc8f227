import { describe, expect, it } from "vitest";
import { checksum, IEEE_POLYNOMIAL } from "./crc32.ts";
import { foreignRecords } from "./foreign-records.ts";
import { encodeRecord, FILE_HEADER } from "./record.ts";

const crc = checksum(IEEE_POLYNOMIAL);
const isForeign = foreignRecords(crc);
const record = (text: string, type = 0): Uint8Array => encodeRecord(type, Buffer.from(text), crc);

/** Whether `found` in a file at `position` was written by somebody else, where `ours` should be. */
function ask(name: string, position: number, found: Uint8Array, ours: Uint8Array): boolean {
  const bytes = Buffer.concat([new Uint8Array(position).fill(9), found]);
  const file = { name, size: bytes.length, read: (at: number, length: number) => bytes.subarray(at, at + length) };
  return isForeign(file, position, Buffer.concat([Uint8Array.of(7), ours, Uint8Array.of(7)]), 1, 1 + ours.length);
}

const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 4 : byte));

describe("foreignRecords()", () => {
  it("knows another server's record by its checksum, at the first place where ours is not", () => {
    for (const [name, type] of [
      ["foo/msgs.1.dat", 0],
      ["foo/subs.dat", 3],
      ["clients.dat", 1],
    ] as const) {
      const [one, two, other] = [record("one", type), record("two", type), record("another", type)];
      const ours = Buffer.concat([one, two]);
      expect(ask(name, 50, Buffer.concat([one, other]), ours)).toBe(true);
      expect(ask(name, 50, Buffer.concat([other, two]), ours)).toBe(true);
      expect(ask(name, 0, Buffer.concat([FILE_HEADER, one, other]), Buffer.concat([FILE_HEADER, ours]))).toBe(true);
    }
  });

  it("takes whatever else for damage", () => {
    const name = "foo/msgs.1.dat";
    const ours = Buffer.concat([record("one"), record("two")]);
    for (let at = 0; at < ours.length; at++) expect([at, ask(name, 50, flipped(ours, at), ours)]).toEqual([at, false]);
    for (let end = 0; end < ours.length; end++)
      expect([end, ask(name, 50, ours.subarray(0, end), ours)]).toEqual([end, false]);
    const whole = Buffer.concat([FILE_HEADER, ours]);
    for (let at = 0; at < whole.length; at++)
      expect([at, ask(name, 0, flipped(whole, at), whole)]).toEqual([at, false]);
    expect(ask(name, 50, new Uint8Array(40), ours)).toBe(false);
  });
});
