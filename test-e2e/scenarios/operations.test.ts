import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { onBothBuses, openEmbeddedNetwork } from "../harness/networks.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { connectRawStan } from "../harness/raw-stan.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { connectStan, untilServed } from "../harness/stan.ts";
import { startFileServer } from "../harness/store-server.ts";
import { launchServer, READY, readLog, runServer, untilReady } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";

async function listening(): Promise<{ readonly port: number; readonly args: string[] }> {
  const port = await freePort();
  return { port, args: ["-a", "127.0.0.1", "-p", String(port)] };
}

function lastLine(stderr: string): string {
  const { level, text } = readLog(stderr.trimEnd().split("\n")).at(-1) ?? { level: "", text: "" };
  return `${level} ${text}`;
}

/** A client's round through connect, publish, subscribe, ack and close, on a server with these flags; what the log says of it. */
async function logOfOneClient(stage: Stage, flags: readonly string[]): Promise<readonly string[]> {
  const { port, args } = await listening();
  const server = await untilReady(await launchServer(stage, "server", [...args, ...flags]));
  const client = await connectStan(stage, "me", { port });
  await client.publish("foo", "hello");
  const subscription = await client.subscribe("foo", { manualAcks: true });
  (await subscription.messages.take()).ack();
  await subscription.unsubscribe();
  await client.close();
  await server.child.stop();
  return server.log.map(({ level, text }) => `${level} ${text}`);
}

describe("the log", () => {
  it("OPS-09 with -SDV tells of clients, publishes, subscriptions, deliveries and acks in the original's words", async () => {
    const lines = await logOfOneClient(testStage(), ["-SDV"]);
    const expected = [
      /^DBG STREAM: \[Client:me\] Connected \(Inbox=\S+\)$/,
      /^INF STREAM: Channel "foo" has been created$/,
      /^TRC STREAM: \[Client:me\] Received message from publisher subj=foo guid=\S+$/,
      /^TRC STREAM: \[Client:me\] Acking Publisher subj=foo guid=\S+$/,
      /^DBG STREAM: \[Client:me\] Started new subscription, subject=foo, inbox=\S+, subid=1, sending from beginning, seq=1$/,
      /^TRC STREAM: \[Client:me\] Delivering msg to subid=1, subject=foo, seq=1$/,
      /^TRC STREAM: \[Client:me\] Processing ack for subid=1, subject=foo, seq=1$/,
      /^DBG STREAM: \[Client:me\] Removed subscription, subject=foo, inbox=\S+, subid=1$/,
      /^DBG STREAM: \[Client:me\] Closed \(Inbox=\S+\)$/,
    ];
    for (const pattern of expected)
      expect(
        lines.filter((line) => pattern.test(line)),
        String(pattern),
      ).toHaveLength(1);
  });

  it("OPS-09 without, there is neither debug nor trace; each switch brings its own", async () => {
    const levels = async (flags: readonly string[]): Promise<string[]> => {
      const lines = await logOfOneClient(testStage(), flags);
      const streaming = lines.filter((line) => line.includes("STREAM: "));
      return [...new Set(streaming.map((line) => line.slice(0, 3)))].sort();
    };
    expect(await levels([])).toEqual(["INF"]);
    expect(await levels(["-SD"])).toEqual(["DBG", "INF"]);
    expect(await levels(["-DV"])).toEqual(["INF"]);
    expect(await levels(["-SV"])).toEqual(["INF", "TRC"]);
  });
});

describe("a server that must not start", () => {
  it("OPS-10 a standalone server with the cluster ID of one that it has a route to", async () => {
    const stage = testStage();
    const routePort = await freePort();
    const first = await listening();
    const route = `nats://127.0.0.1:${routePort}`;
    const named = ["-cluster_name", "c"];
    await untilReady(await launchServer(stage, "first", [...first.args, ...named, "-cluster", route]));
    // Over a route to a NATS server of its own, so that the route is there when the second one asks.
    const second = await listening();
    const routes = ["-cluster", "nats://127.0.0.1:-1", "-routes", route];
    await untilReady(await launchServer(stage, "network", [...second.args, ...named, ...routes, "-cid", "network"]));
    await untilServed(stage, second.port);
    const end = await runServer(stage, ["-ns", `nats://127.0.0.1:${second.port}`]);
    expect(end.code).toBe(1);
    expect(lastLine(end.stderr)).toBe(
      'FTL STREAM: Failed to start: discovered another streaming server with cluster ID "test-cluster"',
    );
    expect(end.stderr).toContain("give this one a cluster ID of its own (-cid)");
  });

  it("OPS-12 with the store of another cluster ID", async () => {
    const stage = testStage();
    const directory = await tempDir(stage);
    const server = await startFileServer(stage, directory);
    await server.child.stop();
    const { args } = await listening();
    const end = await runServer(stage, [...args, "-store", "file", "-dir", directory, "-cid", "other"]);
    expect(end.code).toBe(1);
    expect(lastLine(end.stderr)).toBe(
      'FTL STREAM: Failed to start: cluster ID "other" does not match recovered value of "test-cluster"',
    );
  });
});

