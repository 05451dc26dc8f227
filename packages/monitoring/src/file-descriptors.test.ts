import { describe, expect, it } from "vitest";
import { processFileDescriptors } from "./file-descriptors.ts";

describe("processFileDescriptors()", () => {
  it("MON-03 tells positive numbers on Linux and nothing elsewhere", async () => {
    const descriptors = processFileDescriptors();
    expect(descriptors !== undefined).toBe(process.platform === "linux");
    if (descriptors === undefined) return;
    expect(await descriptors.open()).toBeGreaterThan(0);
    expect(await descriptors.max()).toBeGreaterThan(0);
  });
});
