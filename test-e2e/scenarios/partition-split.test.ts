import { describe, expect, it } from "vitest";
import { type Child, startChild } from "../harness/child.ts";
import { type Monitor, monitorAt } from "../harness/monitor.ts";
import { leaveOutNatsServer, natsServerPath } from "../harness/nats-server.ts";
import { type NetworkNamespace, networkNamespaces, noNamespaces } from "../harness/network-namespaces.ts";
import { connectRaw, newInbox } from "../harness/raw-client.ts";
import { SUBJECTS } from "../harness/raw-stan.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { configFile, type StreamingServer, serverCommand, untilReady } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { IGNORED_MILLIS, partitionConfig } from "./examples.ts";

if (noNamespaces !== undefined) process.stdout.write(`left out: a network that splits and heals: ${noNamespaces}\n`);

/** Inside every namespace. */
const CLIENT_PORT = 4222;
const ROUTE_PORT = 6222;
const MONITOR_PORT = 8222;

/** A dead line has to be noticed by pings, since nobody is told of it. */
const PINGS = "ping_interval: 1\nping_max: 1\n";
/** Until a route over a line that was cut is given up: two pings, and much time for a busy machine. */
const NOTICED_MILLIS = 30_000;
const HEALED_MILLIS = 30_000;
/** Of each client: more than the library lets go unanswered. */
const PINGS_SEEN = 4;

/** Whose routes: the embedded broker's, or those of a nats-server of its own beside each streaming server. */
for (const bus of ["embedded broker", "nats-server"] as const) {
  const isLeftOut = noNamespaces !== undefined || (bus === "nats-server" && leaveOutNatsServer);
  describe.skipIf(isLeftOut)(`partition servers in three network namespaces (${bus})`, () => {
    it("of two with overlapping lists that served apart, the elder stays and the younger ends in order once the network has healed", async () => {
      const stage = testStage();
      const spaces = networkNamespaces(stage, 3);
      const [one, two, three] = spaces.map((space, index) => ({ space, index }));
      if (one === undefined || two === undefined || three === undefined) throw new Error("three namespaces");
      // One half is the first namespace with the third, the other the second alone.
      two.space.cut();
      const elder = await startPartition(stage, bus, spaces, one.index, ["foo.>", "only.elder"]);
      const beside = await startPartition(stage, bus, spaces, three.index, ["bar"]);
      const younger = await startPartition(stage, bus, spaces, two.index, ["foo.one", "only.younger"]);

      const left = await connectStan(stage, "left", { port: elder.port });
      await left.publish("foo.one", "left");
      await left.publish("bar", "over the switch");
      const right = await connectStan(stage, "right", { port: younger.port });
      await right.publish("foo.one", "right");
      await right.publish("only.younger", "kept");

      two.space.mend();
      const end = await younger.child.exit(HEALED_MILLIS);
      expect(end.code).toBe(1);
      expect(end.stderr).toContain(
        `[FTL] STREAM: Partitioning error: channel "foo.one" causes conflict with channels on server "${elder.serverId}"`,
      );
      // The elder is not disturbed, and its clients are not either.
      for (const text of ["after 1", "after 2"]) await left.publish("foo.one", text);
      await left.publish("bar", "after");
      expect(left.isLost).toBe(false);
      expect(elder.child.stderr + beside.child.stderr).not.toContain("[FTL]");

      // Its store was closed in order: what it had acknowledged is there, and served when its list is put right.
      const again = await startPartition(stage, bus, spaces, two.index, ["only.younger"], younger.directory);
      expect(again.child.stderr).not.toContain("[WRN] STREAM: recovery");
      const reader = await connectStan(stage, "reader", { port: again.port });
      const subscription = await reader.subscribe("only.younger");
      expect((await subscription.messages.take()).text).toBe("kept");
      expect(await again.monitor.channel("foo.one")).toMatchObject({ msgs: 1, lastSequence: 1 });
      await left.close();
    }, 120_000);

    it("those with different lists go on, and every client that they know stays", async () => {
      const stage = testStage();
      const spaces = networkNamespaces(stage, 3);
      const servers: Running[] = [];
      for (const [index, channel] of ["foo", "bar", "baz"].entries()) {
        servers.push(await startPartition(stage, bus, spaces, index, [channel]));
      }
      const [foo, bar, baz] = servers;
      if (foo === undefined || bar === undefined || baz === undefined) throw new Error("three servers");
      const options = { pingMillis: 1_000, ackMillis: 5_000 };
      const left = await connectStan(stage, "left", { ...options, port: foo.port });
      const right = await connectStan(stage, "right", { ...options, port: bar.port });
      for (const client of [left, right])
        for (const channel of ["foo", "bar", "baz"]) await client.publish(channel, "1");

      bar.space.cut();
      const lost = [foo, baz].flatMap((other) => [untilLost(bar, other), untilLost(other, bar)]);
      // A nats-server may hold on to a dead line for long, when it has something to send over it.
      await (bus === "nats-server" ? Promise.race(lost) : Promise.all(lost));
      // Each half serves what it has; what the other one has is a timeout, and nobody loses his connection.
      await left.publish("foo", "2");
      await left.publish("baz", "2");
      await right.publish("bar", "2");
      const asker = await connectStan(stage, "asker", { port: bar.port, ackMillis: IGNORED_MILLIS });
      await expect(asker.publish("foo", "unheard")).rejects.toThrow("timeout");

      bar.space.mend();
      // Each route comes back in its own time.
      await untilCarried(stage, foo, bar);
      await untilCarried(stage, baz, bar);
      for (const client of [left, right, asker]) {
        for (const channel of ["foo", "bar", "baz"]) await client.publish(channel, "3");
        expect(client.isLost).toBe(false);
      }
      for (const { child, monitor } of servers) {
        expect(child.stderr).not.toMatch(/\[FTL\]|Partitioning/);
        expect(await monitor.clientIds()).toEqual(expect.arrayContaining(["asker", "left", "right"]));
      }
      // Several pings of those that ping, answered by servers that were apart.
      const pings = await (await connectRaw(stage, { port: foo.port })).subscribe(SUBJECTS.pings);
      await pings.messages.takeMany(2 * PINGS_SEEN, { within: HEALED_MILLIS });
      for (const client of [left, right, asker]) {
        expect(client.isLost).toBe(false);
        await client.close();
      }
    }, 120_000);
  });
}

