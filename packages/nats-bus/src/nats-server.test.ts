import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bus, type BusStatus, systemClock } from "@nats-streaming/kernel";
import { freePort, recordingLogger } from "@nats-streaming/kernel/testing";
import { nkeys } from "nats";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ascii, Inbox, nextStatus, nextTopologyChange } from "../test-support/events.ts";
import { type NatsServer, startNatsServer } from "../test-support/nats-server.ts";
import { TLS_CERTIFICATE, TLS_KEY } from "../test-support/tls.ts";
import { connectNatsBus } from "./nats-bus.ts";
import type { NatsBusOptions } from "./options.ts";

/* Against a real nats-server, which each group starts on a free port. */

const buses: Bus[] = [];
const servers: NatsServer[] = [];
const folders: string[] = [];

async function start(config?: string): Promise<NatsServer> {
  const server = await startNatsServer(config);
  servers.push(server);
  return server;
}

async function connect(url: string, options: Partial<NatsBusOptions> = {}): Promise<Bus> {
  const bus = await connectNatsBus({
    servers: url,
    name: "test",
    clock: systemClock(),
    logger: recordingLogger(),
    ...options,
  });
  buses.push(bus);
  return bus;
}

afterEach(async () => {
  for (const bus of buses.splice(0)) await bus.close();
});

afterAll(async () => {
  for (const server of servers) await server.close();
  for (const folder of folders) await rm(folder, { recursive: true });
});

describe("one server", () => {
  let server: NatsServer;

  beforeAll(async () => {
    server = await start("max_payload: 100000");
  });

  it("carries messages in order from one bus to another, with reply subjects and wildcards", async () => {
    const [one, two] = [await connect(server.url), await connect(server.url)];
    const inbox = new Inbox(two, "order.*");
    await two.flush();
    for (let i = 0; i < 2_000; i++) one.publish(`order.${i % 3}`, ascii(`m${i}`), i % 2 === 0 ? "" : `reply.${i}`);
    await inbox.has(2_000);
    expect(inbox.messages).toEqual(
      Array.from({ length: 2_000 }, (_, i) => `order.${i % 3}|${i % 2 === 0 ? "" : `reply.${i}`}|m${i}`),
    );
  });

  it("carries payloads up to the maximum, and refuses more itself", async () => {
    const bus = await connect(server.url);
    expect(bus.maxPayload).toBe(100_000);
    const inbox = new Inbox(bus, "large");
    bus.publish("large", new Uint8Array(100_000).fill(0x61));
    bus.publish("large", new Uint8Array(0));
    await inbox.has(2);
    expect(inbox.messages).toEqual([`large||${"a".repeat(100_000)}`, "large||"]);
    expect(() => bus.publish("large", new Uint8Array(100_001))).toThrow(
      expect.objectContaining({ code: "max_payload" }),
    );
  });

  it("gives each message to one member of a queue group", async () => {
    const [one, two] = [await connect(server.url), await connect(server.url)];
    const members = [new Inbox(one, "work", { queue: "q" }), new Inbox(two, "work", { queue: "q" })];
    const observer = new Inbox(one, "work");
    await Promise.all([one.flush(), two.flush()]);
    for (let i = 0; i < 100; i++) one.publish("work", ascii(`${i}`));
    await observer.has(100);
    await Promise.all([one.flush(), two.flush()]);
    const received = members.flatMap(({ messages }) => messages);
    expect(received).toHaveLength(100);
    expect(new Set(received).size).toBe(100);
  });

  it("answers requests", async () => {
    const [one, two] = [await connect(server.url), await connect(server.url)];
    two.subscribe("echo", ({ bytes, start: from, end, reply }) => two.publish(reply, bytes, "", from, end));
    await two.flush();
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, i) => one.request("echo", ascii(`question ${i}`), 60_000)),
    );
    expect(replies).toEqual(Array.from({ length: 50 }, (_, i) => ({ kind: "reply", payload: ascii(`question ${i}`) })));
  });

  it("ends a request at once when nobody listens", async () => {
    const bus = await connect(server.url);
    expect(await bus.request("nobody.here", ascii("x"), 3_600_000)).toEqual({ kind: "no_responders" });
  });

  it("ends a request that nobody answers after its time", async () => {
    const bus = await connect(server.url);
    bus.subscribe("silent", () => {});
    expect(await bus.request("silent", ascii("x"), 20)).toEqual({ kind: "timeout" });
  });

  it("does not deliver after unsubscribe", async () => {
    const bus = await connect(server.url);
    const received: number[] = [];
    const subscription = bus.subscribe("stop", ({ bytes, start: from }) => {
      received.push(bytes[from]!);
    });
    bus.publish("stop", Uint8Array.of(1));
    await bus.flush();
    subscription.unsubscribe();
    bus.publish("stop", Uint8Array.of(2));
    await bus.flush();
    expect(received).toEqual([1]);
  });

  it("has the interest in force after a flush", async () => {
    const [one, two] = [await connect(server.url), await connect(server.url)];
    for (let i = 0; i < 20; i++) {
      const inbox = new Inbox(one, `ready.${i}`);
      await one.flush();
      two.publish(`ready.${i}`, ascii("x"));
      await inbox.has(1);
    }
  });

  it("carries subjects that are not ASCII, nor even UTF-8, byte for byte", async () => {
    const bus = await connect(server.url);
    const inbox = new Inbox(bus, "caf\xc3\xa9.>");
    bus.publish("caf\xc3\xa9.\xff", ascii("x"), "r\xfe");
    await inbox.has(1);
    expect(inbox.messages).toEqual(["caf\xc3\xa9.\xff|r\xfe|x"]);
  });

  it("sends what was published before close", async () => {
    const [one, two] = [await connect(server.url), await connect(server.url)];
    const inbox = new Inbox(two, "last");
    await two.flush();
    for (let i = 0; i < 500; i++) one.publish("last", ascii(`${i}`));
    await one.close();
    await inbox.has(500);
    expect(inbox.messages.at(-1)).toBe("last||499");
  });

  it("keeps its connection although a subject is too long for the server", async () => {
    const bus = await connect(server.url);
    const changes: BusStatus[] = [];
    bus.onStatus((status) => changes.push(status));
    let accepted = 0;
    for (let length = 4_000; length < 4_200; length++) {
      try {
        bus.publish("s".repeat(length), new Uint8Array(1_000));
        accepted++;
      } catch (error) {
        expect(error).toMatchObject({ code: "bad_subject" });
      }
    }
    bus.subscribe("s".repeat(4_060), () => {});
    await bus.flush();
    expect(accepted).toBeGreaterThan(50);
    expect(changes).toEqual([]);
  });
});

