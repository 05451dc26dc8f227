import { FakeClock, seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { Liveness } from "./liveness.ts";

function setup(intervalMillis = 120_000, unansweredMax = 2) {
  const clock = new FakeClock();
  const events: string[] = [];
  const liveness = new Liveness({
    clock,
    random: seededRandom(1),
    intervalMillis,
    unansweredMax,
    sendPing: () => events.push(`ping ${Math.floor(clock.monotonicMillis() / 1_000)}`),
    onStale: () => events.push(`stale ${Math.floor(clock.monotonicMillis() / 1_000)}`),
  });
  return { clock, events, liveness };
}

describe("Liveness", () => {
  it("pings a client that never introduces itself after the interval", () => {
    const { clock, events } = setup();
    clock.advance(119_000);
    expect(events).toEqual([]);
    clock.advance(2_000);
    expect(events).toEqual(["ping 120"]);
  });

  it("pings about two seconds after CONNECT and measures the round trip", () => {
    const { clock, events, liveness } = setup();
    liveness.onConnected();
    clock.advance(1_999);
    expect(events).toEqual([]);
    clock.advance(500);
    expect(events).toEqual(["ping 2"]);
    expect(liveness.roundTripMillis).toBe(0);
    liveness.onPong();
    expect(liveness.roundTripMillis).toBeGreaterThan(0);
  });

  it("does not ping a client that was heard of within the interval", () => {
    const { clock, events, liveness } = setup();
    liveness.onConnected();
    clock.advance(3_000);
    liveness.onPong();
    for (let i = 0; i < 20; i++) {
      clock.advance(60_000);
      liveness.heardAt = clock.monotonicMillis();
    }
    expect(events).toEqual(["ping 2"]);
  });

  it("measures the round trip again after an hour, also of a busy client", () => {
    const { clock, events, liveness } = setup();
    liveness.onConnected();
    clock.advance(3_000);
    liveness.onPong();
    for (let i = 0; i < 62; i++) {
      clock.advance(60_000);
      liveness.heardAt = clock.monotonicMillis();
    }
    expect(events).toHaveLength(2);
  });

  it("finds a client stale that leaves too many pings unanswered", () => {
    const { clock, events, liveness } = setup(1_000, 1);
    liveness.onConnected();
    clock.advance(10_000);
    expect(events).toEqual(["ping 1", "stale 2"]);
    expect(clock.timerCount).toBe(0);
  });

  it("forgets unanswered pings with an answer", () => {
    const { clock, events, liveness } = setup(1_000, 2);
    liveness.onConnected();
    for (let i = 0; i < 10; i++) {
      clock.advance(2_000);
      liveness.onPong();
    }
    expect(events.some((event) => event.startsWith("stale"))).toBe(false);
  });

  it("sets no timer any more once it is stopped", () => {
    const { clock, events, liveness } = setup();
    liveness.stop();
    clock.advance(500_000);
    expect(events).toEqual([]);
    expect(clock.timerCount).toBe(0);
  });
});
