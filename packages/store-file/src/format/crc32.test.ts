import { seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { checksum, checksumSteps, finished, IEEE_POLYNOMIAL, START } from "./crc32.ts";

const CASTAGNOLI = 0x82f6_3b78;

describe.each([
  ["IEEE", IEEE_POLYNOMIAL],
  ["Castagnoli", CASTAGNOLI],
])("checksumSteps() with the %s polynomial", (_, polynomial) => {
  const steps = checksumSteps(polynomial);
  const whole = checksum(polynomial);

  it("gives the checksum of the whole, wherever it is cut, and copies on the way", () => {
    const random = seededRandom(7);
    const bytes = new Uint8Array(2_000);
    random.fill(bytes);
    for (let round = 0; round < 500; round++) {
      const start = Math.floor(random.next() * 1_000);
      const end = start + Math.floor(random.next() * 1_000);
      const first = start + Math.floor(random.next() * (end - start + 1));
      const second = first + Math.floor(random.next() * (end - first + 1));
      const target = new Uint8Array(1_010).fill(0xee);

      let state = steps.update(START, bytes, start, first);
      state = steps.copy(state, bytes, first, second, target, 3);
      state = steps.update(state, bytes, second, end);

      expect(finished(state)).toBe(whole(bytes, start, end));
      const copied = bytes.subarray(first, second);
      expect(target.subarray(3, 3 + copied.length)).toEqual(copied);
      expect(target.subarray(0, 3).every((byte) => byte === 0xee)).toBe(true);
      expect(target.subarray(3 + copied.length).every((byte) => byte === 0xee)).toBe(true);
    }
  });

  it("goes on over data long enough for the native function", () => {
    const bytes = Uint8Array.from({ length: 10_000 }, (_, i) => i * 31);
    const target = new Uint8Array(bytes.length);
    let state = steps.update(START, bytes, 0, 13);
    state = steps.copy(state, bytes, 13, 9_990, target, 0);
    state = steps.update(state, bytes, 9_990, bytes.length);
    expect(finished(state)).toBe(whole(bytes, 0, bytes.length));
    expect(target.subarray(0, 9_977)).toEqual(bytes.subarray(13, 9_990));
  });
});
