import { describe, expect, it } from "vitest";
import { latestOf, noteCounter, seriesOf } from "./history.ts";

describe("noteCounter()", () => {
  it("keeps the growth per second, which takes two values to know", () => {
    noteCounter("a", 100, 1_000);
    expect(latestOf("a")).toBeUndefined();
    noteCounter("a", 150, 3_000);
    expect(latestOf("a")).toBe(25);
    expect(seriesOf("a").times).toEqual([3_000]);
  });

  it("takes a counter that went back as one that began anew", () => {
    noteCounter("b", 100, 1_000);
    noteCounter("b", 10, 2_000);
    expect(latestOf("b")).toBe(10);
  });

  it("ignores two values that are hardly apart", () => {
    noteCounter("c", 1, 1_000);
    noteCounter("c", 5, 1_001);
    expect(latestOf("c")).toBeUndefined();
    noteCounter("c", 5, 2_000);
    expect(latestOf("c")).toBe(4);
  });

  it("keeps two minutes and more of a series, and the series that were added to last", () => {
    for (let i = 0; i <= 500; i++) noteCounter("long", i, i * 1_000);
    expect(seriesOf("long").values).toHaveLength(120);
    for (let i = 0; i < 399; i++) noteCounter(`other ${i}`, 0, 0);
    expect(latestOf("long")).toBe(1);
    for (let i = 399; i < 500; i++) noteCounter(`other ${i}`, 0, 0);
    expect(latestOf("long")).toBeUndefined();
  });
});
