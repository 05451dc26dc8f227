import { recordingLogger } from "@nats-streaming/kernel/testing";
import { nkeys } from "nats";
import { afterEach, describe, expect, it } from "vitest";
import { routeTo, startMember, until } from "../testing/cluster.ts";
import { LiveClock } from "../testing/live-clock.ts";
import { hasNatsServer, startNatsServer } from "../testing/nats-server.ts";
import { RawClient } from "../testing/raw-client.ts";
import { AUTHORITY, SERVER_PAIR, STRANGER_PAIR } from "../testing/tls.ts";
import { type Broker, createBroker } from "./broker.ts";
import type { BrokerOptions } from "./options.ts";

/** Undone after each test, the last first. */
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: BrokerOptions = {}): Promise<{ readonly broker: Broker; readonly port: number }> {
  const broker = createBroker({ host: "127.0.0.1", port: 0, drainMillis: 200, ...options });
  cleanups.push(() => broker.close());
  const { port } = await broker.listen();
  return { broker, port };
}

async function client(port: number, options: object = {}): Promise<RawClient> {
  const raw = await RawClient.connected(port, options);
  cleanups.push(() => raw.close());
  return raw;
}

/** What a server has been told, in its own words for nats-server. */
interface Step {
  readonly options: BrokerOptions;
  readonly configuration: string;
}

interface Reloadable {
  readonly port: number;
  reload(step: Step): Promise<void>;
}

interface Subject {
  readonly name: string;
  readonly start: (step: Step) => Promise<Reloadable>;
}

const ours: Subject = {
  name: "the broker",
  start: async ({ options }) => {
    const { broker, port } = await start(options);
    return { port, reload: (next) => broker.reload(next.options) };
  },
};

const reference: Subject = {
  name: "nats-server",
  start: async ({ configuration }) => {
    const server = await startNatsServer(configuration);
    cleanups.push(() => server.stop());
    return { port: server.port, reload: (next) => server.reload(next.configuration) };
  },
};

const VIOLATION = "-ERR 'Authorization Violation'\r\n";

const ada = (password: string): Step => ({
  options: { authorization: { kind: "user", user: "ada", password } },
  configuration: `authorization { user: ada, password: ${password} }`,
});

const token = (text: string): Step => ({
  options: { authorization: { kind: "token", token: text } },
  configuration: `authorization { token: ${text} }`,
});

const OPEN: Step = { options: {}, configuration: "" };

