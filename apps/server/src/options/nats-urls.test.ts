import { describe, expect, it } from "vitest";
import { parseNatsServerUrls, parseRouteListener } from "./nats-urls.ts";

describe("parseNatsServerUrls()", () => {
  it.each([
    ["nats://127.0.0.1:4222", ["nats://127.0.0.1:4222"]],
    ["tls://host:4222", ["tls://host:4222"]],
    ["http://host:4222", ["nats://host:4222"]],
    ["nats://[::1]:4222", ["nats://[::1]:4222"]],
    ["nats://ivan:secret@127.0.0.1:4222", ["nats://ivan:secret@127.0.0.1:4222"]],
    ["nats://a:b@h:1, nats://a:b@h:2 ", ["nats://a:b@h:1", "nats://a:b@h:2"]],
  ])("CONF-13 takes %s", (text, urls) => {
    expect(parseNatsServerUrls(text)).toEqual({ kind: "urls", urls });
  });

  it.each([
    ["nats://127.0.0.1", "address 127.0.0.1: missing port in address"],
    ["127.0.0.1:21299", "malformed url: 127.0.0.1:21299"],
    ["localhost", "malformed url: localhost"],
    ["nats://", "address : missing port in address"],
    ["nats://:4222", "malformed url: nats://:4222"],
    ["  ", "malformed url:   "],
  ])("CONF-13 refuses %j", (text, message) => {
    expect(parseNatsServerUrls(text)).toEqual({ kind: "invalid", message });
  });
});

describe("parseRouteListener()", () => {
  it.each([
    ["nats://host1:6222", { host: "host1", port: 6222, user: "", password: "" }],
    ["nats://u:p%40@[::1]:-1", { host: "::1", port: -1, user: "u", password: "p@" }],
  ])("takes %s", (text, listener) => {
    expect(parseRouteListener(text)).toEqual({ kind: "listener", ...listener });
  });

  it.each([
    ["nats://u@h:1", "expected cluster password to be set"],
    ["nats://h", "missing port in address"],
    ["h:1", 'parse "h:1": a URL begins with a scheme, as in nats://0.0.0.0:6222'],
  ])("refuses %s", (text, message) => {
    expect(parseRouteListener(text)).toEqual({ kind: "invalid", message });
  });
});
