import { timestampNanos } from "@nats-streaming/kernel";
import { describe, expect, it } from "vitest";
import { nanosOf } from "../test-support/fake-source.ts";
import { formatTime, formatUptime } from "./time.ts";

describe("formatTime()", () => {
  it.each([
    ["2026-11-22T13:57:50.633200655Z", 0, "2026-11-22T13:57:50.633200655Z"],
    ["2026-11-22T13:57:50.64489508Z", 0, "2026-11-22T13:57:50.64489508Z"],
    ["2026-11-22T13:57:50Z", 0, "2026-11-22T13:57:50Z"],
    ["2026-11-22T23:30:00.5Z", 60, "2026-11-23T00:30:00.5+01:00"],
    ["2026-11-22T13:57:50.1Z", -210, "2026-11-22T10:27:50.1-03:30"],
  ])("shows %s at %i minutes east as %s", (time, offset, expected) => {
    expect(formatTime(nanosOf(time), offset)).toBe(expected);
  });

  it("shows a time before 1970", () => {
    expect(formatTime(timestampNanos(-1n), 0)).toBe("1969-12-31T23:59:59.999999999Z");
  });

  it("uses the offset of this host when none is given", () => {
    const text = formatTime(nanosOf("2026-07-01T12:00:00Z"));
    expect(Date.parse(text)).toBe(Date.parse("2026-07-01T12:00:00Z"));
  });
});

describe("formatUptime()", () => {
  const minute = 60;
  const hour = 60 * minute;
  const day = 24 * hour;
  const year = 365 * day;
  it.each([
    [0, "0s"],
    [1, "1s"],
    [minute + 2, "1m2s"],
    [hour + 2 * minute + 3, "1h2m3s"],
    [day + 2 * hour + 3 * minute + 4, "1d2h3m4s"],
    [year + 2 * day + 3 * hour + 4 * minute + 5, "1y2d3h4m5s"],
    [minute, "1m0s"],
    [year, "1y0d0h0m0s"],
  ])("MON-05 shows %i seconds as %s", (seconds, expected) => {
    expect(formatUptime(seconds * 1_000 + 999)).toBe(expected);
  });

  it("shows 0s when the clock stands before the start", () => {
    expect(formatUptime(-5)).toBe("0s");
  });
});
