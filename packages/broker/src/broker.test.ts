import { once } from "node:events";
import { createServer } from "node:net";
import { recordingLogger, seededRandom } from "@nats-streaming/kernel/testing";
import { afterEach, describe, expect, it } from "vitest";
import { LiveClock } from "../testing/live-clock.ts";
import { RawClient } from "../testing/raw-client.ts";
import { type Broker, createBroker } from "./broker.ts";
import type { BrokerOptions } from "./options.ts";

const running: Broker[] = [];

afterEach(async () => {
  for (const broker of running.splice(0)) await broker.close();
});

async function start(options: BrokerOptions = {}): Promise<{ readonly broker: Broker; readonly port: number }> {
  const broker = createBroker({ host: "127.0.0.1", port: 0, drainMillis: 200, ...options });
  running.push(broker);
  const { port } = await broker.listen();
  return { broker, port };
}

/** The log's lines without what differs from run to run. */
function plain(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/127\.0\.0\.1:\d+/g, "A").replace(/N[A-Z2-7]{55}/g, "ID"));
}

describe("createBroker()", () => {
  it("reports the port it took and logs as nats-server does", async () => {
    const logger = recordingLogger({ debug: false, trace: false });
    const { broker, port } = await start({ logger });
    expect(port).toBeGreaterThan(0);
    await broker.close();
    expect(plain(logger.lines)).toEqual([
      "INF Starting nats-server",
      "INF   Version:  2.9.10",
      "INF   Git:      [not set]",
      "INF   Name:     ID",
      "INF   ID:       ID",
      "INF Listening for client connections on A",
      "INF Server is ready",
      "INF Initiating Shutdown...",
      "INF Server Exiting..",
    ]);
  });

  it("lets the caller log between its introduction and the listener", async () => {
    const logger = recordingLogger();
    const broker = createBroker({ host: "127.0.0.1", port: 0, logger, serverName: "here", version: "2.9.99" });
    running.push(broker);
    await broker.listen({ beforeListening: () => logger.info("Using configuration file: a.conf") });
    expect(plain(logger.lines)).toEqual([
      "INF Starting nats-server",
      "INF   Version:  2.9.99",
      "INF   Git:      [not set]",
      "INF   Name:     here",
      "INF   ID:       ID",
      "INF Using configuration file: a.conf",
      "INF Listening for client connections on A",
      "INF Server is ready",
    ]);
  });

  it("greets with the fields of nats-server, in its order", async () => {
    const { broker, port } = await start({ maxPayload: 1_000 });
    const client = await RawClient.open(port);
    const info = JSON.parse(client.info.slice("INFO ".length));
    expect(client.info).toMatch(/^INFO \{.*\} \r\n$/);
    expect(info).toEqual({
      server_id: broker.serverId,
      server_name: broker.serverId,
      version: "2.9.10",
      proto: 1,
      go: expect.any(String),
      host: "127.0.0.1",
      port,
      headers: true,
      max_payload: 1_000,
      client_id: 1,
      client_ip: "127.0.0.1",
    });
    expect(Object.keys(info)).toEqual(
      "server_id server_name version proto go host port headers max_payload client_id client_ip".split(" "),
    );
    expect(broker.serverId).toMatch(/^N[A-Z2-7]{55}$/);
    client.close();
  });

  it("says that it wants credentials", async () => {
    const { port } = await start({ authorization: { kind: "token", token: "t" } });
    const client = await RawClient.open(port);
    expect(client.info).toContain('"headers":true,"auth_required":true,"max_payload"');
    client.close();
  });

  it("refuses to listen twice, or after it was closed", async () => {
    const { broker } = await start();
    await expect(broker.listen()).rejects.toMatchObject({ code: "bad_state" });
    await broker.close();
    await broker.close();
    await expect(broker.listen()).rejects.toMatchObject({ code: "bad_state" });
    expect(() => broker.localBus("x")).toThrow(expect.objectContaining({ code: "bad_state" }));
  });

  it("says which address is taken, and can try again", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const broker = createBroker({ host: "127.0.0.1", port });
    running.push(broker);
    await expect(broker.listen()).rejects.toMatchObject({
      code: "listen_failed",
      message: expect.stringContaining(`Error listening on port: 127.0.0.1:${port}`),
    });
    other.close();
    await once(other, "close");
    expect((await broker.listen()).port).toBe(port);
  });

  it("can be closed without ever having listened", async () => {
    const broker = createBroker();
    await broker.close();
  });
});

