import { describe, expect, it } from "vitest";
import { bytes, limit, nanos, rate, span } from "./format.ts";

describe("figures", () => {
  it.each([
    [undefined, "–"],
    [0, "0"],
    [0.5, "0.50"],
    [12.34, "12.3"],
    [1_234.5, "1,235"],
    [12_345, "12.3k"],
    [123_456, "123k"],
  ])("a rate of %j is %s", (value, text) => {
    expect(rate(value)).toBe(text);
  });

  it.each([
    [0, "0\u00a0B"],
    [1_023, "1023\u00a0B"],
    [1_536, "1.5\u00a0KiB"],
    [1_024_000_000, "977\u00a0MiB"],
  ])("%i bytes are %s", (value, text) => {
    expect(bytes(value)).toBe(text);
  });

  it.each([
    [12, "12 ms"],
    [4_000, "4 s"],
    [200_000, "3 min 20 s"],
    [3_600_000, "1 h"],
    [187_200_000, "2 d 4 h"],
  ])("%i ms are %s", (value, text) => {
    expect(span(value)).toBe(text);
  });

  it("calls a limit of nothing unlimited", () => {
    expect([limit(0), limit(1_000), limit(86_400_000_000_000, nanos)]).toEqual(["unlimited", "1,000", "1 d"]);
  });
});