// Facts about the reference, checked against it where it is installed.
describe.each(hasNatsServer() ? [ours, reference] : [ours])("a reload of $name", ({ start: begin }) => {
  it("closes those who would not be let in any more, and leaves the others alone", async () => {
    const users = (password: string): Step => ({
      options: {
        authorization: {
          kind: "users",
          users: [
            { user: "ada", password },
            { user: "bob", password: "b" },
          ],
        },
      },
      configuration: `authorization { users: [ { user: ada, password: ${password} }, { user: bob, password: b } ] }`,
    });
    const server = await begin(users("a"));
    const one = await client(server.port, { user: "ada", pass: "a" });
    const two = await client(server.port, { user: "bob", pass: "b" });
    await server.reload(users("other"));
    expect(await one.rest()).toBe(VIOLATION);
    expect(await two.synced()).toBe("");
    await expect(client(server.port, { user: "ada", pass: "a" })).rejects.toThrow("Authorization Violation");
    await client(server.port, { user: "ada", pass: "other" });
  });

  it("closes everybody who has no login once one is demanded, and takes anybody when none is", async () => {
    const server = await begin(OPEN);
    const one = await client(server.port);
    await server.reload(token("t"));
    expect(await one.rest()).toBe(VIOLATION);
    const two = await client(server.port, { auth_token: "t" });
    await server.reload(OPEN);
    expect(await two.synced()).toBe("");
    await client(server.port);
  });

  it("holds existing connections to changed permissions, and ends subscriptions that they do not allow", async () => {
    const limited = (publish: string, deny: readonly string[]): Step => ({
      options: {
        authorization: {
          kind: "users",
          users: [
            { user: "ada", password: "a", permissions: { publish: { allow: [publish] }, subscribe: { deny } } },
            { user: "bob", password: "b" },
          ],
        },
      },
      configuration: `authorization { users: [
        { user: ada, password: a, permissions: { publish: ["${publish}"], subscribe: { deny: ${JSON.stringify(deny)} } } }
        { user: bob, password: b }
      ] }`,
    });
    const server = await begin(limited("x.>", []));
    const one = await client(server.port, { user: "ada", pass: "a" });
    const two = await client(server.port, { user: "bob", pass: "b" });
    one.send("SUB foo.bar 1\r\nSUB foo.baz q 2\r\nSUB > 3\r\nPUB x.1 1\r\nx\r\n");
    expect(await one.take("x\r\n")).toBe("MSG x.1 3 1\r\nx\r\n");
    await server.reload(limited("y.>", ["foo.baz", "secret"]));
    expect(await one.take(")'\r\n")).toBe(`-ERR 'Permissions Violation for Subscription to "foo.baz" (sid "2")'\r\n`);
    one.send("PUB x.1 1\r\nx\r\n");
    expect(await one.take("\r\n")).toBe(`-ERR 'Permissions Violation for Publish to "x.1"'\r\n`);
    two.send("PUB secret 1\r\ns\r\nPUB foo.bar 1\r\nb\r\n");
    await two.synced();
    expect((await one.synced()).split("MSG ").sort().join("MSG ")).toBe(
      "MSG foo.bar 1 1\r\nb\r\nMSG foo.bar 3 1\r\nb\r\n",
    );
    await server.reload(limited("x.>", []));
    two.send("PUB secret 1\r\ns\r\n");
    one.send("PUB x.1 1\r\nx\r\n");
    await two.synced();
    expect(await one.take("x\r\n")).toContain("MSG x.1 3 1\r\nx\r\n");
    await one.synced();
  });

  it("closes connections above a lower limit", async () => {
    const server = await begin(OPEN);
    const all = [await client(server.port), await client(server.port), await client(server.port)];
    await server.reload({ options: { maxConnections: 1 }, configuration: "max_connections: 1" });
    await until(() => all.filter((one) => one.isClosed).length === 2);
    for (const one of all) {
      expect(one.text).toBe(one.isClosed ? "-ERR 'maximum connections exceeded'\r\n" : "");
    }
    await server.reload(OPEN);
    await client(server.port);
  });

  it("holds existing connections to a lower payload limit", async () => {
    const server = await begin(OPEN);
    const one = await client(server.port);
    await server.reload({ options: { maxPayload: 100 }, configuration: "max_payload: 100" });
    one.send(`PUB a 100\r\n${"x".repeat(100)}\r\n`);
    expect(await one.synced()).toBe("");
    one.send(`PUB a 101\r\n${"x".repeat(101)}\r\n`);
    expect(await one.rest()).toBe("-ERR 'Maximum Payload Violation'\r\n");
    const two = await RawClient.open(server.port);
    cleanups.push(() => two.close());
    expect(JSON.parse(two.info.slice(5))).toMatchObject({ max_payload: 100 });
  });
});

