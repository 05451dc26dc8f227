import { CONNECT_DEFAULTS } from "@nats-streaming/protocol/nats";
import { describe, expect, it } from "vitest";
import { createAuthenticator } from "./authorization.ts";

const given = (credentials: object): typeof CONNECT_DEFAULTS => ({ ...CONNECT_DEFAULTS, ...credentials });

describe("createAuthenticator()", () => {
  it("requires nothing without an authorization", () => {
    const open = createAuthenticator(undefined);
    expect(open.required).toBe(false);
    expect(open.accepts(given({ user: "anybody" }))).toBe(true);
    expect(open.accepts(given({ account: "X" }))).toBe(false);
  });

  it("compares texts that are not ASCII", () => {
    const one = createAuthenticator({ kind: "user", user: "jürgen", password: "größe" });
    expect(one.accepts(given({ user: "jürgen", pass: "größe" }))).toBe(true);
    expect(one.accepts(given({ user: "jurgen", pass: "größe" }))).toBe(false);
  });

  it("takes an empty password for no other", () => {
    const users = createAuthenticator({ kind: "users", users: [{ user: "a", password: "b" }] });
    expect(users.accepts(given({ user: "a" }))).toBe(false);
    expect(users.accepts(given({ user: "" }))).toBe(false);
    expect(users.accepts(given({ user: "nobody" }))).toBe(false);
  });

  it("says for the log who tried, where there are several users", () => {
    const users = createAuthenticator({ kind: "users", users: [{ user: "a", password: "b" }] });
    expect(users.describe(given({ user: 'x"y' }))).toBe(' - User "x\\"y"');
  });

  it("refuses bcrypt hashes and users listed twice", () => {
    const hash = "$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy";
    const twice = [
      { user: "a", password: "b" },
      { user: "a", password: "c" },
    ];
    for (const authorization of [
      { kind: "user", user: "a", password: hash },
      { kind: "token", token: hash },
      { kind: "users", users: [{ user: "a", password: hash }] },
      { kind: "users", users: twice },
    ] as const) {
      expect(() => createAuthenticator(authorization)).toThrow(expect.objectContaining({ code: "bad_option" }));
    }
  });
});
