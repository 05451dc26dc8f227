import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { freePort, recordingLogger } from "@nats-streaming/kernel/testing";
import { afterEach, describe, expect, it } from "vitest";
import { type Member, routeTo, startMember, until } from "../../testing/cluster.ts";
import { LiveClock } from "../../testing/live-clock.ts";
import { RawClient } from "../../testing/raw-client.ts";
import type { BrokerOptions } from "../options.ts";
import type { ClusterOptions } from "./cluster-options.ts";

const running: Member[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(running.splice(0).map(({ broker }) => broker.close()));
});

async function start(cluster: Partial<ClusterOptions> = {}, options: BrokerOptions = {}): Promise<Member> {
  const member = await startMember(cluster, options);
  running.push(member);
  return member;
}

/** Servers the first of which all others know, once each has a route to every other. */
async function mesh(count: number): Promise<readonly Member[]> {
  const members = [await start()];
  while (members.length < count) members.push(await start({ routes: [routeTo(members[0]!.routePort)] }));
  await meshed(members);
  return members;
}

async function meshed(members: readonly Member[]): Promise<void> {
  await until(() => members.every(({ broker }) => broker.routes().length === members.length - 1));
}

/** Resolves once `member` knows that somebody elsewhere listens. */
async function interestIn(member: Member, subject: string): Promise<void> {
  await until(() => member.broker.routes().some((route) => route.subscriptions().includes(subject)));
}

async function client(member: Member, options: object = {}): Promise<RawClient> {
  const raw = await RawClient.connected(member.port, options);
  sockets.push(raw.socket);
  return raw;
}

/** A peer on the route port that is nothing but a socket. */
async function rawRoute(member: Member): Promise<RawClient> {
  const raw = await RawClient.open(member.routePort);
  sockets.push(raw.socket);
  return raw;
}

const CONNECT = 'CONNECT {"name":"NPEER","headers":true,"cluster":"c"}\r\n';
const INFO =
  'INFO {"server_id":"NPEER","server_name":"peer","host":"127.0.0.1","port":1,"headers":true,"cluster":"c"}\r\n';