describe("a broker among its clients", () => {
  it("delivers to all who listen, in order", async () => {
    const { port } = await start();
    const publisher = await RawClient.connected(port);
    const subscribers = [await RawClient.connected(port), await RawClient.connected(port)];
    for (const [i, subscriber] of subscribers.entries()) {
      subscriber.send(`SUB orders.${i === 0 ? "*" : ">"} ${i}\r\n`);
      await subscriber.synced();
    }
    let expected = "";
    for (let n = 0; n < 500; n++) {
      publisher.send(`PUB orders.new ${String(n).length}\r\n${n}\r\n`);
      expected += `MSG orders.new # ${String(n).length}\r\n${n}\r\n`;
    }
    await publisher.synced();
    for (const [i, subscriber] of subscribers.entries()) {
      expect(await subscriber.synced()).toBe(expected.replaceAll("#", String(i)));
      subscriber.close();
    }
    publisher.close();
  });

  it("delivers a payload of a mebibyte through small reads", async () => {
    const { port } = await start();
    const publisher = await RawClient.connected(port);
    const subscriber = await RawClient.connected(port);
    subscriber.send("SUB big 1\r\n");
    await subscriber.synced();
    const payload = "0123456789abcdef".repeat(65_536);
    const text = `PUB big reply ${payload.length}\r\n${payload}\r\n`;
    for (let at = 0; at < text.length; at += 30_011) publisher.send(text.slice(at, at + 30_011));
    await publisher.synced();
    expect((await subscriber.take(`${payload}\r\n`)) === `MSG big 1 reply ${payload.length}\r\n${payload}\r\n`).toBe(
      true,
    );
    publisher.close();
    subscriber.close();
  });

  it("gives each message to one member of a queue group, now this, now that", async () => {
    const { port } = await start({ random: seededRandom(4) });
    const publisher = await RawClient.connected(port);
    const members = [await RawClient.connected(port), await RawClient.connected(port), await RawClient.connected(port)];
    for (const member of members) {
      member.send("SUB work.* workers 1\r\n");
      await member.synced();
    }
    for (let n = 0; n < 300; n++) publisher.send("PUB work.a 1\r\nx\r\n");
    await publisher.synced();
    const counts: number[] = [];
    for (const member of members) counts.push((await member.synced()).split("MSG work.a 1 1\r\nx\r\n").length - 1);
    expect(counts.reduce((sum, count) => sum + count)).toBe(300);
    for (const count of counts) expect(count).toBeGreaterThan(60);
    for (const client of [publisher, ...members]) client.close();
  });

  it("passes a group's message by a member that wants no echo of its own", async () => {
    const { port } = await start();
    const silent = await RawClient.connected(port, { echo: false });
    const other = await RawClient.connected(port);
    silent.send("SUB work workers 1\r\n");
    other.send("SUB work workers 1\r\n");
    await silent.synced();
    await other.synced();
    for (let n = 0; n < 20; n++) silent.send("PUB work 1\r\nx\r\n");
    expect(await silent.synced()).toBe("");
    expect(await other.synced()).toBe("MSG work 1 1\r\nx\r\n".repeat(20));
    silent.close();
    other.close();
  });

  it("leaves headers out for a receiver that does not know them", async () => {
    const { port } = await start();
    const old = await RawClient.connected(port);
    old.send("SUB foo 1\r\n");
    await old.synced();
    const publisher = await RawClient.connected(port, { headers: true });
    publisher.send("HPUB foo r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nHPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\n");
    await publisher.synced();
    expect(await old.synced()).toBe("MSG foo 1 r 2\r\nhi\r\nMSG foo 1 0\r\n\r\n");
    old.close();
    publisher.close();
  });

  it("delivers nothing of a message whose publisher vanishes in the middle of it", async () => {
    const { broker, port } = await start();
    const subscriber = await RawClient.connected(port);
    subscriber.send("SUB > 1\r\n");
    await subscriber.synced();
    for (const part of [
      "PUB a",
      "PUB a 10\r\n",
      "PUB a 10\r\n01234",
      "PUB a 10\r\n0123456789",
      "PUB a 10\r\n0123456789\r",
    ]) {
      const publisher = await RawClient.connected(port);
      publisher.send(`PUB whole 1\r\nx\r\n${part}`);
      expect(await subscriber.take("x\r\n")).toBe("MSG whole 1 1\r\nx\r\n");
      publisher.socket.resetAndDestroy();
      await once(publisher.socket, "close");
    }
    expect(await subscriber.synced()).toBe("");
    await subscriber.until(() => broker.statistics().connections === 1);
    subscriber.close();
  });

  it("forgets the subscriptions of a client that is gone", async () => {
    const { broker, port } = await start();
    const watcher = await RawClient.connected(port);
    const client = await RawClient.connected(port);
    client.send("SUB a 1\r\nSUB b.* 2\r\n");
    await client.synced();
    expect(broker.statistics().subscriptions).toBe(2);
    client.close();
    while (broker.statistics().subscriptions > 0) await watcher.synced();
    watcher.close();
  });

  it("answers a client that ends its side what it has asked for", async () => {
    const { port } = await start();
    const client = await RawClient.open(port);
    client.socket.end("SUB a 1\r\nPUB a 2\r\nhi\r\nPING\r\n");
    expect(await client.rest()).toBe("+OK\r\n+OK\r\nMSG a 1 2\r\nhi\r\nPONG\r\n");
  });

  it("keeps serving others whatever bytes a client sends", async () => {
    const random = seededRandom(99);
    const { broker, port } = await start();
    const witness = await RawClient.connected(port);
    witness.send("SUB witness 1\r\n");
    const bytes = new Uint8Array(400);
    const verbs = ["PUB ", "SUB ", "HPUB ", "CONNECT {", "UNSUB ", "PING", "-ERR ", "INFO {", "+OK", "MSG "];
    for (let round = 0; round < 150; round++) {
      const hostile = await RawClient.open(port);
      random.fill(bytes);
      const start = verbs[Math.floor(random.next() * verbs.length)]!;
      const line = random.next() < 0.5 ? "CONNECT {}\r\n" : "";
      hostile.send(`${line}${start}${Buffer.from(bytes).toString("latin1")}\r\n`);
      hostile.socket.end();
      await hostile.rest();
    }
    witness.send("PUB witness 2\r\nok\r\n");
    expect(await witness.synced()).toBe("MSG witness 1 2\r\nok\r\n");
    expect(broker.statistics()).toMatchObject({ connections: 1, totalConnections: 151 });
    witness.close();
  });
});

