import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { startPair } from "../harness/fault-tolerance-group.ts";
import { type Monitor, monitorAt } from "../harness/monitor.ts";
import { leaveOutNatsServer } from "../harness/nats-server.ts";
import { openEmbeddedNetwork, openExternalNetwork, type ServerOnNetwork } from "../harness/networks.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { connectStan, type StanClient } from "../harness/stan.ts";
import { startFileServer } from "../harness/store-server.ts";
import { launchServer, runServer } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { partitionConfig } from "./examples.ts";

async function serverWithClient(stage: Stage): Promise<{ server: ServerOnNetwork; client: StanClient; port: number }> {
  const network = await openEmbeddedNetwork(stage);
  const server = await network.startServer();
  return { server, client: await connectStan(stage, "me", { port: network.port }), port: network.port };
}

const subscriptionsOf = async (monitor: Monitor): Promise<unknown> => (await monitor.get("serverz"))["subscriptions"];

it("MON-03 shows a client, its subscription and ten publishes, and that both are gone", async () => {
  const stage = testStage();
  const { server, client } = await serverWithClient(stage);
  const subscription = await client.subscribe("foo");
  for (let i = 0; i < 10; i++) await client.publish("foo", "hello");
  await subscription.messages.takeMany(10);
  const serverz = await server.monitor.get("serverz");
  expect(serverz).toMatchObject({
    cluster_id: "test-cluster",
    server_id: server.serverId,
    state: "STANDALONE",
    clients: 1,
    subscriptions: 1,
    channels: 1,
    total_msgs: 10,
    in_msgs: 10,
    out_msgs: 10,
  });
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
  expect(serverz["now"]).toMatch(time);
  expect(serverz["start_time"]).toMatch(time);
  expect(serverz["uptime"]).toMatch(/^\d+s$/);
  for (const key of ["open_fds", "max_fds", "total_bytes", "in_bytes", "out_bytes"])
    expect(serverz[key]).toBeGreaterThan(0);
  await subscription.unsubscribe();
  expect(await server.monitor.get("serverz")).toMatchObject({ clients: 1, subscriptions: 0 });
  await client.close();
  expect(await server.monitor.get("serverz")).toMatchObject({ clients: 0, channels: 1, total_msgs: 10 });
});

it("MON-06 shows the same clients, channels, subscriptions and totals after a restart on files", async () => {
  const stage = testStage();
  const directory = await tempDir(stage);
  const first = await startFileServer(stage, directory);
  const client = await connectStan(stage, "me", { port: first.port });
  for (const channel of ["foo", "bar", "foo"]) await client.publish(channel, "hello");
  await client.subscribe("foo", { durableName: "dur" });
  const offline = await client.subscribe("bar", { durableName: "gone" });
  await offline.close();
  const facts = async (monitor: Monitor): Promise<unknown> => {
    const { clients, subscriptions, channels, total_msgs, total_bytes } = await monitor.get("serverz");
    return { clients, subscriptions, channels, total_msgs, total_bytes };
  };
  const before = await facts(first.monitor);
  expect(before).toMatchObject({ clients: 1, subscriptions: 2, channels: 2, total_msgs: 3 });
  client.vanish();
  await first.child.stop();
  const second = await startFileServer(stage, directory);
  expect(await facts(second.monitor)).toEqual(before);
  expect(await second.monitor.get("serverz")).toMatchObject({ in_msgs: 0, in_bytes: 0 });
});

it("MON-07 shows type, limits and totals before and after 1000 publishes, in memory and on files", async () => {
  const stage = testStage();
  const { server, client } = await serverWithClient(stage);
  const file = await startFileServer(stage, await tempDir(stage), ["-mm", "2000"]);
  const onFile = await connectStan(stage, "me", { port: file.port });
  for (const [monitor, publisher, type] of [
    [server.monitor, client, "MEMORY"],
    [file.monitor, onFile, "FILE"],
  ] as const) {
    expect(await monitor.get("storez")).toMatchObject({ type, total_msgs: 0, total_bytes: 0 });
    await Promise.all(Array.from({ length: 1_000 }, () => publisher.publish("foo", "hello")));
    const after = await monitor.get("storez");
    expect(after).toMatchObject({ type, total_msgs: 1_000 });
    expect(after["total_bytes"]).toBeGreaterThan(5_000);
  }
  expect(await file.monitor.get("storez")).toMatchObject({ limits: { max_msgs: 2_000, max_channels: 100 } });
});