describe("Broker.reload()", () => {
  // nats-server closes such a connection without a word.
  it("keeps who shows what is still right when another way to log in is configured", async () => {
    const server = await ours.start(ada("a"));
    const one = await client(server.port, { user: "ada", pass: "a", auth_token: "t" });
    await server.reload(token("t"));
    expect(await one.synced()).toBe("");
    await server.reload(ada("b"));
    expect(await one.rest()).toBe(VIOLATION);
  });

  it("says in INFO what holds now, and demands a login of clients that have said nothing yet", async () => {
    const clock = new LiveClock();
    const { broker, port } = await start({ clock });
    const early = await RawClient.open(port);
    const used = await RawClient.open(port);
    used.send("SUB a 1\r\nPING\r\n");
    await used.take("PONG\r\n");
    await broker.reload({ authorization: { kind: "token", token: "t" }, authTimeoutMillis: 500 });
    expect(await used.rest()).toBe(VIOLATION);
    const late = await RawClient.open(port);
    expect(JSON.parse(late.info.slice(5))).toMatchObject({ auth_required: true });
    late.send('CONNECT {"verbose":false,"auth_token":"t"}\r\n');
    expect(await late.synced()).toBe("");
    clock.advance(500);
    expect(await early.rest()).toBe("-ERR 'Authentication Timeout'\r\n");
    expect(await late.synced()).toBe("");
    late.close();
  });

  it("checks a password that is still the same no second time, and a changed one that is a hash without holding up others", async () => {
    let checks = 0;
    const bcrypt = async (password: string, hash: string): Promise<boolean> => {
      checks++;
      return hash.endsWith(password);
    };
    const hashed = (end: string): BrokerOptions => ({
      authorization: {
        kind: "users",
        users: [
          { user: "ada", password: `$2a$11$${end}` },
          { user: "bob", password: "b" },
        ],
      },
    });
    const { broker, port } = await start({ ...hashed("old"), bcrypt });
    const one = await client(port, { user: "ada", pass: "old" });
    const two = await client(port, { user: "bob", pass: "b" });
    await broker.reload({ ...hashed("old"), pingMax: 3 });
    expect(checks).toBe(1);
    await broker.reload(hashed("new"));
    expect(checks).toBe(2);
    expect(await one.rest()).toBe(VIOLATION);
    expect(await two.synced()).toBe("");
  });

  it("decides again on a login that was being checked while the users changed", async () => {
    const answers: ((isRight: boolean) => void)[] = [];
    const bcrypt = (): Promise<boolean> => new Promise((resolve) => answers.push(resolve));
    const { broker, port } = await start({ authorization: { kind: "token", token: "$2a$11$x" }, bcrypt });
    const one = await RawClient.open(port);
    one.send('CONNECT {"verbose":false,"auth_token":"x"}\r\nPING\r\n');
    await until(() => answers.length === 1);
    await broker.reload({ authorization: { kind: "token", token: "other" } });
    answers[0]?.(true);
    expect(await one.rest()).toBe(VIOLATION);
  });

  it("keeps a user known by a key whose nonce was signed, until the key is gone", async () => {
    const pair = nkeys.createUser();
    const withKey = (nkey: string): BrokerOptions => ({ authorization: { kind: "users", users: [{ nkey }] } });
    const { broker, port } = await start(withKey(pair.getPublicKey()));
    const one = await RawClient.open(port);
    const { nonce } = JSON.parse(one.info.slice(5));
    const sig = Buffer.from(pair.sign(Buffer.from(nonce))).toString("base64url");
    one.send(`CONNECT ${JSON.stringify({ verbose: false, nkey: pair.getPublicKey(), sig })}\r\n`);
    expect(await one.synced()).toBe("");
    await broker.reload(withKey(pair.getPublicKey()));
    expect(await one.synced()).toBe("");
    await broker.reload(withKey(nkeys.createUser().getPublicKey()));
    expect(await one.rest()).toBe(VIOLATION);
  });

  it("changes nothing when anything cannot be used", async () => {
    const { broker, port } = await start({
      authorization: { kind: "token", token: "t" },
      cluster: { port: 0, host: "127.0.0.1" },
    });
    const one = await client(port, { auth_token: "t" });
    const cases: readonly BrokerOptions[] = [
      { maxPayload: 0 },
      { clientAdvertise: ":1" },
      { authorization: { kind: "token", token: "$2a$11$x" } },
      { tls: { certificate: "x", key: "y" } },
      { cluster: { port: 0, routes: ["http://x"] } },
      { cluster: { port: 0, authorization: { user: "a", password: "$2a$11$x" } } },
    ];
    for (const options of cases) {
      await expect(broker.reload({ maxConnections: 5, ...options })).rejects.toMatchObject({ code: "bad_option" });
    }
    expect(await one.synced()).toBe("");
    expect(broker.statistics().maxConnections).toBe(65_536);
    await broker.close();
    await expect(broker.reload({})).rejects.toMatchObject({ code: "bad_state" });
  });

  it("leaves connections encrypted as they are, and shows a new certificate to those that come", async () => {
    const { broker, port } = await start({ tls: { ...SERVER_PAIR, authorities: AUTHORITY } });
    const { connect } = await import("nats");
    const options = { servers: `localhost:${port}`, tls: { ca: AUTHORITY }, reconnect: false };
    const one = await connect(options);
    cleanups.push(() => one.close());
    await broker.reload({ tls: { ...STRANGER_PAIR } });
    await one.flush();
    await expect(connect(options)).rejects.toThrow();
    await broker.reload({ tls: { ...SERVER_PAIR, authorities: AUTHORITY } });
    const two = await connect(options);
    await two.flush();
    await two.close();
    await broker.reload({});
    await one.flush();
    const plain = await client(port);
    expect(plain.info).not.toContain("tls_required");
  });

  it("traces existing connections once the logger traces", async () => {
    const logger = { ...recordingLogger({ trace: false }) };
    const { broker, port } = await start({ logger });
    const one = await client(port);
    Object.assign(logger, { traceEnabled: true });
    await broker.reload({});
    one.send("PUB a 1\r\nx\r\n");
    await one.synced();
    expect(logger.lines.filter((line) => line.includes("<<- [PUB a 1]"))).toHaveLength(1);
  });

  it("pings by the new interval", async () => {
    const clock = new LiveClock();
    const { broker, port } = await start({ clock });
    const one = await client(port);
    clock.advance(2_400);
    await one.take("PING\r\n");
    one.send("PONG\r\n");
    await one.synced();
    await broker.reload({ pingIntervalMillis: 1_000, pingMax: 1 });
    clock.advance(120_000);
    await one.take("PING\r\n");
    clock.advance(1_000);
    expect(await one.rest()).toBe("-ERR 'Stale Connection'\r\n");
  });

  it("opens routes that are new and closes those that are gone", async () => {
    const [a, b] = [await startMember(), await startMember()];
    cleanups.push(
      () => a.broker.close(),
      () => b.broker.close(),
    );
    const cluster = { host: "127.0.0.1", port: a.routePort, name: "c" };
    await a.broker.reload({ cluster: { ...cluster, routes: [routeTo(b.routePort)] } });
    await until(() => a.broker.routes().length === 1 && b.broker.routes().length === 1);
    expect(a.broker.statistics().cluster?.configuredRoutes).toEqual([`127.0.0.1:${b.routePort}`]);
    await a.broker.reload({ cluster });
    await until(() => a.broker.routes().length === 0 && b.broker.routes().length === 0);
  });

  it("closes routes that would not be let in any more", async () => {
    const logger = recordingLogger();
    const login = { user: "r", password: "one" };
    const a = await startMember({ authorization: login }, { logger });
    const url = `nats://r:one@127.0.0.1:${a.routePort}`;
    const b = await startMember({ routes: [url] });
    cleanups.push(
      () => a.broker.close(),
      () => b.broker.close(),
    );
    await until(() => a.broker.routes().length === 1);
    const cluster = { host: "127.0.0.1", port: a.routePort, name: "c" };
    await a.broker.reload({ cluster: { ...cluster, authorization: login } });
    expect(a.broker.routes()).toHaveLength(1);
    await a.broker.reload({ cluster: { ...cluster, authorization: { ...login, password: "two" } } });
    expect(a.broker.routes()).toHaveLength(0);
    expect(logger.lines.some((line) => line.endsWith("Router connection closed: Authentication Failure"))).toBe(true);
  });
});
