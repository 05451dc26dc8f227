import { describe, expect, it } from "vitest";
import { createQuickSyncs } from "./quick-syncs.ts";

function afterQuickSyncs(count: number): ReturnType<typeof createQuickSyncs> {
  const syncs = createQuickSyncs();
  for (let i = 0; i < count; i++) syncs.took(0.3);
  return syncs;
}

describe("whether a sync is waited for in place", () => {
  it("is not, before the disk has shown that it is quick", () => {
    expect(afterQuickSyncs(7).isDue(512)).toBe(false);
    expect(afterQuickSyncs(8).isDue(512)).toBe(true);
  });

  it("is not for a batch of more than a few messages", () => {
    expect(afterQuickSyncs(8).isDue(8_192)).toBe(true);
    expect(afterQuickSyncs(8).isDue(8_193)).toBe(false);
  });

  it("is not for a while after one that was not so quick, and for long after a slow one", () => {
    const syncs = afterQuickSyncs(8);
    syncs.took(1);
    expect(syncs.isDue(512)).toBe(false);
    for (let i = 0; i < 8; i++) syncs.took(0.3);
    expect(syncs.isDue(512)).toBe(true);
    syncs.took(30);
    for (let i = 0; i < 999; i++) syncs.took(0.3);
    expect(syncs.isDue(512)).toBe(false);
    syncs.took(0.3);
    expect(syncs.isDue(512)).toBe(true);
  });
});
