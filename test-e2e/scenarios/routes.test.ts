import { join } from "node:path";
import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import type { Child } from "../harness/child.ts";
import { leaveOutNatsServer, startNatsServer } from "../harness/nats-server.ts";
import { connectRaw, newInbox } from "../harness/raw-client.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { configFile, launchServer, READY } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";

const STANDBY = "STREAM: Starting in standby mode";

const FOO = "partitioning: true\nstore_limits: {\n    channels: {\n        foo.>: {}\n    }\n}\n";
const BAR = FOO.replace("foo", "bar");

/** How long a client waits for an answer that must not come. */
const IGNORED_MILLIS = 800;

interface Member {
  readonly child: Child;
  readonly port: number;
}

interface Mesh {
  /** foo on host 1, foo on host 2, bar on host 1, bar on host 2. */
  readonly members: readonly Member[];
}

/** The four processes of two partitions, each a fault tolerance pair, spelled as the original's documentation spells them. */
async function startMesh(stage: Stage): Promise<Mesh> {
  const [fooData, barData] = [join(await tempDir(stage), "foodata"), join(await tempDir(stage), "bardata")];
  const [foo, bar] = [await configFile(stage, FOO, "foo.conf"), await configFile(stage, BAR, "bar.conf")];
  const ports = await Promise.all(Array.from({ length: 8 }, () => freePort()));
  const route = (index: number): string => `nats://127.0.0.1:${ports[4 + index]}`;
  // Each names the two processes of the other host.
  const others = [
    [1, 3],
    [0, 2],
    [1, 3],
    [0, 2],
  ];
  const members = await Promise.all(
    others.map(async (peers, index): Promise<Member> => {
      const isFoo = index < 2;
      const port = ports[index] ?? 0;
      const args = [
        ...["-store", "file", "-dir", isFoo ? fooData : barData, "-sc", isFoo ? foo : bar],
        ...["-ft_group_name", isFoo ? "foo" : "bar", "-p", String(port)],
        ...["-cluster", route(index), "-routes", peers.map(route).join(",")],
      ];
      return { child: await launchServer(stage, `${isFoo ? "foo" : "bar"} on host ${1 + (index % 2)}`, args), port };
    }),
  );
  return { members };
}

/** The member of a pair that serves, and the other one. */
async function activeOf(pair: readonly Member[]): Promise<{ readonly active: Member; readonly standby: Member }> {
  const active = await Promise.race(
    pair.map(async (member) => {
      await member.child.line(READY, 20_000);
      return member;
    }),
  );
  const standby = pair.find((member) => member !== active);
  if (standby === undefined) throw new Error("a pair of one");
  await standby.child.line(STANDBY);
  return { active, standby };
}

describe("two partitions, each a fault tolerance pair, in a mesh of embedded brokers", () => {
  it("W6: every channel is reached from each of the four, before and after both actives are killed", async () => {
    const stage = testStage();
    const { members } = await startMesh(stage);
    const foo = await activeOf(members.slice(0, 2));
    const bar = await activeOf(members.slice(2));
    for (const [index, { port }] of members.entries()) {
      const client = await connectStan(stage, `client-${index}`, { port, ackMillis: IGNORED_MILLIS * 5 });
      for (const channel of ["foo.one", "bar.two"]) {
        await client.publish(channel, `from ${index}`);
        const subscription = await client.subscribe(channel);
        const messages = await subscription.messages.takeMany(index + 1);
        expect(messages.map(({ text }) => text)).toEqual(messages.map((_, number) => `from ${number}`));
        await subscription.close();
      }
      await client.close();
    }
    const other = await connectStan(stage, "other", { port: foo.standby.port, ackMillis: IGNORED_MILLIS });
    await expect(other.publish("baz", "x")).rejects.toThrow("timeout");
    await other.close();

    foo.active.child.signal("SIGKILL");
    bar.active.child.signal("SIGKILL");
    await Promise.all([foo.active.child.exit(), bar.active.child.exit()]);
    await Promise.all([foo.standby.child.line(READY, 20_000), bar.standby.child.line(READY, 20_000)]);
    for (const { port } of [foo.standby, bar.standby]) {
      const client = await connectStan(stage, `after-${port}`, { port });
      for (const channel of ["foo.one", "bar.two"]) {
        const subscription = await client.subscribe(channel);
        expect(await subscription.messages.takeMany(4)).toHaveLength(4);
        await client.publish(channel, "after");
        await subscription.close();
      }
      await client.close();
    }
  }, 120_000);
});

describe.skipIf(leaveOutNatsServer)("an embedded broker with routes to a real nats-server", () => {
  it("carries the streaming protocol, headers, queue groups and no responders in both directions", async () => {
    const stage = testStage();
    const [routePort, port] = [await freePort(), await freePort()];
    const real = await startNatsServer(stage, {
      config: `cluster { name: mixed, listen: "127.0.0.1:${routePort}" }`,
    });
    const args = ["-a", "127.0.0.1", "-p", String(port), "-cluster", "nats://127.0.0.1:-1", "-cluster_name", "mixed"];
    const server = await launchServer(stage, "server with a route", [
      ...args,
      ...["-routes", `nats://127.0.0.1:${routePort}`],
    ]);
    await server.line(READY);

    const headers = { connect: { headers: true, no_responders: true } };
    const [far, near] = [
      await connectRaw(stage, { port: real.port, ...headers }),
      await connectRaw(stage, { port, ...headers }),
    ];
    // The server is ready before its routes are: what it listens to has crossed once a later subscription has.
    const first = newInbox();
    (await near.subscribe(first)).messages.forward((message) => near.publish(message.reply, "here"));
    await untilAnswered(far, first);

    // A streaming client of the real server is served by ours.
    const client = await connectStan(stage, "far", { port: real.port });
    await client.publish("foo", "over the route");
    const subscription = await client.subscribe("foo");
    expect((await subscription.messages.take()).text).toBe("over the route");

    for (const [from, to] of [
      [far, near],
      [near, far],
    ] as const) {
      const subject = newInbox();
      const plain = await to.subscribe(subject);
      const members = [await to.subscribe(subject, "workers"), await to.subscribe(subject, "workers")];
      // Interest crosses the route in its own time: a request that is answered has crossed it.
      const echo = newInbox();
      const echoed = await to.subscribe(echo);
      echoed.messages.forward((message) => to.publish(message.reply, "here"));
      await untilAnswered(from, echo);
      from.write(`HPUB ${subject} 23 27\r\nNATS/1.0\r\nName: yes\r\n\r\nbody\r\n`);
      const received = await plain.messages.take();
      expect(Buffer.from(received.payload).toString()).toBe("body");
      expect(received.headers.toString()).toContain("Name: yes");
      await to.flush();
      expect(members.reduce((sum, { messages }) => sum + messages.all.length, 0)).toBe(1);
      const nobody = await from.request(newInbox(), "?");
      expect(nobody.headers.toString()).toContain("NATS/1.0 503");
    }
    await client.close();
  }, 60_000);
});

/** Asks until somebody answers otherwise than that there is nobody. */
async function untilAnswered(client: Awaited<ReturnType<typeof connectRaw>>, subject: string): Promise<void> {
  for (;;) {
    const answer = await client.request(subject, "?");
    if (Buffer.from(answer.payload).toString() === "here") return;
  }
}
