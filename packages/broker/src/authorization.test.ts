import { CONNECT_DEFAULTS, type ConnectOptions } from "@nats-streaming/protocol/nats";
import { nkeys } from "nats";
import { describe, expect, it } from "vitest";
import { type Authenticator, type Authorization, createAuthenticator } from "./authorization.ts";
import type { BcryptCompare } from "./passwords.ts";

const given = (credentials: object): ConnectOptions => ({ ...CONNECT_DEFAULTS, ...credentials });

function make(authorization: Authorization | undefined, bcrypt?: BcryptCompare): Authenticator {
  return createAuthenticator(authorization, bcrypt);
}

/** Whether an authenticator that needs no time lets somebody in. */
function accepts(authenticator: Authenticator, credentials: object, nonce = "", names?: readonly string[]): boolean {
  const verdict = authenticator.decide({ options: given(credentials), nonce, certificateNames: names });
  if (verdict instanceof Promise) throw new Error("takes time");
  return verdict.kind === "accepted";
}

const HASH = "$2a$11$PWIFAL8RsWyGI3jVZtO9Nu8.6jOxzxfZo7c/W0eLk017hjgUKWrhy";

describe("createAuthenticator()", () => {
  it("requires nothing without an authorization", () => {
    const open = make(undefined);
    expect(open.required).toBe(false);
    expect(accepts(open, { user: "anybody" })).toBe(true);
    expect(accepts(open, { account: "X" })).toBe(false);
  });

  it("compares texts that are not ASCII", () => {
    const one = make({ kind: "user", user: "jürgen", password: "größe" });
    expect(accepts(one, { user: "jürgen", pass: "größe" })).toBe(true);
    expect(accepts(one, { user: "jurgen", pass: "größe" })).toBe(false);
  });

  it("takes an empty password for no other", () => {
    const users = make({ kind: "users", users: [{ user: "a", password: "b" }] });
    expect(accepts(users, { user: "a" })).toBe(false);
    expect(accepts(users, { user: "" })).toBe(false);
    expect(accepts(users, { user: "nobody" })).toBe(false);
  });

  it("says for the log who tried, where there are several users", () => {
    const users = make({ kind: "users", users: [{ user: "a", password: "b" }] });
    expect(users.describe(given({ user: 'x"y' }))).toBe(' - User "x\\"y"');
  });

  it("takes who names nobody for the user that was chosen for that, but nobody with a wrong password", () => {
    const users = make({ kind: "users", users: [{ user: "guest", password: "g" }], noAuthUser: "guest" });
    expect(accepts(users, {})).toBe(true);
    expect(accepts(users, { user: "guest", pass: "x" })).toBe(false);
    expect(accepts(users, { pass: "x" })).toBe(false);
  });

  it("knows users by what they sign, with either alphabet of base 64", () => {
    const pair = nkeys.createUser();
    const nkey = pair.getPublicKey();
    const users = make({ kind: "users", users: [{ nkey }, { user: "a", password: "b" }] });
    const signature = Buffer.from(pair.sign(new TextEncoder().encode("nonce")));
    expect(users.needsNonce).toBe(true);
    for (const sig of [signature.toString("base64url"), signature.toString("base64")]) {
      expect(accepts(users, { nkey, sig }, "nonce")).toBe(true);
      expect(accepts(users, { nkey, sig }, "other")).toBe(false);
    }
    expect(accepts(users, { nkey }, "nonce")).toBe(false);
    expect(accepts(users, { nkey, sig: "x" }, "nonce")).toBe(false);
    const stranger = nkeys.createUser();
    const other = Buffer.from(stranger.sign(new TextEncoder().encode("nonce"))).toString("base64url");
    expect(accepts(users, { nkey, sig: other }, "nonce")).toBe(false);
    expect(accepts(users, { nkey: stranger.getPublicKey(), sig: other }, "nonce")).toBe(false);
    expect(accepts(users, { user: "a", pass: "b" })).toBe(true);
  });

  it("knows users by the names in their certificates, where that is asked for, and by nothing else then", () => {
    const users = make({ kind: "users", users: [{ user: "a@example.com", password: "b" }] });
    expect(accepts(users, {}, "", ["x", "a@example.com"])).toBe(true);
    expect(accepts(users, { user: "a@example.com", pass: "b" }, "", ["x"])).toBe(false);
  });

  it("asks for bcrypt hashes one after the other, and refuses when that fails", async () => {
    const asked: string[] = [];
    const compare = async (password: string, hash: string): Promise<boolean> => {
      asked.push(password);
      if (password === "broken") throw new Error("no such hash");
      return hash === HASH && password === "right";
    };
    const users = make({ kind: "users", users: [{ user: "a", password: HASH }] }, compare);
    const kinds = await Promise.all(
      ["right", "wrong", "broken", "right"].map(async (pass) => {
        const decision = users.decide({ options: given({ user: "a", pass }), nonce: "", certificateNames: undefined });
        return (await decision).kind;
      }),
    );
    expect(kinds).toEqual(["accepted", "refused", "refused", "accepted"]);
    expect(asked).toEqual(["right", "wrong", "broken", "right"]);
    const one = make({ kind: "user", user: "a", password: HASH }, compare);
    for (const [user, kind] of [
      ["a", "accepted"],
      ["b", "refused"],
    ] as const) {
      const options = given({ user, pass: "right" });
      expect((await one.decide({ options, nonce: "", certificateNames: undefined })).kind).toBe(kind);
    }
  });

  it("refuses at once when too many checks of hashes wait", async () => {
    let finish = (): void => {};
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const one = make({ kind: "token", token: HASH }, () => gate.then(() => true));
    const login = { options: given({ auth_token: "t" }), nonce: "", certificateNames: undefined };
    const waiting = Array.from({ length: 256 }, () => one.decide(login));
    expect(await one.decide(login)).toEqual({ kind: "refused" });
    finish();
    expect((await Promise.all(waiting)).every(({ kind }) => kind === "accepted")).toBe(true);
    expect((await one.decide(login)).kind).toBe("accepted");
  });

  it("refuses bcrypt hashes without a way to check them, users listed twice, and what is no key or subject", () => {
    const twice = [
      { user: "a", password: "b" },
      { user: "a", password: "c" },
    ];
    const one = { user: "a", password: "b" };
    const cases: readonly Authorization[] = [
      { kind: "user", user: "a", password: HASH },
      { kind: "token", token: HASH },
      { kind: "users", users: [{ user: "a", password: HASH }] },
      { kind: "users", users: twice },
      { kind: "users", users: [{ nkey: "UNO" }] },
      { kind: "users", users: [{ nkey: `${nkeys.createUser().getPublicKey().slice(0, -1)}1` }] },
      { kind: "users", users: [{ nkey: nkeys.createAccount().getPublicKey() }] },
      { kind: "users", users: [one], noAuthUser: "b" },
      { kind: "users", users: [{ ...one, permissions: { publish: { allow: ["a..b"] } } }] },
      { kind: "users", users: [{ ...one, permissions: { publish: { deny: ["a q"] } } }] },
      { kind: "users", users: [{ ...one, permissions: { subscribe: { allow: ["a q r"] } } }] },
      { kind: "users", users: [one], defaultPermissions: { subscribe: { allow: [""] } } },
    ];
    for (const authorization of cases) {
      expect(() => make(authorization)).toThrow(expect.objectContaining({ code: "bad_option" }));
    }
  });
});
