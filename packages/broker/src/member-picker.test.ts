import { seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { MemberPicker } from "./member-picker.ts";

describe("MemberPicker", () => {
  it("picks each member about as often as the others", () => {
    const picker = new MemberPicker(seededRandom(1));
    for (const count of [1, 2, 3, 7]) {
      const picks = new Array<number>(count).fill(0);
      for (let i = 0; i < 10_000; i++) {
        const pick = picker.pick(count);
        picks[pick] = picks[pick]! + 1;
      }
      expect(picks).toHaveLength(count);
      for (const share of picks) expect(Math.abs(share - 10_000 / count)).toBeLessThan(400);
    }
  });

  it("picks nobody outside the highest random bytes", () => {
    const picker = new MemberPicker({ next: () => 0, fill: (target) => target.fill(0xff) });
    expect(picker.pick(3)).toBe(2);
  });
});
