import { describe, expect, it } from "vitest";
import { nuidSource } from "./nuid.ts";
import { systemRandom } from "./random.ts";
import { seededRandom } from "./testing/seeded-random.ts";

describe("nuidSource()", () => {
  it("gives 22 base-62 characters, different each time", () => {
    const next = nuidSource(systemRandom());
    const seen = new Set<string>();
    for (let i = 0; i < 1000; i++) {
      const id = next();
      expect(id).toMatch(/^[0-9A-Za-z]{22}$/);
      seen.add(id);
    }
    expect(seen.size).toBe(1000);
  });

  it("is the same for the same seed", () => {
    expect(nuidSource(seededRandom(7))()).toBe(nuidSource(seededRandom(7))());
  });

  it("favours no character", () => {
    const next = nuidSource(seededRandom(1));
    const counts = new Map<string, number>();
    for (let i = 0; i < 5000; i++)
      for (const character of next()) counts.set(character, (counts.get(character) ?? 0) + 1);
    const expected = (5000 * 22) / 62;
    for (const count of counts.values()) expect(Math.abs(count - expected)).toBeLessThan(expected * 0.2);
    expect(counts.size).toBe(62);
  });
});
