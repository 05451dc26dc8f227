import { describe, expect, it } from "vitest";
import { limitsOf, portOf } from "./options.ts";

describe("limitsOf()", () => {
  it("has nats-server's defaults", () => {
    expect(limitsOf({})).toEqual({
      maxPayload: 1_048_576,
      maxControlLine: 4_096,
      maxConnections: 65_536,
      maxSubscriptions: 0,
      maxSubscriptionTokens: 0,
      maxPending: 67_108_864,
      writeDeadlineMillis: 10_000,
      pingIntervalMillis: 120_000,
      pingMax: 2,
      authTimeoutMillis: 2_000,
      drainMillis: 2_000,
    });
  });

  it("refuses numbers that cannot be worked with, by name and with the range", () => {
    expect(() => limitsOf({ maxPayload: 0 })).toThrow("maxPayload is 0: it must be a whole number from 1 to 67108864");
    expect(() => limitsOf({ pingMax: 1.5 })).toThrow("pingMax is 1.5: it must be a whole number of at least 0");
    expect(() => limitsOf({ maxConnections: -1 })).toThrow(expect.objectContaining({ code: "bad_option" }));
    expect(() => limitsOf({ writeDeadlineMillis: Number.NaN })).toThrow("writeDeadlineMillis is NaN");
    expect(() => portOf({ port: 65_536 })).toThrow("port is 65536");
  });

  it("refuses payloads that no receiver could be sent", () => {
    expect(() => limitsOf({ maxPayload: 2_000, maxPending: 1_000 })).toThrow(
      "maxPayload (2000) is larger than maxPending",
    );
  });
});
