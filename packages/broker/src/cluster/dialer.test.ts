import { FakeClock, seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { Dialer } from "./dialer.ts";

interface Trial {
  readonly dialer: Dialer;
  readonly clock: FakeClock;
  /** When it dialled, in milliseconds. */
  readonly dials: number[];
  readonly events: string[];
}

function make(attemptsMax: number): Trial {
  const clock = new FakeClock();
  const dials: number[] = [];
  const events: string[] = [];
  const start = clock.monotonicMillis();
  const dialer = new Dialer({
    clock,
    random: seededRandom(1),
    url: { host: "::1", port: 6222, user: "u", password: "p" },
    isExplicit: true,
    attemptsMax,
    dial(): { cancel(): void } {
      dials.push(clock.monotonicMillis() - start);
      return { cancel: () => events.push("cancelled") };
    },
    onFailed: (self, error) => events.push(`${self.attempts} ${error.message}`),
    onGivenUp: () => events.push("given up"),
  });
  return { dialer, clock, dials, events };
}

describe("Dialer", () => {
  it("waits longer with each failure, up to a bound, and never gives up when it is not to", () => {
    const { dialer, clock, dials } = make(Number.POSITIVE_INFINITY);
    dialer.start();
    for (let i = 0; i < 12; i++) {
      dialer.failed(new Error("refused"));
      clock.advance(2_100);
    }
    expect(dials.length).toBe(13);
    expect(dialer.attempts).toBe(12);
    const { dialer: other, clock: time, dials: early } = make(Number.POSITIVE_INFINITY);
    other.start();
    for (const [i, wait] of [100, 200, 400, 800, 1_600, 2_000, 2_000].entries()) {
      other.failed(new Error("refused"));
      time.advance(wait - 1);
      expect(early.length).toBe(i + 1);
      time.advance(101);
      expect(early.length).toBe(i + 2);
    }
  });

  it("gives up after as many failures in a row as it may have", () => {
    const { dialer, clock, dials, events } = make(2);
    dialer.start();
    dialer.failed(new Error("a"));
    clock.advance(3_000);
    dialer.succeeded();
    dialer.failed(new Error("b"));
    clock.advance(3_000);
    dialer.lost();
    clock.advance(3_000);
    dialer.failed(new Error("c"));
    clock.advance(60_000);
    expect(dials.length).toBe(4);
    expect(events.filter((event) => event !== "cancelled")).toEqual(["1 a", "1 b", "3 c", "given up"]);
  });

  it("rests until its server is lost, and does nothing once it is stopped", () => {
    const { dialer, clock, dials } = make(5);
    dialer.start();
    dialer.failed(new Error("a"));
    dialer.rest();
    clock.advance(60_000);
    expect(dials.length).toBe(1);
    dialer.lost();
    clock.advance(3_000);
    expect(dials.length).toBe(2);
    dialer.stop();
    dialer.lost();
    dialer.start();
    clock.advance(60_000);
    expect(dials.length).toBe(2);
    expect(dialer.address).toBe("[::1]:6222");
  });
});
