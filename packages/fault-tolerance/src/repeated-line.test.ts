import { describe, expect, it } from "vitest";
import { repeatedLine } from "./repeated-line.ts";

/** When a line that wants to be logged every `step` milliseconds passes, up to `end`. */
function passes(step: number, end: number, text: (now: number) => string = () => "text"): number[] {
  const line = repeatedLine();
  const found: number[] = [];
  for (let now = 0; now <= end; now += step) if (line.admits(text(now), now)) found.push(now);
  return found;
}

describe("a repeated log line", () => {
  it("passes at first, then after 1, 2, 4, … 60 seconds", () => {
    const seconds = passes(100, 300_000).map((millis) => millis / 1_000);
    expect(seconds).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
  });

  it("is a first one again after three minutes without a call", () => {
    const line = repeatedLine();
    for (const now of [0, 1_000, 3_000, 7_000]) expect(line.admits("text", now)).toBe(true);
    expect(line.admits("text", 14_000)).toBe(false);
    expect(line.admits("text", 194_001)).toBe(true);
    expect(line.admits("text", 195_001)).toBe(true);
  });

  it("is not forgotten while it is asked for, however long it is held back", () => {
    expect(passes(1_000, 600_000).filter((millis) => millis > 300_000)).toHaveLength(5);
  });

  it("passes with another text once a second has passed, and then backs off anew", () => {
    const line = repeatedLine();
    expect(line.admits("a", 0)).toBe(true);
    expect(line.admits("a", 1_000)).toBe(true);
    expect(line.admits("b", 1_500)).toBe(false);
    expect(line.admits("b", 2_000)).toBe(true);
    expect(line.admits("b", 3_000)).toBe(true);
    expect(line.admits("b", 4_000)).toBe(false);
  });

  it("passes at most once a second when the text is never the same", () => {
    expect(passes(10, 10_000, String)).toHaveLength(11);
  });
});