it("shows the commit log of a server on files, and none of one in memory", async () => {
  const stage = testStage();
  const { server } = await serverWithClient(stage);
  const file = await startFileServer(stage, await tempDir(stage));
  const client = await connectStan(stage, "me", { port: file.port });
  for (let i = 0; i < 5; i++) await client.publish("foo", "hello");
  const value = (text: string, name: string): number =>
    Number(new RegExp(`^nss_store_${name}\\{server="test-cluster"\\} (\\S+)$`, "m").exec(text)?.[1]);
  const text = await file.monitor.metrics();
  expect(value(text, "commit_log_bytes")).toBeGreaterThanOrEqual(512);
  expect(value(text, "commit_log_disk_bytes")).toBeGreaterThanOrEqual(16_777_216);
  expect([value(text, "checkpoints_total"), value(text, "checkpoint_failures_total")]).toEqual([0, 0]);
  expect(value(text, "checkpoint_age_seconds")).toBeGreaterThan(0);
  expect(await server.monitor.metrics()).not.toContain("nss_store_");
});

it("MON-13 shows a durable online, offline, online again and gone", async () => {
  const stage = testStage();
  const { server, client } = await serverWithClient(stage);
  const durable = { durableName: "dur" };
  const shown = async (): Promise<unknown> => {
    const { subscriptions } = await server.monitor.get("channelsz?channel=foo&subs=1");
    return Array.isArray(subscriptions)
      ? subscriptions.map(({ client_id, durable_name, is_durable, is_offline }) => [
          client_id,
          durable_name,
          is_durable,
          is_offline,
        ])
      : subscriptions;
  };
  const first = await client.subscribe("foo", durable);
  expect(await shown()).toEqual([["me", "dur", true, false]]);
  await first.close();
  expect(await shown()).toEqual([["me", "dur", true, true]]);
  const { channels } = await server.monitor.get("channelsz?subs=1");
  expect(channels).toEqual([
    expect.objectContaining({ subscriptions: [expect.objectContaining({ is_offline: true })] }),
  ]);
  const second = await client.subscribe("foo", durable);
  expect(await shown()).toEqual([["me", "dur", true, false]]);
  await second.unsubscribe();
  expect(await shown()).toBeUndefined();
});

describe("MON-14 shows the state, and neither role nor node ID,", () => {
  /** What a server says of its part in a cluster. */
  const part = async ({ get }: Monitor): Promise<unknown> => {
    const { state, ...serverz } = await get("serverz");
    return [state, "role" in serverz, "node_id" in serverz];
  };

  it("of a server alone, and of one with partitioning", async () => {
    const stage = testStage();
    const { server } = await serverWithClient(stage);
    expect(await part(server.monitor)).toEqual(["STANDALONE", false, false]);
    const network = await openEmbeddedNetwork(stage);
    const partitioned = await network.startServer({ config: partitionConfig(["foo.*", "bar"]) });
    expect(await part(partitioned.monitor)).toEqual(["STANDALONE", false, false]);
  });

  it.skipIf(leaveOutNatsServer)("of the active and the standby of a group, also in the metrics", async () => {
    const stage = testStage();
    const network = await openExternalNetwork(stage);
    const { active, standby } = await startPair(network, ["-store", "file", "-dir", await tempDir(stage)]);
    for (const [member, state, role] of [
      [active, "FT_ACTIVE", "active"],
      [standby, "FT_STANDBY", "standby"],
    ] as const) {
      expect(await part(member.monitor)).toEqual([state, false, false]);
      const metrics = await member.monitor.metrics();
      expect(metrics).toContain(`nss_server_role{server="test-cluster",role="${role}"} 1`);
      expect(metrics).toMatch(new RegExp(`nss_server_info\\{[^}]*state="${state}",role=""`));
    }
  });

  it("of no member of a cluster: there is none, and who asks for one learns what to run instead", async () => {
    const stage = testStage();
    const end = await runServer(stage, ["-a", "127.0.0.1", "-p", String(await freePort()), "-clustered"]);
    expect(end.code).toBe(1);
    expect(end.stderr).toContain("streaming clustering is not supported: for availability run a fault tolerance group");
  });
});

