import { seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { DEFAULT_TIMING, lockProbeFault, spreadTiming, timingFault } from "./timing.ts";

describe("the intervals of a member", () => {
  it("FT-01 are refused when the missed-heartbeat interval is only 5 % above the heartbeat interval", () => {
    expect(timingFault({ heartbeatMillis: 50, missedHeartbeatMillis: 52.5 })).toBe(
      "ft: the missed heartbeat interval needs to be at least 10% of the heartbeat interval (hb=50ms missed hb=52.5ms",
    );
  });

  it("are accepted as they are by default, as tests use them, and at exactly 10 %", () => {
    expect(timingFault(DEFAULT_TIMING)).toBeUndefined();
    expect(timingFault({ heartbeatMillis: 50, missedHeartbeatMillis: 75 })).toBeUndefined();
    expect(timingFault({ heartbeatMillis: 1_000, missedHeartbeatMillis: 1_100 })).toBeUndefined();
    expect(timingFault({ heartbeatMillis: 1_000, missedHeartbeatMillis: 1_099 })).toBeDefined();
  });

  it("are spread by a tenth either way, each by itself", () => {
    const random = seededRandom(1);
    const all = Array.from({ length: 1_000 }, () => spreadTiming(DEFAULT_TIMING, random));
    const heartbeats = all.map((one) => one.heartbeatMillis);
    const missed = all.map((one) => one.missedHeartbeatMillis);
    expect(Math.min(...heartbeats)).toBeGreaterThanOrEqual(900);
    expect(Math.min(...heartbeats)).toBeLessThan(905);
    expect(Math.max(...heartbeats)).toBeLessThan(1_100);
    expect(Math.max(...heartbeats)).toBeGreaterThan(1_095);
    expect(Math.min(...missed)).toBeGreaterThanOrEqual(1_125);
    expect(Math.max(...missed)).toBeLessThan(1_375);
    expect(new Set(all.map((one) => one.missedHeartbeatMillis / one.heartbeatMillis)).size).toBeGreaterThan(900);
  });

  it("leave the lock probe off at 0, and keep it between 10 and 1,000 milliseconds", () => {
    for (const good of [0, 10, 100, 1_000]) expect(lockProbeFault(good)).toBeUndefined();
    for (const bad of [-1, 1, 9.9, 1_001, Number.NaN]) {
      expect(lockProbeFault(bad)).toBe(
        `ft: the lock probe interval has to be 0 (wait for missed heartbeats) or 10 to 1000 milliseconds, not ${bad}`,
      );
    }
  });
});
