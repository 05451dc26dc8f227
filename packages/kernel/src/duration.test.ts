import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { durationFromMillis, durationNanos, durationToMillis, formatDuration, parseDuration } from "./duration.ts";

const parsed = (text: string) => {
  const result = parseDuration(text);
  return result.kind === "duration" ? result.duration : result.message;
};

describe("parseDuration()", () => {
  it.each([
    ["0", 0n],
    ["5s", 5_000_000_000n],
    ["1h30m", 5_400_000_000_000n],
    ["1.5h", 5_400_000_000_000n],
    ["-1s", -1_000_000_000n],
    ["+1ms", 1_000_000n],
    [".5s", 500_000_000n],
    ["100µs", 100_000n],
    ["1h2m3s4ms5us6ns", 3_723_004_005_006n],
  ])("reads %s", (text, want) => {
    expect(parsed(text)).toBe(want);
  });

  it.each([
    ["foo", 'time: invalid duration "foo"'],
    ["", 'time: invalid duration ""'],
    ["5", 'time: missing unit in duration "5"'],
    ["5d", 'time: unknown unit "d" in duration "5d"'],
    ["1h ", 'time: unknown unit "h " in duration "1h "'],
    [".s", 'time: invalid duration ".s"'],
    ["9999999h", 'time: invalid duration "9999999h"'],
  ])("refuses %j as the original does", (text, message) => {
    expect(parsed(text)).toBe(message);
  });
});

describe("formatDuration()", () => {
  it.each([
    [0n, "0s"],
    [1n, "1ns"],
    [1_500n, "1.5µs"],
    [100_000_000n, "100ms"],
    [1_500_000_000n, "1.5s"],
    [110_000_000_000n, "1m50s"],
    [3_600_000_000_000n, "1h0m0s"],
    [-5_000_000_000n, "-5s"],
  ])("prints %d ns", (nanos, want) => {
    expect(formatDuration(durationNanos(nanos))).toBe(want);
  });

  it("prints what parseDuration() reads back", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (nanos) => {
        expect(parsed(formatDuration(durationNanos(nanos)))).toBe(nanos);
      }),
    );
  });
});

describe("durations in milliseconds", () => {
  it("keep fractions", () => {
    expect(durationToMillis(durationFromMillis(1.5))).toBe(1.5);
  });
});