describe("a server that is killed and started again", () => {
  it("is found again, with all subscriptions and without what was published meanwhile", async () => {
    const server = await start();
    const bus = await connect(server.url);
    const inbox = new Inbox(bus, "again");
    bus.publish("again", ascii("before"));
    await inbox.has(1);

    const disconnected = nextStatus(bus, "disconnected");
    const connected = nextStatus(bus, "connected");
    const changed = nextTopologyChange(bus);
    await server.stop();
    await disconnected;
    expect(() => bus.publish("again", ascii("meanwhile"))).toThrow(expect.objectContaining({ code: "disconnected" }));
    await server.start();
    expect(await connected).toEqual({ kind: "connected", url: server.url });
    await changed;

    bus.publish("again", ascii("after"));
    await inbox.has(2);
    await bus.flush();
    expect(inbox.messages).toEqual(["again||before", "again||after"]);
    expect(await bus.request("nobody", ascii("x"), 60_000)).toEqual({ kind: "no_responders" });
  });
});

describe("a cluster", () => {
  it("reports a server that joins, and one that comes back", async () => {
    const routePort = await freePort();
    const cluster = (routes: string) => `cluster { name: "c", listen: "127.0.0.1:${routePort}"${routes} }`;
    const first = await start(cluster(""));
    const bus = await connect(first.url);
    const joined = nextTopologyChange(bus);
    const second = await start(
      `cluster { name: "c", listen: "127.0.0.1:${await freePort()}", routes: ["nats://127.0.0.1:${routePort}"] }`,
    );
    await joined;

    await second.stop();
    const back = nextTopologyChange(bus);
    await second.start();
    await back;

    // It has learned of the second server, and goes there when the first one dies.
    const connected = nextStatus(bus, "connected");
    await first.stop();
    expect(await connected).toEqual({ kind: "connected", url: second.url });
  });

  it("is known from the first connection on, though only one of it was named", async () => {
    const [first, second] = await formedCluster("");
    const bus = await connect(first.url);
    const connected = nextStatus(bus, "connected");
    await first.stop();
    expect(await connected).toEqual({ kind: "connected", url: second.url });
  });

  it("that refuses the credentials ends the start, although its servers announce one another to whom they refuse", async () => {
    const [first, second] = await formedCluster('authorization { user: "me", password: "s3cret" }\n');
    for (const servers of [first.url, [first.url, second.url]]) {
      await expect(
        connect(first.url, { servers, user: "me", pass: "wrong" } satisfies Partial<NatsBusOptions>),
      ).rejects.toMatchObject({
        code: "connect_failed",
        message: expect.stringContaining("authorization violation; check user"),
      });
    }
  });
});

