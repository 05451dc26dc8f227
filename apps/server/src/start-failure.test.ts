import { BrokerError } from "@nats-streaming/broker";
import { BusError } from "@nats-streaming/kernel";
import { describe, expect, it } from "vitest";
import { startFailure, startRefusal } from "./start-failure.ts";
import { UnusableOptionError } from "./unusable-option.ts";

const unreachable = (code: string, more: object = {}): BusError =>
  new BusError("connect_failed", "cannot connect to NATS at h:1", {
    cause: Object.assign(new Error(code), { code, ...more }),
  });

describe("startFailure()", () => {
  it.each([
    ["CONNECTION_REFUSED", "nats: no servers available for connection"],
    ["AUTHORIZATION_VIOLATION", "nats: Authorization Violation"],
  ])("OPS-15 gives the original's text for %s, and keeps ours as the detail", (code, reason) => {
    expect(startFailure(unreachable(code))).toEqual({
      source: "streaming",
      reason,
      detail: "cannot connect to NATS at h:1",
    });
  });

  it.each([
    ["TIMEOUT", {}, "nats: no servers available for connection", "client_cert"],
    ["SELF_SIGNED_CERT_IN_CHAIN", {}, "x509: certificate signed by unknown authority", "client_ca"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", {}, "x509: certificate signed by unknown authority", "client_ca"],
    ["CERT_HAS_EXPIRED", {}, "x509: certificate has expired or is not yet valid", "renew"],
    ["SERVER_OPT_NA", {}, "nats: secure connection not available", "no TLS"],
    ["ENOTFOUND", { hostname: "nope" }, "dial tcp: lookup nope: no such host", "-ns"],
    [
      "ERR_TLS_CERT_ALTNAME_INVALID",
      { host: "nope", cert: { subjectaltname: "DNS:localhost, IP Address:127.0.0.1" } },
      "x509: certificate is valid for localhost, 127.0.0.1, not nope",
      "server_name",
    ],
  ])("OPS-14 gives the original's text for %s, and a remedy in the detail", (code, more, reason, remedy) => {
    expect(startFailure(unreachable(code, more))).toEqual({
      source: "streaming",
      reason,
      detail: expect.stringMatching(new RegExp(`^cannot connect to NATS at h:1; .*${remedy}`)),
    });
  });

  it("leaves other failures in their own words", () => {
    expect(startFailure(unreachable("EPIPE"))).toMatchObject({ reason: "cannot connect to NATS at h:1", detail: "" });
    expect(startFailure(new Error("max age limit cannot be negative (-5s)"))).toMatchObject({ source: "streaming" });
  });

  it("is the embedded NATS server's own line when that cannot listen, with a remedy", () => {
    const error = new BrokerError("listen_failed", 'Error listening on port: h:1, "bind: address already in use"');
    expect(startFailure(error)).toEqual({
      source: "nats",
      reason: error.message,
      detail: expect.stringContaining("another port with -p"),
    });
    expect(startFailure(new BrokerError("bad_option", "tls.curves: no"))).toMatchObject({ source: "nats", detail: "" });
  });

  it("takes the remedy of an option that cannot be used from that error", () => {
    expect(startFailure(new UnusableOptionError("no certificate", "make one"))).toEqual({
      source: "streaming",
      reason: "no certificate",
      detail: "make one",
    });
  });
});

describe("startRefusal()", () => {
  it.each([
    ["unsupported store type: FLIE", "memory, file or sql"],
    ["for FILE stores, root directory must be specified", "-dir"],
    ["unable to create the root directory [x]: mkdir x: permission denied", "chown"],
    ["unable to create the root directory [x/y]: mkdir x/y: not a directory", "-dir"],
    ['cluster ID "other" does not match recovered value of "test-cluster"', "-cid"],
    ['discovered another streaming server with cluster ID "test-cluster"', "-ft_group"],
    ["encryption key required", "NATS_STREAMING_ENCRYPTION_KEY"],
    ["encryption cipher not supported", "CHACHA"],
    ['sql: unknown driver "xx" (forgotten import?)', "postgres"],
    ["stan: no configured channel", "channels"],
    ["too many channels defined (3). The max channels limit is set to 2", "max_channels"],
    ["malformed url: 127.0.0.1:4222", "-ns nats://host:4222"],
    ["address 127.0.0.1: missing port in address", "-ns nats://host:4222"],
  ])("has a remedy for %s", (reason, remedy) => {
    expect(startRefusal(reason)).toEqual({ source: "streaming", reason, detail: expect.stringContaining(remedy) });
  });

  it("adds nothing to what says it all", () => {
    expect(startRefusal("max messages limit cannot be negative (-1)").detail).toBe("");
  });
});
