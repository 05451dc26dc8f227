import { readFile } from "node:fs/promises";
import { freePort } from "@nats-streaming/kernel/testing";
import { connect, nkeyAuthenticator, nkeys } from "nats";
import { describe, expect, it } from "vitest";
import { connectRaw } from "../harness/raw-client.ts";
import type { Stage } from "../harness/stage.ts";
import { type ClientOptions, connectStan } from "../harness/stan.ts";
import {
  configFile,
  launchServer,
  READY,
  readLog,
  runServer,
  startListening,
  untilReady,
} from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";

type Login = NonNullable<ClientOptions["nats"]>;

/** How long a client waits for an ack that must not come. */
const IGNORED_MILLIS = 800;

async function expectServed(stage: Stage, port: number, clientId: string, nats: Login): Promise<void> {
  const client = await connectStan(stage, clientId, { port, nats });
  await client.publish("foo", clientId);
  const subscription = await client.subscribe("foo");
  await subscription.messages.take({ where: ({ text }) => text === clientId });
  await client.close();
}

async function expectRefused(stage: Stage, port: number, nats: Login): Promise<void> {
  await expect(connectStan(stage, "refused", { port, nats })).rejects.toThrow(
    /authorization violation|requires an Nkey signature/i,
  );
}

const SEED = "SUAMDNYIL7EQMV43WLBLJ5RCXJN5D6UJABJ7X7BHEHJX7FYIYQIU44PCCI";
const PUBLIC_KEY = "UDDEEWKFR3V5CV3XE3PJMZC2WVF4ZJTJ6LEBHXWG4JWOPDN66GRAGGOB";
/** Of `s3cr3t`. */
const HASH = "$2b$04$cuKdUEHM2kHzhw4MGJwsNOeXE5PPqwAofUCFfl.nGgpmZqzRgNRdS";

function signer(seed: string): (nonce: Uint8Array) => Buffer {
  return (nonce) => Buffer.from(nkeys.fromSeed(new TextEncoder().encode(seed)).sign(nonce));
}

describe("authorization of the embedded broker", () => {
  const ivan = { user: "ivan", pass: "s3cr3t" };
  it.each<[title: string, args: string[], config: string, right: Login, wrong: Login[]]>([
    ["user and password by flags", ["-user", "ivan", "-pass", "s3cr3t"], "", ivan, [{}, { ...ivan, pass: "no" }]],
    ["a user without a password", ["-user", "ivan"], "", { user: "ivan", pass: "" }, [{}, { user: "x", pass: "" }]],
    ["a token by flag", ["-auth", "s3cr3t"], "", { token: "s3cr3t" }, [{}, { token: "no" }, ivan]],
    ["a user in the file", [], "authorization { user: ivan, password: s3cr3t }", ivan, [{}, { ...ivan, user: "iva" }]],
    ["a bcrypt password", [], `authorization { user: ivan, password: "${HASH}" }`, ivan, [{}, { ...ivan, pass: HASH }]],
    ["a token in the file", [], "authorization { token: s3cr3t }", { token: "s3cr3t" }, [{}, { token: "s3cr3" }]],
    [
      "several users, none of whom is named for the server",
      [],
      `authorization { users: [ { user: eva, password: x }, { user: ivan, password: "${HASH}" } ] }`,
      ivan,
      [{}, { user: "ivan", pass: "x" }, { user: "nobody", pass: "s3cr3t" }],
    ],
    [
      "an nkey",
      [],
      `authorization { users: [ { nkey: ${PUBLIC_KEY} } ] }`,
      { nkey: PUBLIC_KEY, nonceSigner: signer(SEED) },
      [{}, { nkey: PUBLIC_KEY, nonceSigner: () => Buffer.alloc(64) }],
    ],
  ])(
    "OPS-13 with %s, the server logs in by itself and only who knows it is let in",
    async (_t, args, config, right, wrong) => {
      const stage = testStage();
      const { port } = await startListening(stage, args, config);
      await expectServed(stage, port, "right", right);
      for (const login of wrong) await expectRefused(stage, port, login);
      await expectServed(stage, port, "still-right", right);
    },
  );

  it("OPS-13 takes the nkey of a plain NATS client, too", async () => {
    const stage = testStage();
    const { port } = await startListening(stage, [], `authorization { users: [ { nkey: ${PUBLIC_KEY} } ] }`);
    const authenticator = nkeyAuthenticator(new TextEncoder().encode(SEED));
    const client = await connect({ port, authenticator });
    await client.close();
    const other = nkeyAuthenticator(nkeys.createUser().getSeed());
    await expect(connect({ port, authenticator: other, reconnect: false })).rejects.toThrow(/authorization/i);
  });

  it("closes a connection that does not log in, after authorization { timeout }", async () => {
    const stage = testStage();
    const { port } = await startListening(stage, [], "authorization { token: t, timeout: 0.3 }");
    const silent = await connectRaw(stage, { port, connect: false });
    expect(silent.info).toMatchObject({ auth_required: true });
    expect(await silent.errors.take()).toBe("'Authentication Timeout'");
    await silent.untilClosed();
  });
});