describe("a broker's limits", () => {
  it("turns away connections over the limit, and takes new ones when others go", async () => {
    const logger = recordingLogger({ debug: false, trace: false });
    const { broker, port } = await start({ maxConnections: 1, logger });
    const first = await RawClient.connected(port);
    const second = await RawClient.open(port);
    expect(await second.rest()).toBe("-ERR 'maximum connections exceeded'\r\n");
    expect(plain(logger.lines).at(-1)).toBe("ERR A - cid:2 - maximum connections exceeded");
    first.send("PING\r\n");
    await first.take("PONG\r\n");
    first.close();
    while (broker.statistics().connections > 0) await new Promise((resolve) => setImmediate(resolve));
    const third = await RawClient.connected(port);
    third.close();
  });

  it("closes a client that does not authenticate in time", async () => {
    const clock = new LiveClock();
    const logger = recordingLogger();
    const { port } = await start({ clock, logger, authorization: { kind: "token", token: "t" } });
    const late = await RawClient.open(port);
    const good = await RawClient.connected(port, { auth_token: "t" });
    late.send("CONN");
    await good.synced();
    clock.advance(1_999);
    expect(late.isClosed).toBe(false);
    clock.advance(1);
    expect(await late.rest()).toBe("-ERR 'Authentication Timeout'\r\n");
    await good.synced();
    expect(plain(logger.lines)).toContain("DBG A - cid:1 - Client connection closed: Authentication Timeout");
    good.close();
  });

  it("closes a client that leaves pings unanswered, and keeps one that answers", async () => {
    const clock = new LiveClock();
    const logger = recordingLogger();
    const { broker, port } = await start({ clock, logger, pingIntervalMillis: 10_000, pingMax: 2 });
    const silent = await RawClient.connected(port);
    const alive = await RawClient.connected(port);
    for (const millis of [2_500, 10_000, 10_000]) {
      clock.advance(millis);
      if ((await alive.synced()).includes("PING")) alive.send("PONG\r\n");
      await alive.synced();
    }
    expect(await silent.rest()).toBe("PING\r\nPING\r\n-ERR 'Stale Connection'\r\n");
    expect(broker.statistics()).toMatchObject({ connections: 1, staleConnections: 1 });
    expect(plain(logger.lines)).toContain("DBG A - cid:1 - Client connection closed: Stale Connection");
    alive.close();
  });

  it("closes a receiver that lets too much pile up", async () => {
    const clock = new LiveClock();
    const logger = recordingLogger({ trace: false });
    const { broker, port } = await start({ clock, logger, maxPending: 2_000_000 });
    const slow = await RawClient.connected(port);
    slow.send("SUB flood 1\r\n");
    await slow.synced();
    slow.socket.pause();
    const bus = broker.localBus("flood");
    const payload = new Uint8Array(100_000);
    while (broker.statistics().slowConsumers === 0) {
      bus.publish("flood", payload);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(broker.statistics()).toMatchObject({ connections: 0, subscriptions: 0 });
    expect(plain(logger.lines)).toContain("INF A - cid:1 - Slow Consumer Detected: MaxPending of 2000000 Exceeded");
    expect(plain(logger.lines)).toContain("DBG A - cid:1 - Client connection closed: Slow Consumer (Pending Bytes)");
    slow.close();
  });

  it("closes a receiver to which one write takes too long", async () => {
    const clock = new LiveClock();
    const logger = recordingLogger({ trace: false });
    const { broker, port } = await start({ clock, logger, writeDeadlineMillis: 5_000 });
    const slow = await RawClient.connected(port);
    slow.send("SUB flood 1\r\n");
    await slow.synced();
    slow.socket.pause();
    const bus = broker.localBus("flood");
    // Far more than what the two ends' systems take in.
    for (let i = 0; i < 150; i++) {
      bus.publish("flood", new Uint8Array(100_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    clock.advance(4_999);
    expect(broker.statistics().slowConsumers).toBe(0);
    clock.advance(1);
    expect(broker.statistics().slowConsumers).toBe(1);
    expect(plain(logger.lines).join("\n")).toMatch(
      /INF A - cid:1 - Slow Consumer Detected: WriteDeadline of 5s exceeded with \d+ chunks of \d+ total bytes\./,
    );
    slow.close();
  });

  it("holds up a publisher whose receiver is far behind instead of closing that", async () => {
    // Time stands still, so that it is never too long for the publisher.
    const { broker, port } = await start({ maxPending: 4_000_000, clock: new LiveClock() });
    const receiver = await RawClient.connected(port);
    receiver.send("SUB flood 1\r\n");
    await receiver.synced();
    const publisher = await RawClient.connected(port);
    const message = `PUB flood 50000\r\n${"x".repeat(50_000)}\r\n`;
    receiver.socket.pause();
    for (let i = 0; i < 600; i++) publisher.send(message);
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    while ([...broker.connections()][0]!.pendingBytes <= 2_000_000) await turn();
    // Had the broker gone on reading, what it may hold would be exceeded by now.
    for (let i = 0; i < 200; i++) await turn();
    receiver.socket.resume();
    await publisher.synced();
    expect((await receiver.synced()).length).toBe(600 * `MSG flood 1 50000\r\n${"x".repeat(50_000)}\r\n`.length);
    expect(broker.statistics()).toMatchObject({ slowConsumers: 0, inMessages: 600, outMessages: 600 });
    publisher.close();
    receiver.close();
  });
});

describe("Broker.close()", () => {
  it("sends clients that understand it elsewhere, then what they are owed, and closes", async () => {
    const { broker, port } = await start();
    const current = await RawClient.connected(port, { protocol: 1 });
    const old = await RawClient.connected(port, { protocol: 0 });
    const mute = await RawClient.open(port);
    current.send("SUB a 1\r\n");
    await current.synced();
    broker.localBus("x").publish("a", new Uint8Array(Buffer.from("last")));
    const closed = broker.close();
    const text = await current.rest();
    expect(text).toMatch(/^MSG a 1 4\r\nlast\r\nINFO \{.*"client_id":1,.*"ldm":true\} \r\n$/);
    expect(await old.rest()).toBe("");
    expect(await mute.rest()).toBe("");
    await closed;
    await expect(RawClient.open(port)).rejects.toThrow();
  });

  it("gives a client that reads slowly the time to read what it is owed", async () => {
    const clock = new LiveClock();
    const { broker, port } = await start({ clock, drainMillis: 5_000 });
    const slow = await RawClient.connected(port);
    slow.send("SUB flood 1\r\n");
    await slow.synced();
    slow.socket.pause();
    const bus = broker.localBus("flood");
    for (let i = 0; i < 150; i++) bus.publish("flood", new Uint8Array(100_000));
    const closed = broker.close();
    clock.advance(4_999);
    slow.socket.resume();
    expect((await slow.rest()).length).toBe(150 * ("MSG flood 1 100000\r\n".length + 100_002));
    await closed;
  });

  it("does not wait for ever for a client that does not read", async () => {
    const { broker, port } = await start({ drainMillis: 50 });
    const slow = await RawClient.connected(port);
    slow.send("SUB flood 1\r\n");
    await slow.synced();
    slow.socket.pause();
    const bus = broker.localBus("flood");
    for (let i = 0; i < 150; i++) bus.publish("flood", new Uint8Array(100_000));
    await broker.close();
    slow.close();
  });
});

describe("a broker's statistics", () => {
  it("count connections, subscriptions, messages and bytes", async () => {
    const { broker, port } = await start({ serverName: "counting" });
    const client = await RawClient.connected(port, { name: "shop", lang: "test", version: "1.2", user: "u" });
    client.send("SUB a.* 1\r\nPUB a.b 5\r\nhello\r\nPUB other 1\r\nx\r\n");
    await client.synced();
    broker.localBus("bus").publish("a.c", new Uint8Array(3));
    await client.take("\r\n\0\0\0\r\n");
    expect(broker.statistics()).toEqual({
      serverId: broker.serverId,
      serverName: "counting",
      version: "2.9.10",
      host: "127.0.0.1",
      port,
      maxPayload: 1_048_576,
      maxConnections: 65_536,
      uptimeMillis: expect.any(Number),
      connections: 1,
      totalConnections: 1,
      subscriptions: 1,
      slowConsumers: 0,
      staleConnections: 0,
      inMessages: 3,
      inBytes: 9,
      outMessages: 2,
      outBytes: 8,
    });
    expect([...broker.connections()]).toEqual([
      {
        id: 1,
        address: "127.0.0.1",
        port: client.socket.localPort,
        name: "shop",
        language: "test",
        version: "1.2",
        user: "u",
        uptimeMillis: expect.any(Number),
        idleMillis: expect.any(Number),
        roundTripMillis: 0,
        pendingBytes: 0,
        inMessages: 2,
        inBytes: 6,
        outMessages: 2,
        outBytes: 8,
        subscriptionCount: 1,
        subscriptions: expect.any(Function),
      },
    ]);
    expect([...[...broker.connections()][0]!.subscriptions()]).toEqual([
      { subject: "a.*", queue: "", sid: "1", delivered: 2, max: 0 },
    ]);
    client.close();
  });
});

describe("a broker's log", () => {
  it("names clients as nats-server does, and traces what they say without their secrets", async () => {
    const logger = recordingLogger();
    const { port } = await start({ logger });
    const client = await RawClient.open(port);
    logger.lines.length = 0;
    client.send(
      'CONNECT {"verbose":false,"name":"n\\"m","lang":"go","version":"1.2","pass":"secret","auth_token":"secret"}\r\n',
    );
    client.send('SUB foo q 1\r\nPUB foo r 2\r\nh"\r\nUNSUB 1\r\nPING\r\nPONG\r\nG');
    await client.rest();
    const lines = plain(logger.lines);
    expect(lines[0]).toMatch(/^TRC A - cid:1 - "v1.2:go:n\\"m" - <<- \[CONNECT \{"verbose":false,/);
    expect(lines.join()).not.toContain("secret");
    expect(lines.slice(1).map((line) => line.replace('A - cid:1 - "v1.2:go:n\\"m" - ', ""))).toEqual([
      "TRC <<- [SUB foo q 1]",
      "TRC <<- [PUB foo r 2]",
      'TRC <<- MSG_PAYLOAD: ["h\\""]',
      "TRC ->> [MSG foo 1 r 2]",
      "TRC <<- [UNSUB 1]",
      "TRC <-> [DELSUB 1]",
      "TRC <<- [PING]",
      "TRC ->> [PONG]",
      "TRC <<- [PONG]",
      `ERR Client parser ERROR: proto='"G"'`,
      "TRC ->> [-ERR Unknown Protocol Operation]",
      "DBG Client connection closed: Protocol Violation",
    ]);
  });
});