describe("a store that persists", () => {
  it("OPS-17 after a restart clients, subscriptions and what was acknowledged are as before", async () => {
    const stage = testStage();
    const directory = await tempDir(stage);
    const first = await startFileServer(stage, directory);
    const raw = await connectRaw(stage, { port: first.port });
    const me = await connectRawStan(raw, "me");
    for (let number = 1; number <= 4; number++) await me.publish("foo", `message ${number}`);
    const plain = await me.subscribe("foo", { ackWaitSeconds: 60 });
    const durable = await me.subscribe("foo", { durableName: "dur", ackWaitSeconds: 60 });
    const queue = await me.subscribe("foo", { queueGroup: "workers", ackWaitSeconds: 60 });
    const subscriptions = [plain, durable, queue];
    for (const { messages, ack } of subscriptions) {
      await messages.takeMany(4);
      for (const sequence of [1, 2, 3]) ack(sequence);
    }
    // A request behind the acks: they have been handled.
    await me.publish("bar", "behind");
    await first.child.stop();

    const second = await startFileServer(stage, directory, ["-p", String(first.port)]);
    expect(await second.monitor.clientIds()).toEqual(["me"]);
    const again = await connectRaw(stage, { port: second.port });
    const inboxes = await Promise.all(subscriptions.map(({ inbox }) => again.subscribe(inbox)));
    await again.subscribe(me.heartbeatInbox);
    const other = await connectRawStan(await connectRaw(stage, { port: second.port }), "other");
    await other.publish("foo", "message 5");
    for (const { messages } of inboxes) {
      // The fourth, which nobody acknowledged, may come again; the first three must not.
      const fifth = await messages.take({ where: ({ payload }) => payload.includes("message 5") });
      expect(fifth.payload.includes("message 5")).toBe(true);
      for (const number of [1, 2, 3]) {
        expect(messages.all.filter(({ payload }) => payload.includes(`message ${number}`))).toEqual([]);
      }
    }
  });

  it("OPS-18 a durable queue member whose client is gone is removed, with one warning", async () => {
    const stage = testStage();
    const directory = await tempDir(stage);
    const first = await startFileServer(stage, directory);
    const me = await connectRawStan(await connectRaw(stage, { port: first.port }), "me");
    const { inbox } = await me.subscribe("foo", { queueGroup: "group", durableName: "dur" });
    await first.child.stop();
    // The file of the clients as it is when it knows of nobody: its version alone.
    const clients = join(directory, "clients.dat");
    await writeFile(clients, (await readFile(clients)).subarray(0, 4));

    const warnings = async (): Promise<string[]> => {
      const server = await startFileServer(stage, directory);
      await server.child.stop();
      return server.log.filter(({ text }) => text.includes("ghost")).map(({ level, text }) => `${level} ${text}`);
    };
    expect(await warnings()).toEqual([
      `WRN STREAM: Not recovering ghost durable queue subscriber: [me]:[dur:group] subject=foo inbox=${inbox}`,
    ]);
    expect(await warnings()).toEqual([]);
  });

  it("OPS-19 with encryption the content is not in the files, and is read with the key only", async () => {
    const stage = testStage();
    const directory = await tempDir(stage);
    const { args } = await listening();
    const store = ["-store", "file", "-dir", directory];
    const refused = await runServer(stage, [...args, ...store, "-encrypt"]);
    expect([refused.code, lastLine(refused.stderr)]).toEqual([
      1,
      "FTL STREAM: Failed to start: encryption key required",
    ]);

    const first = await startFileServer(stage, directory, ["-encryption_key", "the key"]);
    const client = await connectStan(stage, "me", { port: first.port });
    await client.publish("foo", "a secret text");
    await client.close();
    await first.child.stop();
    expect((await readFile(join(directory, "foo", "msgs.1.dat"))).includes("a secret text")).toBe(false);

    const keyed = await startFileServer(stage, directory, ["-encryption_key", "the key"]);
    const reader = await connectStan(stage, "me", { port: keyed.port });
    expect((await (await reader.subscribe("foo")).messages.take()).text).toBe("a secret text");
    await reader.close();
    await keyed.child.stop();

    const unkeyed = await startFileServer(stage, directory);
    const other = await connectStan(stage, "other", { port: unkeyed.port });
    const message = await (await other.subscribe("foo")).messages.take();
    expect(message.text).not.toContain("a secret text");
    await other.close();
  });
});

onBothBuses("readiness", (openNetwork) => {
  it("OPS-21 a standalone server is ready at once, a member of a fault tolerance group when it is active", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    const alone = await network.startServer({ args: ["-cid", "alone"] });
    expect(alone.log.at(-1)?.text).toBe(READY);
    const directory = await tempDir(stage);
    const member = ["-cid", "pair", "-store", "file", "-dir", directory, "-ft_group", "pair"];
    const active = await network.startServer({ args: member });
    const standby = await network.launchServer({ args: member });
    await standby.line("STREAM: Starting in standby mode");
    expect(standby.stderr).not.toContain(READY);
    await active.child.stop();
    await standby.line(READY, 20_000);
  });
});

describe("an external NATS server", () => {
  it("OPS-15 may be one of a list, the first of which is down", async () => {
    const stage = testStage();
    const network = await openEmbeddedNetwork(stage);
    await network.startServer({ args: ["-cid", "network"] });
    const down = await freePort();
    for (const urls of [
      network.url,
      `nats://127.0.0.1:${down}, ${network.url} `,
      `${network.url},nats://127.0.0.1:${down}`,
    ]) {
      const child = await launchServer(stage, urls, ["-ns", urls]);
      await child.line(READY, 20_000);
      await child.stop();
    }
  });
});