describe("two servers", () => {
  it("carry messages both ways, with replies, headers and bytes of any kind", async () => {
    const [a, b] = await mesh(2);
    const [publisher, subscriber] = [await client(a!, { headers: true }), await client(b!, { headers: true })];
    subscriber.send("SUB foo.* 1\r\nSUB > 2\r\n");
    await subscriber.synced();
    await interestIn(a!, "foo.*");
    await interestIn(a!, ">");
    publisher.send(
      "PUB foo.x 2\r\nhi\r\nPUB foo.x r.1 3\r\n\x00\xff\n\r\nHPUB foo.x r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
    );
    const expected = [
      "MSG foo.x 2 2\r\nhi\r\nMSG foo.x 1 2\r\nhi\r\n",
      "MSG foo.x 2 r.1 3\r\n\x00\xff\n\r\nMSG foo.x 1 r.1 3\r\n\x00\xff\n\r\n",
      "HMSG foo.x 2 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nHMSG foo.x 1 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
    ].join("");
    await subscriber.until(() => subscriber.text.length >= expected.length);
    expect(subscriber.text).toBe(expected);
    const back = await client(a!);
    back.send("SUB back 7\r\n");
    await back.synced();
    await interestIn(b!, "back");
    subscriber.send("PUB back 1\r\nx\r\n");
    expect(await back.take("x\r\n")).toBe("MSG back 7 1\r\nx\r\n");
  });

  it("carry a payload larger than a chunk, in order with small ones", async () => {
    const [a, b] = await mesh(2);
    const got: number[] = [];
    b!.bus.subscribe("big", (message) => got.push(message.end - message.start));
    await interestIn(a!, "big");
    const publisher = await client(a!);
    const sizes = [1, 200_000, 2, 1_000_000, 3, 65_500];
    for (const size of sizes) publisher.send(`PUB big ${size}\r\n${"x".repeat(size)}\r\n`);
    await until(() => got.length === sizes.length);
    for (const size of sizes) a!.bus.publish("big", new Uint8Array(size));
    await until(() => got.length === 2 * sizes.length);
    expect(got).toEqual([...sizes, ...sizes]);
  });

  it("answer a request from one local bus on the other's", async () => {
    const [a, b] = await mesh(2);
    b!.bus.subscribe("ask", (message) => b!.bus.publish(message.reply, message.bytes, "", message.start, message.end));
    await interestIn(a!, "ask");
    expect(await a!.bus.request("ask", new Uint8Array([1, 2, 3]), 5_000)).toEqual({
      kind: "reply",
      payload: new Uint8Array([1, 2, 3]),
    });
    expect(await a!.bus.request("nobody", new Uint8Array(0), 5_000)).toEqual({ kind: "no_responders" });
  });

  it("report a request that nobody on either listens to, and none that somebody does", async () => {
    const [a, b] = await mesh(2);
    const asker = await client(a!, { headers: true, no_responders: true });
    const responder = await client(b!);
    responder.send("SUB service workers 1\r\n");
    await responder.synced();
    await interestIn(a!, "service");
    asker.send("SUB in.* 9\r\nPUB service in.1 1\r\nx\r\nPUB nobody in.2 1\r\nx\r\n");
    expect(await asker.take("\r\n\r\n\r\n")).toBe("HMSG in.2 9 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
    expect(await responder.take("x\r\n")).toBe("MSG service 1 in.1 1\r\nx\r\n");
    responder.close();
    await until(() => a!.broker.routes()[0]!.subscriptionCount === 0);
    asker.send("PUB service in.3 1\r\nx\r\n");
    expect(await asker.take("\r\n\r\n\r\n")).toContain("HMSG in.3 9 16 16\r\n");
  });

  it("end with one route when each opens one to the other at the same moment", async () => {
    for (let round = 0; round < 5; round++) {
      const [first, second] = [await freePort(), await freePort()];
      const pair = await Promise.all([
        start({ port: first, routes: [routeTo(second)] }),
        start({ port: second, routes: [routeTo(first)] }),
      ]);
      await meshed(pair);
      const got: string[] = [];
      pair[1].bus.subscribe(`round.${round}`, (message) => got.push(message.subject));
      await interestIn(pair[0], `round.${round}`);
      pair[0].bus.publish(`round.${round}`, new Uint8Array(1));
      pair[0].bus.publish(`round.${round}`, new Uint8Array(1));
      await pair[0].bus.flush();
      await until(() => got.length === 2);
      expect(pair.map(({ broker }) => broker.routes().length)).toEqual([1, 1]);
    }
  });

  it("keep one route when one of them knows the other by two addresses, and itself by a third", async () => {
    const a = await start();
    const own = await freePort();
    const b = await start({
      port: own,
      routes: [routeTo(a.routePort), `nats://localhost:${a.routePort}`, routeTo(own)],
    });
    await meshed([a, b]);
    let got = 0;
    b.bus.subscribe("once", () => got++);
    await interestIn(a, "once");
    a.bus.publish("once", new Uint8Array(0));
    await a.bus.request("nobody", new Uint8Array(0), 10);
    b.bus.subscribe("last", () => got++);
    await interestIn(a, "last");
    a.bus.publish("last", new Uint8Array(0));
    await until(() => got >= 2);
    expect(got).toBe(2);
  });

  it("find each other again when one is started anew, and local buses hear of it", async () => {
    const a = await start();
    const port = await freePort();
    let changes = 0;
    a.bus.onTopologyChange(() => changes++);
    const b = await start({ port, routes: [routeTo(a.routePort)] });
    await until(() => changes === 1);
    const c = await start({ routes: [routeTo(port)] });
    await meshed([a, b, c]);
    await until(() => changes === 2);
    b.bus.subscribe("gone", () => {});
    await interestIn(a, "gone");
    await b.broker.close();
    await until(() => a.broker.routes().length === 1 && c.broker.routes().length === 1);
    expect(await a.bus.request("gone", new Uint8Array(0), 5_000)).toEqual({ kind: "no_responders" });
    const again = await start({ port });
    await meshed([a, again, c]);
    await until(() => changes === 3);
  });

  it("tell clients that understand it where else they can go, and when that is gone", async () => {
    const a = await start();
    const [informed, old] = [await client(a, { protocol: 1 }), await client(a)];
    expect(JSON.parse(informed.info.slice(5))).not.toHaveProperty("connect_urls");
    const b = await start({ routes: [routeTo(a.routePort)] }, { clientAdvertise: "b.example:4000" });
    await informed.until(() => informed.text.includes("b.example"));
    expect(JSON.parse((await informed.take("\r\n")).slice(5))).toMatchObject({
      cluster: "c",
      connect_urls: [`127.0.0.1:${a.port}`, "b.example:4000"],
    });
    await b.broker.close();
    expect(JSON.parse((await informed.take("\r\n")).slice(5))).toMatchObject({ connect_urls: [`127.0.0.1:${a.port}`] });
    expect(await old.synced()).toBe("");
  });

  it("tell nobody where clients can go when that is not wished", async () => {
    const a = await start({ noAdvertise: true });
    const informed = await client(a, { protocol: 1 });
    const b = await start({ routes: [routeTo(a.routePort)] });
    await meshed([a, b]);
    const elsewhere = await client(b, { protocol: 1 });
    expect(await informed.synced()).toBe("");
    expect(JSON.parse(elsewhere.info.slice(5))).not.toHaveProperty("connect_urls");
  });
});

describe("three servers", () => {
  it("form a full mesh from one address, and nothing goes round", async () => {
    const members = await mesh(3);
    const counts = [0, 0, 0];
    for (const [i, member] of members.entries()) member.bus.subscribe("all", () => counts[i]!++);
    for (const member of members) {
      await until(() => member.broker.routes().every((route) => route.subscriptions().includes("all")));
    }
    for (let i = 0; i < 50; i++) members[i % 3]!.bus.publish("all", new Uint8Array(1));
    await until(() => counts.every((count) => count >= 50));
    const before = members.map(({ broker }) => broker.statistics().inMessages);
    for (const { bus } of members) await bus.request("nobody", new Uint8Array(0), 10);
    expect(counts).toEqual([50, 50, 50]);
    expect(members.map(({ broker }, i) => broker.statistics().inMessages - before[i]!)).toEqual([1, 1, 1]);
  });

  it("give each message to one member of a queue group, and to all members their share", async () => {
    const members = await mesh(3);
    const counts = new Map<string, number>();
    const seen: number[] = [];
    for (const [place, member] of members.entries()) {
      for (let i = 0; i <= place; i++) {
        const name = `${place}.${i}`;
        counts.set(name, 0);
        const add = (message: { readonly bytes: Uint8Array; readonly start: number }): void => {
          counts.set(name, counts.get(name)! + 1);
          seen.push(message.bytes[message.start]! * 256 + message.bytes[message.start + 1]!);
        };
        member.bus.subscribe("work", add, { queue: "workers" });
      }
    }
    await until(() => members[0]!.broker.routes().reduce((sum, route) => sum + route.subscriptionCount, 0) === 2);
    await interestIn(members[0]!, "work");
    const publisher = await client(members[0]!);
    const total = 1_200;
    const lines: string[] = [];
    for (let i = 0; i < total; i++) lines.push(`PUB work 2\r\n${String.fromCharCode(i >> 8, i & 255)}\r\n`);
    publisher.send(lines.join(""));
    await until(() => seen.length >= total);
    await publisher.synced();
    expect(new Set(seen).size).toBe(total);
    expect(seen.length).toBe(total);
    // Six members: 200 each on average, and 100 are more than seven standard deviations away.
    for (const count of counts.values()) expect(count).toBeGreaterThan(100);
  });

  it("choose one member in each of several groups, wherever it is", async () => {
    const members = await mesh(3);
    const got: string[] = [];
    members[1]!.bus.subscribe("job", () => got.push("plain"));
    members[1]!.bus.subscribe("job", () => got.push("one"), { queue: "one" });
    members[1]!.bus.subscribe("job", () => got.push("two"), { queue: "two" });
    members[2]!.bus.subscribe("job.>", () => got.push("other"));
    members[2]!.bus.subscribe("*", () => got.push("three"), { queue: "three" });
    await until(() => members[0]!.broker.routes().reduce((sum, route) => sum + route.subscriptionCount, 0) === 5);
    members[0]!.bus.publish("job", new Uint8Array(1), "answer");
    await until(() => got.length >= 4);
    expect(got.sort()).toEqual(["one", "plain", "three", "two"]);
  });

  it("forget what a server listened to that is killed", async () => {
    const members = await mesh(3);
    const subscriber = await client(members[2]!);
    subscriber.send("SUB a.b 1\r\nSUB a.* q 2\r\n");
    await subscriber.synced();
    await interestIn(members[0]!, "a.b");
    await interestIn(members[0]!, "a.*");
    await members[2]!.broker.close();
    await until(() => members[0]!.broker.routes().length === 1);
    expect(await members[0]!.bus.request("a.b", new Uint8Array(0), 5_000)).toEqual({ kind: "no_responders" });
  });
});

describe("the cluster's name", () => {
  it("is that of the first server that was given one", async () => {
    const a = await start({ name: "" });
    const b = await start({ name: "given", routes: [routeTo(a.routePort)] });
    await meshed([a, b]);
    expect(a.broker.statistics().cluster?.name).toBe("given");
  });

  it("settles when nobody was given one", async () => {
    const a = await start({ name: "" });
    const b = await start({ name: "", routes: [routeTo(a.routePort)] });
    const c = await start({ name: "", routes: [routeTo(a.routePort)] });
    await meshed([a, b, c]);
    const names = [a, b, c].map(({ broker }) => broker.statistics().cluster?.name);
    expect(new Set(names).size).toBe(1);
  });

  it("keeps servers apart that were given different ones", async () => {
    const logger = recordingLogger();
    const a = await start({ name: "x" });
    const b = await start({ name: "y", routes: [routeTo(a.routePort)] }, { logger });
    const rejected = 'Rejecting connection, cluster name "x" does not match "y"';
    await until(() => logger.lines.some((line) => line.includes(rejected)));
    expect([a, b].map(({ broker }) => broker.routes().length)).toEqual([0, 0]);
  });
});

describe("who may connect", () => {
  it("is who gives user and password, in the URL or, when learnt, the cluster's own", async () => {
    const authorization = { user: "ruser", password: "p@ss" };
    const a = await start({ authorization });
    const route = `nats://ruser:p%40ss@127.0.0.1:${a.routePort}`;
    const b = await start({ authorization, routes: [route] });
    const c = await start({ authorization, routes: [route] });
    await meshed([a, b, c]);
  });

  it("is not who gives others, or none", async () => {
    const a = await start({ authorization: { user: "u", password: "p" } });
    for (const fields of ['"user":"u","pass":"x"', '"user":"","pass":"p"', '"name":"N"']) {
      const peer = await rawRoute(a);
      peer.send(`CONNECT {${fields},"cluster":"c"}\r\n${INFO}`);
      expect(await peer.rest()).toBe("-ERR 'Authorization Violation'\r\n");
    }
    const logger = recordingLogger();
    await start({ routes: [`nats://u:secret@127.0.0.1:${a.routePort}`] }, { logger });
    await until(() => logger.lines.some((line) => line.includes("Route Error 'Authorization Violation'")));
    expect(logger.lines.join()).not.toContain("secret");
    expect(a.broker.routes()).toEqual([]);
  });
});

describe("the route port", () => {
  it("greets as nats-server does", async () => {
    const a = await start({ advertise: "a.example:6000" }, { serverName: "a" });
    const peer = await rawRoute(a);
    expect(JSON.parse(peer.info.slice(5))).toMatchObject({
      server_name: "a",
      host: "a.example",
      port: 6000,
      ip: "nats-route://a.example:6000/",
      cluster: "c",
      headers: true,
      connect_urls: [`127.0.0.1:${a.port}`],
    });
  });

  it("sends what is listened to, and passes over what it does not know", async () => {
    const a = await start();
    a.bus.subscribe("foo", () => {});
    a.bus.subscribe("foo", () => {});
    a.bus.subscribe("bar", () => {}, { queue: "q" });
    const two = a.bus.subscribe("bar", () => {}, { queue: "q" });
    const peer = await rawRoute(a);
    peer.send(`${CONNECT}${INFO}LS+ leaf $G x\r\nLS- leaf $G x\r\nA- acc\r\nRS+ $SYS $SYS.REQ\r\nPING\r\n`);
    expect(await peer.take("PONG\r\n")).toBe("RS+ $G foo\r\nRS+ $G bar q 2\r\nPING\r\nPONG\r\n");
    two.unsubscribe();
    expect(await peer.take("\r\n")).toBe("RS+ $G bar q 1\r\n");
    expect(a.broker.routes()[0]).toMatchObject({ remoteId: "NPEER", remoteName: "peer", subscriptionCount: 0 });
  });

  it("never passes a routed message on to another route, nor another account's to anybody", async () => {
    const a = await start();
    const [one, two] = [await rawRoute(a), await rawRoute(a)];
    one.send(`${CONNECT}${INFO}PING\r\n`);
    two.send(
      `${CONNECT.replaceAll("NPEER", "NTWO")}${INFO.replaceAll("NPEER", "NTWO")}RS+ $G foo\r\nRS+ $G foo q 1\r\nPING\r\n`,
    );
    await one.take("PONG\r\n");
    await two.take("PONG\r\n");
    const got: string[] = [];
    a.bus.subscribe("foo", (message) => got.push(`plain ${message.reply}`));
    a.bus.subscribe("foo", () => got.push("q"), { queue: "q" });
    one.send(
      "RMSG $G foo 1\r\nx\r\nRMSG $SYS foo 1\r\nx\r\nRMSG $G foo + r q 1\r\nx\r\nRMSG $G foo | q z 1\r\nx\r\nPING\r\n",
    );
    await one.take("PONG\r\n");
    expect(got).toEqual(["plain ", "plain r", "q", "plain ", "q"]);
    two.send("PING\r\n");
    expect(await two.take("PONG\r\n")).not.toContain("RMSG");
  });

  it("changes the weight of a queue group, and takes back what was taken back", async () => {
    const a = await start();
    const peer = await rawRoute(a);
    peer.send(`${CONNECT}${INFO}RS+ $G w q 1\r\nRS+ $G w q 70000\r\nRS+ $G w\r\nRS- $G w\r\nRS- $G none\r\nPING\r\n`);
    await peer.take("PONG\r\n");
    a.bus.publish("w", new Uint8Array(1));
    a.bus.publish("w", new Uint8Array(1), "r");
    expect(await peer.take("r q 1\r\n")).toContain("RMSG $G w | q 1\r\n");
    peer.send("RS- $G w q\r\nPING\r\n");
    await peer.take("PONG\r\n");
    expect(await a.bus.request("w", new Uint8Array(0), 1_000)).toEqual({ kind: "no_responders" });
  });

  it("turns clients away, and whoever does not keep to the protocol, and goes on", async () => {
    const a = await start();
    const cases: readonly (readonly [string, string])[] = [
      ['CONNECT {"lang":"go"}\r\n', "-ERR 'attempted to connect to route port'\r\n"],
      ["PING\r\n", "-ERR 'Authorization Violation'\r\n"],
      ["GET / HTTP/1.1\r\n", "-ERR 'Authorization Violation'\r\n"],
      ["CONNECT bad\r\n", ""],
      [`CONNECT ${"x".repeat(100_000)}`, "-ERR 'maximum control line exceeded'\r\n"],
      [`${CONNECT}SUB foo 1\r\n`, "-ERR 'Unknown Protocol Operation'\r\n"],
      [`${CONNECT}RS+ $G foo\r\n`, ""],
      [`${CONNECT}RMSG $G foo 1\r\nx\r\n`, ""],
      [`${CONNECT}INFO {}\r\n`, ""],
      [`${CONNECT}${CONNECT}`, ""],
      [`${CONNECT}${INFO}RMSG $G foo 99999999\r\n`, "-ERR 'Maximum Payload Violation'\r\n"],
      [`${CONNECT}${INFO}RMSG $G foo 1\r\nxy\r\n`, "-ERR 'Unknown Protocol Operation'\r\n"],
      [`${CONNECT}${INFO}RS+ $G foo q\r\n`, ""],
      [`${CONNECT}${INFO}-ERR 'x'\r\n`, ""],
    ];
    for (const [send, answer] of cases) {
      const peer = await rawRoute(a);
      peer.send(send);
      const rest = await peer.rest();
      expect([send.slice(0, 80), rest.replace("PING\r\n", "")]).toEqual([send.slice(0, 80), answer]);
    }
    const peer = await rawRoute(a);
    peer.send(`${CONNECT}${INFO}RS+ $G a..b\r\nRS+ $G fine\r\nPING\r\n`);
    await peer.take("PONG\r\n");
    expect(a.broker.routes().map((route) => route.subscriptions())).toEqual([["fine"]]);
  });

  it("lives through random bytes", async () => {
    const a = await start();
    let state = 12_345;
    const next = (): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state >>> 24;
    };
    for (let round = 0; round < 40; round++) {
      const noise = String.fromCharCode(...Array.from({ length: 300 }, next));
      const peer = await rawRoute(a);
      peer.send((["", CONNECT, CONNECT + INFO][round % 3] ?? "") + noise);
      peer.socket.end();
      await peer.rest();
    }
    await until(() => a.broker.routes().length === 0);
    const peer = await rawRoute(a);
    peer.send(`${CONNECT}${INFO}PING\r\n`);
    await peer.take("PONG\r\n");
  });

  it("tells a server that introduces itself a second time to wait, and moves on when the first route ends", async () => {
    const a = await start();
    const [one, two] = [await rawRoute(a), await rawRoute(a)];
    one.send(`${CONNECT}${INFO}RS+ $G one\r\nPING\r\n`);
    await one.take("PONG\r\n");
    two.send(`${CONNECT}${INFO}RS+ $G two\r\nPING\r\n`);
    await two.take("PONG\r\n");
    expect(a.broker.routes().map((route) => route.subscriptions())).toEqual([["one"]]);
    one.close();
    await until(() => a.broker.routes().some((route) => route.subscriptions().includes("two")));
    a.bus.publish("two", new Uint8Array(0));
    await two.take("RMSG $G two 0\r\n");
  });
});

