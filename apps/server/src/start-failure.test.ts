import { BrokerError } from "@nats-streaming/broker";
import { BusError } from "@nats-streaming/kernel";
import { describe, expect, it } from "vitest";
import { startFailure } from "./start-failure.ts";

const unreachable = (code: string): BusError =>
  new BusError("connect_failed", "cannot connect to NATS at h:1", { cause: Object.assign(new Error(code), { code }) });

describe("startFailure()", () => {
  it.each([
    ["CONNECTION_REFUSED", "nats: no servers available for connection"],
    ["TIMEOUT", "nats: no servers available for connection"],
    ["AUTHORIZATION_VIOLATION", "nats: Authorization Violation"],
  ])("OPS-15 gives the original's text for %s, and keeps ours as the detail", (code, reason) => {
    expect(startFailure(unreachable(code))).toEqual({
      source: "streaming",
      reason,
      detail: "cannot connect to NATS at h:1",
    });
  });

  it("leaves other failures in their own words", () => {
    expect(startFailure(unreachable("ENOTFOUND"))).toMatchObject({
      reason: "cannot connect to NATS at h:1",
      detail: "",
    });
    expect(startFailure(new Error("max age limit cannot be negative (-5s)"))).toMatchObject({ source: "streaming" });
  });

  it("is the embedded NATS server's own line when that cannot listen", () => {
    const error = new BrokerError("listen_failed", "Error listening on port: h:1");
    expect(startFailure(error)).toEqual({ source: "nats", reason: "Error listening on port: h:1", detail: "" });
  });
});
