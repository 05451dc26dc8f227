import { describe, expect, it } from "vitest";
import { openFilesLimit, processFileDescriptors } from "./file-descriptors.ts";

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max processes             63432                63432                processes
Max open files            20000                524288               files
Max locked memory         8388608              8388608              bytes
`;

describe("processFileDescriptors()", () => {
  it("reads the soft limit", () => {
    expect(openFilesLimit(LIMITS)).toBe(20_000);
  });

  it("reads no limit as 0", () => {
    expect(openFilesLimit(LIMITS.replace("20000 ", "unlimited"))).toBe(0);
  });

  it("MON-03 tells positive numbers on Linux and nothing elsewhere", async () => {
    const descriptors = processFileDescriptors();
    expect(descriptors !== undefined).toBe(process.platform === "linux");
    if (descriptors === undefined) return;
    expect(await descriptors.open()).toBeGreaterThan(0);
    expect(await descriptors.max()).toBeGreaterThan(0);
  });
});