/** Two servers that know each other. */
async function formedCluster(more: string): Promise<readonly [NatsServer, NatsServer]> {
  const routePort = await freePort();
  const first = await start(`${more}cluster { name: "c", listen: "127.0.0.1:${routePort}" }`);
  const watcher = await connect(first.url, more === "" ? {} : { user: "me", pass: "s3cret" });
  const joined = nextTopologyChange(watcher);
  const routes = `routes: ["nats://127.0.0.1:${routePort}"]`;
  const second = await start(`${more}cluster { name: "c", listen: "127.0.0.1:${await freePort()}", ${routes} }`);
  await joined;
  return [first, second];
}

describe("a server that asks for credentials", () => {
  it("accepts user and password, given or in the URL, and says what is wrong with others", async () => {
    const server = await start('authorization { user: "me", password: "s3cret" }');
    await connect(server.url, { user: "me", pass: "s3cret" });
    const bus = await connect(server.url.replace("://", "://me:s3cret@"));
    expect(bus.url).toBe(server.url);
    await expect(connect(server.url, { user: "me", pass: "wrong" })).rejects.toMatchObject({
      code: "connect_failed",
      message: expect.stringContaining("authorization violation; check user"),
    });
    await expect(connect(server.url)).rejects.toMatchObject({ code: "connect_failed" });
  });

  it("accepts a token", async () => {
    const server = await start('authorization { token: "t0ken" }');
    await connect(server.url, { token: "t0ken" });
    await connect(server.url.replace("://", "://t0ken@"));
    await expect(connect(server.url, { token: "wrong" })).rejects.toMatchObject({ code: "connect_failed" });
  });

  it("accepts an nkey", async () => {
    const user = nkeys.createUser();
    const server = await start(`authorization { users: [ { nkey: "${user.getPublicKey()}" } ] }`);
    const nkeySeed = Buffer.from(user.getSeed()).toString();
    await connect(server.url, { nkeySeed: () => `${nkeySeed}\n` });
    const other = Buffer.from(nkeys.createUser().getSeed()).toString();
    await expect(connect(server.url, { nkeySeed: other })).rejects.toMatchObject({ code: "connect_failed" });
  });

  it("logs what it does not permit, and the rest goes on", async () => {
    const server = await start(
      'authorization { users: [ { user: "me", password: "x", permissions: { publish: "ok.>", subscribe: ["ok.>", "_INBOX.>"] } } ] }',
    );
    const logger = recordingLogger();
    const bus = await connect(server.url, { user: "me", pass: "x", logger });
    const inbox = new Inbox(bus, "ok.>");
    bus.subscribe("forbidden.sub", () => {});
    bus.publish("forbidden.pub", ascii("x"));
    bus.publish("ok.pub", ascii("x"));
    await inbox.has(1);
    await bus.flush();
    expect(logger.lines).toEqual([
      expect.stringMatching(/^ERR Asynchronous error on connection test, subject forbidden\.sub: .*[Pp]ermissions/),
      expect.stringMatching(
        /^ERR Asynchronous error on connection test, subject forbidden\.pub: PERMISSIONS_VIOLATION/,
      ),
    ]);
  });
});

describe("a server with TLS", () => {
  it("is reached with its certificate authority, by demand or by scheme, and not without", async () => {
    const folder = await writeTlsFiles();
    const server = await start(`tls { cert_file: "${folder}/cert.pem", key_file: "${folder}/key.pem" }`);
    const tls = { ca: TLS_CERTIFICATE };
    const bus = await connect(server.url, { tls });
    const inbox = new Inbox(bus, "secret");
    bus.publish("secret", ascii("x"));
    await inbox.has(1);
    await connect(server.url.replace("nats:", "tls:"), { tls: { insecure: true } });
    await connect(server.url, { tls: { ...tls, serverName: "nats.test" } });

    await expect(connect(server.url.replace("nats:", "tls:"))).rejects.toMatchObject({
      code: "connect_failed",
      message: expect.stringContaining("certificate"),
    });
    await expect(connect(server.url, { tls: { ...tls, serverName: "other.test" } })).rejects.toMatchObject({
      code: "connect_failed",
    });
  });

  it("is demanded: a server without TLS is refused", async () => {
    const server = await start();
    await expect(connect(server.url, { tls: {} })).rejects.toMatchObject({ code: "connect_failed" });
  });
});

async function writeTlsFiles(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nats-bus-tls-"));
  await writeFile(join(folder, "cert.pem"), TLS_CERTIFICATE);
  await writeFile(join(folder, "key.pem"), TLS_KEY);
  folders.push(folder);
  return folder;
}