describe("a login towards an external NATS server", () => {
  const config = (text: string): string => `streaming { ${text} }`;
  const outside = async (stage: Stage, port: number, text: string): Promise<string[]> => [
    ...["-cid", "outside", "-ns", `nats://127.0.0.1:${port}`],
    ...["-sc", await configFile(stage, config(text))],
  ];

  it.each([
    ["user and password", "authorization { user: ivan, password: s3cr3t }", "username: ivan, password: s3cr3t"],
    ["a token", "authorization { token: s3cr3t }", "token: s3cr3t"],
  ])(
    "OPS-13 OPS-15 %s of the streaming section are used; wrong or none is an Authorization Violation",
    async (_t, nats, login) => {
      const stage = testStage();
      const { port } = await startListening(stage, [], nats);
      const child = await launchServer(stage, "outside", await outside(stage, port, login));
      await child.line(READY);
      await child.stop();
      for (const wrong of ["", login.replaceAll("s3cr3t", "wrong")]) {
        const end = await runServer(stage, await outside(stage, port, wrong));
        const last = readLog(end.stderr.trimEnd().split("\n")).slice(-2);
        expect(end.code).toBe(1);
        expect(last.map(({ level, text }) => `${level} ${text}`)).toEqual([
          `ERR STREAM: cannot connect to NATS at 127.0.0.1:${port}: authorization violation; check user, password, token, nkey or credentials`,
          "FTL STREAM: Failed to start: nats: Authorization Violation",
        ]);
        expect(end.stderr).not.toContain("s3cr3t");
      }
    },
  );

  it("OPS-20 the reconnect line shows the user info of a URL as [REDACTED]", async () => {
    const stage = testStage();
    const port = await freePort();
    const args = ["-a", "127.0.0.1", "-p", String(port), "-user", "ivan", "-pass", "s3cr3t"];
    const first = await launchServer(stage, "NATS", args);
    await untilReady(first);
    const child = await launchServer(stage, "outside", [
      ...["-cid", "outside", "-ns", `nats://ivan:s3cr3t@127.0.0.1:${port}`],
    ]);
    await untilReady(child);
    await first.stop();
    await child.line('[ERR] STREAM: connection "_NSS-outside-general" has been disconnected');
    await untilReady(await launchServer(stage, "NATS again", args));
    const line = await child.line('connection "_NSS-outside-general" reconnected to NATS Server at');
    expect(line).toMatch(/at "nats:\/\/(\[REDACTED\]@)?127\.0\.0\.1:\d+"$/);
    expect(child.stderr).not.toMatch(/s3cr3t|ivan/);
  });
});

describe("permissions of the embedded broker", () => {
  /** The example of docs/security.md, as it stands there. */
  const example = async (): Promise<string> => {
    const page = await readFile(new URL("../../docs/security.md", import.meta.url), "utf8");
    const text = /```conf\n(.*?)```/s.exec(page)?.[1];
    if (text === undefined) throw new Error("docs/security.md has no example");
    return text;
  };

  it("the example of docs/security.md gives its users what a streaming client needs, and no more", async () => {
    const stage = testStage();
    const { port } = await startListening(stage, [], await example());
    const shop = { port, ackMillis: IGNORED_MILLIS, nats: { user: "shop", pass: "shop-secret" } };
    const audit = { port, ackMillis: IGNORED_MILLIS, nats: { user: "audit", pass: "audit-secret" } };

    const writer = await connectStan(stage, "shop", { ...shop, pingMillis: 1_000 });
    await writer.publish("orders.eu", "one");
    await expect(writer.publish("invoices", "x")).rejects.toThrow("timeout");

    const reader = await connectStan(stage, "audit", audit);
    const subscription = await reader.subscribe("orders.eu", {
      durableName: "audit",
      manualAcks: true,
      ackWaitMillis: 1_000,
    });
    const first = await subscription.messages.take();
    expect([first.text, first.redelivered]).toEqual(["one", false]);
    first.ack();
    await expect(reader.publish("orders.eu", "x")).rejects.toThrow("timeout");
    // The ack has arrived: the durable goes on behind it.
    await subscription.close();
    await writer.publish("orders.eu", "two");
    const resumed = await reader.subscribe("orders.eu", { durableName: "audit" });
    expect((await resumed.messages.take()).text).toBe("two");
    await resumed.unsubscribe();
    expect(writer.isLost).toBe(false);
    await reader.close();
    await writer.close();
  });

  it("keeps such users off the subjects of others, also off those by which servers agree", async () => {
    const stage = testStage();
    const { port } = await startListening(stage, [], await example());
    const raw = await connectRaw(stage, { port, connect: { user: "audit", pass: "audit-secret" } });
    raw.publish("_STAN.pub.test-cluster.orders.eu", "x");
    expect(await raw.errors.take()).toBe(`'Permissions Violation for Publish to "_STAN.pub.test-cluster.orders.eu"'`);
    raw.publish("_STAN.part.test-cluster", "x");
    expect(await raw.errors.take()).toMatch(/^'Permissions Violation for Publish/);
    raw.write("SUB _STAN.> 1\r\n");
    expect(await raw.errors.take()).toBe(`'Permissions Violation for Subscription to "_STAN.>"'`);
    raw.write("SUB > 2\r\n");
    expect(await raw.errors.take()).toBe(`'Permissions Violation for Subscription to ">"'`);
  });

  it.each([
    ['users: [ { user: a, permissions: { publich: "x" } } ]', 'unknown field "publich"'],
    ['users: [ { user: a, permissions: { publish: "a..b" } } ]', "a..b"],
    ["users: [ { nkey: UNONSENSE } ]", "UNONSENSE"],
  ])("refuses to start with %s", async (text, fault) => {
    const stage = testStage();
    const file = await configFile(stage, `authorization { ${text} }`);
    const end = await runServer(stage, ["-a", "127.0.0.1", "-p", String(await freePort()), "-c", file]);
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(fault);
  });
});
