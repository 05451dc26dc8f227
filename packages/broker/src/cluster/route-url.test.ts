import { describe, expect, it } from "vitest";
import { clusterSettingsOf } from "./cluster-options.ts";
import { parseHostPort, parseRouteUrl } from "./route-url.ts";

describe("parseRouteUrl()", () => {
  it("reads host, port, user and password", () => {
    expect(parseRouteUrl("nats://h:6222")).toEqual({ host: "h", port: 6222, user: "", password: "" });
    expect(parseRouteUrl("nats-route://[::1]:1/")).toEqual({ host: "::1", port: 1, user: "", password: "" });
    expect(parseRouteUrl("nats://u%40x:p%3A@127.0.0.1:6222")).toEqual({
      host: "127.0.0.1",
      port: 6222,
      user: "u@x",
      password: "p:",
    });
  });

  it("refuses what has no port, another scheme or broken escapes", () => {
    for (const text of ["", "h:6222", "nats://h", "nats://h:0", "nats://h:99999", "http://h:1", "nats://%zz@h:1"]) {
      expect(parseRouteUrl(text)).toBeUndefined();
    }
  });
});

describe("parseHostPort()", () => {
  it("takes the port from elsewhere where none is given, or 0", () => {
    expect(parseHostPort("h", 5)).toEqual({ host: "h", port: 5 });
    expect(parseHostPort("h:0", 5)).toEqual({ host: "h", port: 5 });
    expect(parseHostPort("[::1]:7", 5)).toEqual({ host: "::1", port: 7 });
    for (const text of ["", ":7", "h:x", "h:70000", "::1"]) expect(parseHostPort(text, 5)).toBeUndefined();
  });
});

describe("clusterSettingsOf()", () => {
  it("says which option is wrong, and shows no password", () => {
    expect(() => clusterSettingsOf({ port: 1, routes: ["nats://u:secret@h"] })).toThrow(
      'cluster.routes: "nats://[REDACTED]@h" is no route',
    );
    expect(() => clusterSettingsOf({ port: 70_000 })).toThrow("cluster.port");
    expect(() => clusterSettingsOf({ port: 1, advertise: ":1" })).toThrow("cluster.advertise");
    expect(() => clusterSettingsOf({ port: 1, name: "a b" })).toThrow("cluster.name");
  });
});