it("MON-15 counts subscriptions: offline durables and the last member of a durable group keep counting", async () => {
  const stage = testStage();
  const { server, client } = await serverWithClient(stage);
  const counts: unknown[] = [];
  const note = async (): Promise<void> => {
    counts.push(await subscriptionsOf(server.monitor));
  };
  const durable = await client.subscribe("foo", { durableName: "dur" });
  await note();
  await durable.close();
  await note();
  const resumed = await client.subscribe("foo", { durableName: "dur" });
  await note();
  const group = { queueGroup: "grp", durableName: "dur" };
  const [one, two] = [await client.subscribe("foo", group), await client.subscribe("foo", group)];
  await note();
  await one.close();
  await note();
  await two.close();
  await note();
  const last = await client.subscribe("foo", group);
  await last.unsubscribe();
  await note();
  const plain = await client.subscribe("foo");
  const member = await client.subscribe("foo", { queueGroup: "plain" });
  await note();
  await plain.close();
  await member.unsubscribe();
  await note();
  await resumed.unsubscribe();
  await note();
  expect(counts).toEqual([1, 1, 1, 3, 2, 2, 1, 3, 1, 0]);
});

it("MON-16 counts 5 publishes to two subscribers as 5 in and 10 out, and five redeliveries as 15 out", async () => {
  const stage = testStage();
  const { server, client } = await serverWithClient(stage);
  const acking = await client.subscribe("foo");
  const silent = await client.subscribe("foo", { manualAcks: true, ackWaitMillis: 1_000 });
  for (let i = 0; i < 5; i++) await client.publish("foo", "hello");
  await acking.messages.takeMany(5);
  await silent.messages.takeMany(5);
  expect(await server.monitor.get("serverz")).toMatchObject({ in_msgs: 5, out_msgs: 10 });
  const again = await silent.messages.takeMany(5);
  for (const message of again) message.ack();
  expect(again.map(({ redelivered }) => redelivered)).toEqual([true, true, true, true, true]);
  expect(await server.monitor.get("serverz")).toMatchObject({ in_msgs: 5, out_msgs: 15 });
});

it("MON-17 is asked without a break while the server restarts, and neither answers wrongly nor ends", async () => {
  const stage = testStage();
  const [port, monitorPort] = [await freePort(), await freePort()];
  const monitor = monitorAt(monitorPort);
  let isOver = false;
  const wrong: unknown[] = [];
  const poll = async (path: string): Promise<void> => {
    while (!isOver) {
      try {
        const answer = await monitor.get(path);
        if (answer["server_id"] === undefined) wrong.push(answer);
      } catch (error) {
        // Nobody listens for a while; an answer that is no success is a fault.
        if (String(error).includes("status")) wrong.push(error);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  };
  const polls = ["serverz", "storez", "clientsz", "channelsz?subs=1", "partitionsz"].map(poll);
  const directory = await tempDir(stage);
  for (let i = 0; i < 3; i++) {
    const args = [
      "-store",
      "file",
      "-dir",
      directory,
      "-a",
      "127.0.0.1",
      "-p",
      String(port),
      "-m",
      String(monitorPort),
    ];
    const child = await launchServer(stage, `start ${i}`, args);
    await child.line("Streaming Server is ready", 20_000);
    await child.stop();
  }
  isOver = true;
  await Promise.all(polls);
  expect(wrong).toEqual([]);
});
