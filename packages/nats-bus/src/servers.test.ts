import { describe, expect, it } from "vitest";
import { parseServers, redactUrl } from "./servers.ts";

describe("parseServers", () => {
  it.each([
    ["nats://127.0.0.1:4222", { hosts: ["127.0.0.1:4222"], tls: false }],
    ["localhost", { hosts: ["localhost"], tls: false }],
    ["tls://nats.example.com:443/", { hosts: ["nats.example.com:443"], tls: true }],
    ["nats://[::1]:4222", { hosts: ["[::1]:4222"], tls: false }],
    ["nats://a:1, nats://b:2 ,c", { hosts: ["a:1", "b:2", "c"], tls: false }],
    ["nats://me:secret@a:1", { hosts: ["a:1"], tls: false, user: "me", pass: "secret" }],
    ["nats://me:p%40ss%3A@a", { hosts: ["a"], tls: false, user: "me", pass: "p@ss:" }],
    ["nats://me:@a", { hosts: ["a"], tls: false, user: "me", pass: "" }],
    ["nats://t0ken@a", { hosts: ["a"], tls: false, token: "t0ken" }],
    ["nats://me:x@a,nats://me:x@b,c", { hosts: ["a", "b", "c"], tls: false, user: "me", pass: "x" }],
  ])("reads %s", (url, servers) => {
    expect(parseServers(url)).toEqual(servers);
  });

  it("reads a list", () => {
    expect(parseServers(["a:1", "tls://b"])).toEqual({ hosts: ["a:1", "b"], tls: true });
  });

  it.each([
    ["", "no NATS server given"],
    [" , ", "no NATS server given"],
    ["http://a", "the scheme has to be nats or tls"],
    ["nats://", 'invalid NATS server URL "nats://": expected nats://host:port'],
    ["nats://a:99999", "expected nats://host:port"],
    ["nats://a:b", "expected nats://host:port"],
    ["nats://a b", "expected nats://host:port"],
    ["nats://me:s3cret@a/path", 'invalid NATS server URL "nats://[REDACTED]@a/path"'],
    ["nats://me:s3cret@a,nats://me:0ther@b", 'different credentials (at "nats://[REDACTED]@b")'],
    ["nats://me:100%@a", "write it as %25"],
    [Array.from({ length: 65 }, (_, i) => `host${i}`).join(), "at most 64"],
  ])("refuses %j and says why, without showing credentials", (url, reason) => {
    const parse = () => parseServers(url);
    expect(parse).toThrow(
      expect.objectContaining({ code: "connect_failed", message: expect.stringContaining(reason) }),
    );
    expect(parse).not.toThrow(/s3cret|0ther/);
  });
});

describe("redactUrl", () => {
  it("hides user info and nothing else", () => {
    expect(redactUrl("nats://me:secret@a:1")).toBe("nats://[REDACTED]@a:1");
    expect(redactUrl("me:secr@t@a:1")).toBe("[REDACTED]@a:1");
    expect(redactUrl("nats://a:1")).toBe("nats://a:1");
  });
});
