import { describe, expect, it } from "vitest";
import { nowNanos, systemClock, type Timestamp } from "./clock.ts";
import { FakeClock } from "./testing/fake-clock.ts";

describe("systemClock()", () => {
  it("stays with the system's calendar and within the millisecond's bounds", () => {
    const clock = systemClock();
    const stamp: Timestamp = { millis: 0, nanos: 0 };
    for (let i = 0; i < 1000; i++) {
      const before = Date.now();
      clock.read(stamp);
      expect(Math.abs(stamp.millis - before)).toBeLessThanOrEqual(1000);
      expect(stamp.nanos >= 0 && stamp.nanos < 1_000_000).toBe(true);
    }
  });

  it("does not call back a timer that was cancelled", async () => {
    const clock = systemClock();
    const calls: string[] = [];
    clock.setTimer(0, () => calls.push("cancelled")).cancel();
    await new Promise<void>((resolve) => {
      clock.setTimer(1, resolve);
    });
    expect(calls).toEqual([]);
  });
});

describe("FakeClock", () => {
  it("fires timers in the order in which they are due, and those due at once in the order of their making", () => {
    const clock = new FakeClock();
    const calls: string[] = [];
    clock.setTimer(20, () => calls.push("late"));
    clock.setTimer(10, () => calls.push("first"));
    clock.setTimer(10, () => calls.push("second"));
    clock.advance(15);
    expect(calls).toEqual(["first", "second"]);
    expect(clock.timerCount).toBe(1);
    clock.advance(5);
    expect(calls).toEqual(["first", "second", "late"]);
  });

  it("lets a timer set by a timer fire within the same advance", () => {
    const clock = new FakeClock();
    const at: number[] = [];
    const again = (): void => {
      at.push(clock.monotonicMillis());
      if (at.length < 3) clock.setTimer(10, again);
    };
    clock.setTimer(10, again);
    clock.advance(100);
    expect(at).toEqual([10, 20, 30]);
  });

  it("ends the turn after each timer", () => {
    const clock = new FakeClock();
    const calls: string[] = [];
    clock.setTimer(1, () => {
      clock.defer(() => calls.push("deferred"));
      calls.push("timer");
    });
    clock.setTimer(2, () => calls.push("next"));
    clock.advance(5);
    expect(calls).toEqual(["timer", "deferred", "next"]);
  });

  it("moves the calendar with time, or alone", () => {
    const clock = new FakeClock(1_000);
    clock.advance(5);
    expect(nowNanos(clock)).toBe(1_005_000_000n);
    clock.setWall(10);
    expect([nowNanos(clock), clock.monotonicMillis()]).toEqual([10_000_000n, 5]);
  });
});
