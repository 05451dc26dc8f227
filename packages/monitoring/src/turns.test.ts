import { FakeClock } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { createTurns, TURN_UNITS_MAX, unitsOfText } from "./turns.ts";

describe("createTurns()", () => {
  it("ends a turn after its units, though the clock stands still", () => {
    const turns = createTurns(new FakeClock());
    for (let i = 1; i < TURN_UNITS_MAX; i++) expect(turns.isOver()).toBe(false);
    expect(turns.isOver()).toBe(true);
  });

  it("ends a turn after two milliseconds, however little was done", async () => {
    const clock = new FakeClock();
    const turns = createTurns(clock);
    expect(turns.isOver()).toBe(false);
    await clock.advanceAsync(2);
    expect(turns.isOver()).toBe(true);
  });

  it("begins to count anew in the next turn", async () => {
    const clock = new FakeClock();
    const turns = createTurns(clock);
    expect(turns.isOver(TURN_UNITS_MAX)).toBe(true);
    const next = turns.next();
    await clock.settle();
    await next;
    expect(turns.isOver(TURN_UNITS_MAX - 1)).toBe(false);
  });

  it("counts a long text for more than a short one", () => {
    expect([unitsOfText(""), unitsOfText("x".repeat(255)), unitsOfText("x".repeat(512))]).toEqual([1, 1, 3]);
  });
});
