import { freePort, recordingLogger } from "@nats-streaming/kernel/testing";
import { afterEach, describe, expect, it } from "vitest";
import { type Member, routeTo, startMember, until } from "../../testing/cluster.ts";
import { type NatsServer, startNatsServer } from "../../testing/nats-server.ts";
import { RawClient } from "../../testing/raw-client.ts";
import { AUTHORITY, SERVER_PAIR } from "../../testing/tls.ts";
import type { BrokerOptions } from "../options.ts";
import type { ClusterOptions } from "./cluster-options.ts";

/* A cluster of brokers and real nats-server processes. */

interface Place {
  readonly port: number;
  readonly routePort: number;
}

const members: Member[] = [];
const servers: NatsServer[] = [];
const clients: RawClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(members.splice(0).map(({ broker }) => broker.close()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function ours(cluster: Partial<ClusterOptions> = {}, options: BrokerOptions = {}): Promise<Member> {
  const member = await startMember(cluster, options);
  members.push(member);
  return member;
}

interface Theirs extends Place {
  readonly server: NatsServer;
}

async function theirs(
  routes: readonly number[] = [],
  { routePort = 0, name = "name: c", more = "" }: { routePort?: number; name?: string; more?: string } = {},
): Promise<Theirs> {
  const taken = routePort === 0 ? await freePort() : routePort;
  const server = await startNatsServer(
    `cluster { listen: "127.0.0.1:${taken}", ${name}, routes: [${routes.map((port) => `"${routeTo(port)}"`).join()}] ${more} }`,
    { "server.pem": SERVER_PAIR.certificate, "server.key": SERVER_PAIR.key, "ca.pem": AUTHORITY },
  );
  servers.push(server);
  return { server, port: server.port, routePort: taken };
}

async function client({ port }: Place, options: object = {}): Promise<RawClient> {
  const raw = await RawClient.connected(port, { headers: true, no_responders: true, ...options });
  clients.push(raw);
  return raw;
}

/** A client that answers every request on `subject` with its name. Resolves once `from` gets its answer. */
async function responder(at: Place, from: Place, subject: string, name: string, queue = ""): Promise<RawClient> {
  const raw = await client(at);
  raw.socket.on("data", () => {
    for (const match of raw.text.matchAll(/MSG \S+ 1 (\S+) 1\r\nx\r\n/g)) {
      raw.send(`PUB ${match[1]} ${name.length}\r\n${name}\r\n`);
    }
    raw.text = "";
  });
  raw.send(`SUB ${subject} ${queue} 1\r\nPING\r\n`);
  await reachable(from, subject);
  return raw;
}

/** Resolves once a request to `subject` at a server has another answer than that nobody listens. */
async function reachable(from: Place, subject: string): Promise<void> {
  const asker = await client(from);
  asker.send("SUB ready 5\r\n");
  for (;;) {
    asker.send(`PUB ${subject} ready 1\r\nx\r\n`);
    await asker.until(() => asker.text.includes("\r\n"));
    const isAnswered = asker.text.startsWith("MSG");
    asker.text = "";
    if (isAnswered) break;
  }
  asker.close();
}

/** Everything that is on its way to a client by now has come; its text is left as it is. */
async function settled(raw: RawClient): Promise<void> {
  raw.send("PING\r\n");
  await raw.until(() => raw.text.includes("PONG\r\n"));
}

/** Asks `count` times and counts the answers by their text. */
async function ask(from: Place, subject: string, count: number): Promise<ReadonlyMap<string, number>> {
  const asker = await client(from);
  asker.send(`SUB in 5\r\n${`PUB ${subject} in 1\r\nx\r\n`.repeat(count)}`);
  const answers = (): string[] =>
    [...asker.text.matchAll(/MSG in 5 \d+(?: \d+)?\r\n(.*)\r\n/g)].map((match) => match[1]!);
  await asker.until(() => answers().length >= count);
  await settled(asker);
  const counts = new Map<string, number>();
  for (const answer of answers()) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  asker.close();
  return counts;
}

/** Resolves once a request at each place to a responder at each other place is answered. */
async function meshed(places: readonly Place[]): Promise<void> {
  for (const [i, at] of places.entries()) {
    for (const [j, from] of places.entries()) {
      if (i !== j) (await responder(at, from, `mesh.${i}.${j}`, "x")).close();
    }
  }
}

const NOBODY = "NATS/1.0 503";

describe("a broker and a nats-server", () => {
  const ways: readonly (readonly [string, () => Promise<readonly [Member, Theirs]>])[] = [
    [
      "when the broker opens the route",
      async () => {
        const other = await theirs();
        return [await ours({ routes: [routeTo(other.routePort)] }), other];
      },
    ],
    [
      "when nats-server opens the route",
      async () => {
        const own = await ours();
        return [own, await theirs([own.routePort])];
      },
    ],
    [
      "when both open a route",
      async () => {
        const [first, second] = [await freePort(), await freePort()];
        return Promise.all([ours({ port: first, routes: [routeTo(second)] }), theirs([first], { routePort: second })]);
      },
    ],
    [
      "when neither was given a cluster's name",
      async () => {
        const own = await ours({ name: "" });
        return [own, await theirs([own.routePort], { name: "no_advertise: false" })];
      },
    ],
    [
      "when the route asks for a password",
      async () => {
        const authorization = { user: "u", password: "p" };
        const other = await theirs([], { more: ", authorization { user: u, password: p }" });
        return [await ours({ authorization, routes: [`nats://u:p@127.0.0.1:${other.routePort}`] }), other];
      },
    ],
  ];

  const tls = { ...SERVER_PAIR, authorities: AUTHORITY };
  const theirTls = ', tls { cert_file: "server.pem", key_file: "server.key", ca_file: "ca.pem" }';
  const encrypted: typeof ways = [
    [
      "when the broker opens an encrypted route",
      async () => {
        const other = await theirs([], { more: theirTls });
        return [await ours({ tls, routes: [routeTo(other.routePort)] }), other];
      },
    ],
    [
      "when nats-server opens an encrypted route",
      async () => {
        const own = await ours({ tls });
        return [own, await theirs([own.routePort], { more: theirTls })];
      },
    ],
  ];

  for (const [way, connect] of [...ways, ...encrypted]) {
    it(`carry messages, headers, queue groups and no-responders both ways ${way}`, async () => {
      const pair = await connect();
      for (const [here, there] of [pair, [pair[1], pair[0]] as const]) {
        const side = here === pair[0] ? "ours" : "theirs";
        const subscriber = await client(there);
        subscriber.send(`SUB ${side}.* 1\r\n`);
        await subscriber.synced();
        await responder(there, here, `${side}Ready`, "x");
        const publisher = await client(here);
        publisher.send(
          `PUB ${side}.a 2\r\nhi\r\nPUB ${side}.a r.1 3\r\n\x00\xff\n\r\nHPUB ${side}.a r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n`,
        );
        const expected = `MSG ${side}.a 1 2\r\nhi\r\nMSG ${side}.a 1 r.1 3\r\n\x00\xff\n\r\nHMSG ${side}.a 1 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n`;
        await subscriber.until(() => subscriber.text.length >= expected.length);
        expect(subscriber.text).toBe(expected);
        expect(await ask(here, `${side}.nobody.at.all`, 1)).toEqual(new Map([[NOBODY, 1]]));

        const work = `${side}Work`;
        const workers = [
          await responder(here, here, work, "here", "workers"),
          await responder(there, here, work, "there.1", "workers"),
          await responder(there, here, work, "there.2", "workers"),
        ];
        await responder(there, here, `${side}Done`, "x");
        const answers = await ask(here, work, 300);
        expect([...answers.values()].reduce((sum, count) => sum + count, 0)).toBe(300);
        expect([...answers.keys()].sort()).toEqual(["here", "there.1", "there.2"]);
        for (const count of answers.values()) expect(count).toBeGreaterThan(40);
        for (const worker of workers) worker.close();
      }
      await until(() => pair[0].broker.routes().length === 1);
    });
  }

  it("keep one route however often both open one at the same moment", async () => {
    for (let round = 0; round < 3; round++) {
      const [first, second] = [await freePort(), await freePort()];
      const pair = await Promise.all([
        ours({ port: first, routes: [routeTo(second)] }),
        theirs([first], { routePort: second }),
      ]);
      await meshed(pair);
      const answers = await ask(pair[1], "nobody", 1);
      expect(answers).toEqual(new Map([[NOBODY, 1]]));
      const subscriber = await client(pair[0]);
      subscriber.send("SUB once 1\r\n");
      await subscriber.synced();
      await responder(pair[0], pair[1], "after", "x");
      const publisher = await client(pair[1]);
      publisher.send("PUB once 1\r\nx\r\nPUB once 4\r\nlast\r\n");
      await subscriber.until(() => subscriber.text.includes("last"));
      expect(subscriber.text).toBe("MSG once 1 1\r\nx\r\nMSG once 1 4\r\nlast\r\n");
    }
  });

  it("tell each other's clients where else they can go", async () => {
    const own = await ours();
    const informed = await client(own, { protocol: 1 });
    const other = await theirs([own.routePort]);
    await informed.until(() => informed.text.includes(`127.0.0.1:${other.port}`));
    const elsewhere = await client(other, { protocol: 1 });
    await elsewhere.until(() => `${elsewhere.info}${elsewhere.text}`.includes(`"127.0.0.1:${own.port}"`));
  });

  it("forget each other when one is killed, and find each other again", async () => {
    const own = await ours();
    let changes = 0;
    own.bus.onTopologyChange(() => changes++);
    const other = await theirs([own.routePort]);
    await responder(other, own, "there", "x");
    expect(changes).toBe(1);
    await other.server.kill();
    await until(() => own.broker.routes().length === 0);
    expect(await ask(own, "there", 1)).toEqual(new Map([[NOBODY, 1]]));
    const again = await theirs([own.routePort], { routePort: other.routePort });
    await responder(again, own, "there", "x");
    expect(changes).toBe(2);
  });

  it("part when they were given different names", async () => {
    const other = await theirs([], { name: "name: other" });
    const logger = recordingLogger();
    await ours({ name: "mine", routes: [routeTo(other.routePort)] }, { logger });
    await until(() => logger.lines.some((line) => line.includes('cluster name "other" does not match "mine"')));
  });
});

describe("a mixed cluster of three", () => {
  it("forms a full mesh around a nats-server, and nothing is delivered twice", async () => {
    const seed = await theirs();
    const first = await ours({ routes: [routeTo(seed.routePort)] });
    const second = await ours({ routes: [routeTo(seed.routePort)] });
    await until(() => [first, second].every(({ broker }) => broker.routes().length === 2));
    await checkOnce([seed, first, second]);
  });

  it("forms a full mesh around a broker, and nothing is delivered twice", async () => {
    const seed = await ours();
    const first = await theirs([seed.routePort]);
    const second = await theirs([seed.routePort]);
    await until(() => seed.broker.routes().length === 2);
    await checkOnce([seed, first, second]);
  });
});

/** Every message reaches each plain subscriber once and one member of the queue group, wherever it is published. */
async function checkOnce(places: readonly Place[]): Promise<void> {
  await meshed(places);
  const plain: RawClient[] = [];
  const members: RawClient[] = [];
  for (const place of places) {
    const [one, two] = [await client(place), await client(place)];
    one.send("SUB all 1\r\n");
    two.send("SUB all q 2\r\n");
    await one.synced();
    await two.synced();
    plain.push(one);
    members.push(two);
  }
  await meshed(places);
  const total = places.length * 30;
  for (const [i, place] of places.entries()) {
    const publisher = await client(place);
    for (let n = 0; n < 30; n++) {
      const text = String(i * 30 + n);
      publisher.send(`PUB all ${text.length}\r\n${text}\r\n`);
    }
    await publisher.synced();
  }
  const numbers = (clients: readonly RawClient[]): string[] =>
    clients.flatMap((raw) => [...raw.text.matchAll(/MSG all \d \d+\r\n(\d+)\r\n/g)].map((match) => match[1]!));
  await until(() => plain.every((raw) => numbers([raw]).length >= total) && numbers(members).length >= total);
  await meshed(places);
  for (const raw of [...plain, ...members]) await settled(raw);
  for (const raw of plain) expect(new Set(numbers([raw])).size).toBe(total);
  expect(numbers(plain).length).toBe(plain.length * total);
  expect(new Set(numbers(members)).size).toBe(total);
  expect(numbers(members).length).toBe(total);
}