interface Running extends StreamingServer {
  /** A port of this machine that leads to its clients' port. */
  readonly port: number;
  readonly monitor: Monitor;
  readonly directory: string;
  readonly space: NetworkNamespace;
  /** What has the routes: the server itself, or the nats-server that was started with it. */
  readonly router: Child;
}

async function startPartition(
  stage: Stage,
  bus: "embedded broker" | "nats-server",
  spaces: readonly NetworkNamespace[],
  index: number,
  channels: readonly string[],
  usedDirectory?: string,
): Promise<Running> {
  const space = spaces[index];
  if (space === undefined) throw new Error(`no namespace ${index}`);
  const directory = usedDirectory ?? (await tempDir(stage));
  const routes = spaces.filter((other) => other !== space).map(({ address }) => `nats://${address}:${ROUTE_PORT}`);
  const cluster = ["-cluster", `nats://${space.address}:${ROUTE_PORT}`, "-cluster_name", "halves"];
  const nats = [...cluster, "-routes", routes.join(",")];
  const pings = await configFile(stage, PINGS, "nats.conf");
  const list = await configFile(stage, partitionConfig(channels));
  const inside = (name: string, command: readonly string[], missing: string): ReturnType<typeof startChild> => {
    const [first = "", ...args] = [...space.enter, ...command];
    return startChild(stage, { name, command: first, args, missing });
  };

  let router: Child | undefined;
  const streaming = [...serverCommand(), "-store", "file", "-dir", directory, "-sc", list, "-m", String(MONITOR_PORT)];
  if (bus === "nats-server" && usedDirectory === undefined) {
    const command = [natsServerPath() ?? "nats-server", "-p", String(CLIENT_PORT), "-c", pings, ...nats];
    router = await inside(`nats-server ${index}`, command, "the end-to-end tests need nats-server");
    await router.line("Server is ready");
  }
  const own = bus === "nats-server" ? ["-ns", `nats://127.0.0.1:${CLIENT_PORT}`] : ["-c", pings, ...nats];
  const child = await inside(`partition ${index}`, [...streaming, ...own], "the end-to-end tests need ip(8)");
  const server = await untilReady(child);
  return {
    child,
    serverId: server.serverId,
    get log() {
      return server.log;
    },
    directory,
    space,
    router: router ?? child,
    port: await space.reach(CLIENT_PORT),
    monitor: monitorAt(await space.reach(MONITOR_PORT)),
  };
}

/** Until a server has given up its route to another one, whose line was cut. */
async function untilLost({ router }: Running, { space }: Running): Promise<void> {
  const address = space.address.replaceAll(".", "\\.");
  await router.line(new RegExp(`${address}:\\d+ - rid:\\d+ - Router connection closed: Stale`), NOTICED_MILLIS);
}

/** Until messages cross from one namespace to the other again. */
async function untilCarried(stage: Stage, from: Running, to: Running): Promise<void> {
  const [near, far] = [await connectRaw(stage, { port: from.port }), await connectRaw(stage, { port: to.port })];
  const echo = await far.subscribe(newInbox());
  echo.messages.forward((message) => far.publish(message.reply, "here"));
  const deadline = performance.now() + HEALED_MILLIS;
  for (;;) {
    const answer = await near.request(echo.subject, "?", 500).catch(() => undefined);
    if (answer?.payload.toString() === "here") return;
    if (performance.now() > deadline) throw new Error("the network did not heal");
  }
}
