import { describe, expect, it } from "vitest";
import { latencyHistogram, newStatistics, observe } from "./statistics.ts";

describe("observe()", () => {
  it("counts a time in the first bucket whose end it does not exceed, as often as told", () => {
    const histogram = latencyHistogram();
    observe(histogram, 0.1, 1);
    observe(histogram, 0.11, 3);
    observe(histogram, 10_000, 2);
    observe(histogram, 60_000, 1);
    const { counts, bounds } = histogram;
    expect([...counts].map((count, i) => [bounds[i], count]).filter(([, count]) => count !== 0)).toEqual([
      [0.1, 1],
      [0.25, 3],
      [10_000, 2],
      [undefined, 1],
    ]);
    expect(histogram.count).toBe(7);
    expect(histogram.sum).toBeCloseTo(0.1 + 3 * 0.11 + 20_000 + 60_000, 6);
  });

  it("keeps the histograms of a server apart", () => {
    const statistics = newStatistics();
    observe(statistics.flushLatency, 1, 1);
    expect(statistics.flushLatency.count).toBe(1);
    expect(statistics.publishLatency.count).toBe(0);
  });
});
