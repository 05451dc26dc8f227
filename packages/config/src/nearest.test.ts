import { describe, expect, it } from "vitest";
import { nearestName } from "./nearest.ts";

const NAMES = [
  "partitioning",
  "store_limits",
  "store",
  "max_msgs",
  "max_bytes",
  "max_age",
  "mm",
  "mb",
  "ft_group_name",
  "SD",
  "sd",
];

describe("nearestName()", () => {
  it.each([
    ["partitionning", "partitioning"],
    ["Partitoning", "partitioning"],
    ["max_msg", "max_msgs"],
    ["max_mgss", "max_msgs"],
    ["maxbytes", "max_bytes"],
    ["stroe", "store"],
    ["store-limits", "store_limits"],
    ["ft_groupname", "ft_group_name"],
    ["Sd", "SD"],
  ])("finds for %s the name %s", (name, expected) => {
    expect(nearestName(name, NAMES)).toBe(expected);
  });

  it.each(["xyz", "", "zz", "completely_different", "x".repeat(1_000)])("finds nothing for %s", (name) => {
    expect(nearestName(name, NAMES)).toBeUndefined();
  });

  it("prefers the nearer of two, and of equals the first", () => {
    expect(nearestName("max_ages", ["max_msgs", "max_age"])).toBe("max_age");
    expect(nearestName("ac", ["ab", "ad"])).toBe("ab");
  });
});
