import { describe, expect, it } from "vitest";
import { stallMillis } from "./stall.ts";

describe("stallMillis()", () => {
  it("grows from 100 ms to a second as the receiver's bound is reached", () => {
    expect([0.4, 0.5, 0.75, 1, 1.2].map(stallMillis)).toEqual([100, 100, 550, 1_000, 1_000]);
  });
});