describe("a route in use", () => {
  it("is closed when the other server answers no pings, and its interest is forgotten", async () => {
    const clock = new LiveClock();
    const a = await start({}, { clock });
    const peer = await rawRoute(a);
    peer.send(`${CONNECT}${INFO}RS+ $G foo\r\nPONG\r\n`);
    await until(() => a.broker.routes().some((route) => route.subscriptionCount === 1));
    for (let i = 0; i < 5; i++) clock.advance(30_000);
    expect(await peer.rest()).toBe("PING\r\nPING\r\nPING\r\n-ERR 'Stale Connection'\r\n");
    expect(await a.bus.request("foo", new Uint8Array(0), 1_000)).toEqual({ kind: "no_responders" });
    expect(a.broker.statistics().staleConnections).toBe(1);
  });

  it("is closed when the other server does not read, and clients go on", async () => {
    const logger = recordingLogger();
    const a = await start({}, { maxPending: 100_000, maxPayload: 50_000, logger });
    const peer = await rawRoute(a);
    peer.send(`${CONNECT}${INFO}RS+ $G foo\r\nPONG\r\n`);
    await until(() => a.broker.routes().some((route) => route.subscriptionCount === 1));
    peer.socket.pause();
    const payload = new Uint8Array(50_000);
    while (a.broker.routes().length > 0) {
      for (let i = 0; i < 20; i++) a.bus.publish("foo", payload);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(logger.lines.some((line) => line.includes("Slow Consumer Detected: MaxPending of 400000 Exceeded"))).toBe(
      true,
    );
    expect(await (await client(a)).synced()).toBe("");
  });

  it("carries messages without headers to a server that knows none", async () => {
    const a = await start();
    const peer = await rawRoute(a);
    peer.send(`${CONNECT}${INFO.replace('"headers":true', '"headers":false')}RS+ $G foo\r\nPING\r\n`);
    await peer.take("PONG\r\n");
    const publisher = await client(a, { headers: true });
    publisher.send("HPUB foo r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
    expect(await peer.take("hi\r\n")).toBe("RMSG $G foo r 2\r\nhi\r\n");
  });
});

describe("a route that is opened", () => {
  it("ends at a port for clients, and at a server that says nothing", async () => {
    const logger = recordingLogger();
    const a = await start();
    const silent = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = silent.address();
    const silentPort = typeof address === "object" && address !== null ? address.port : 0;
    const routes = [routeTo(a.port), routeTo(silentPort)];
    const b = await start({ routes, authTimeoutMillis: 50 }, { logger });
    await until(() => logger.lines.some((line) => line.includes("Authentication Timeout")));
    await until(() => logger.lines.some((line) => line.includes("port for clients")));
    expect(b.broker.routes()).toEqual([]);
    silent.close();
  });

  it("is tried again until the other server is there", async () => {
    const logger = recordingLogger();
    const port = await freePort();
    const a = await start({ routes: [routeTo(port)] }, { logger });
    await until(() =>
      logger.lines.some((line) => line.includes("Error trying to connect to route (attempt 1): dial tcp")),
    );
    const b = await start({ port });
    await meshed([a, b]);
  });

  it("hears of a connection that is cut, and comes back", async () => {
    const a = await start();
    const relay = createServer((socket) => {
      const through = connect(a.routePort, "127.0.0.1");
      sockets.push(socket, through);
      socket.on("error", () => {}).pipe(through);
      through.on("error", () => {}).pipe(socket);
    }).listen(0, "127.0.0.1");
    await once(relay, "listening");
    const address = relay.address();
    const b = await start({ routes: [routeTo(typeof address === "object" && address !== null ? address.port : 0)] });
    let changes = 0;
    b.bus.onTopologyChange(() => changes++);
    await until(() => changes === 1);
    for (const socket of sockets.splice(0)) socket.destroy();
    await until(() => changes === 2);
    await meshed([a, b]);
    relay.close();
  });
});
