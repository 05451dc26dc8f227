import { freePort } from "@nats-streaming/kernel/testing";
import { expect, it } from "vitest";
import { STEP_MILLIS } from "../harness/mailbox.ts";
import { monitorAt } from "../harness/monitor.ts";
import { onBothBuses } from "../harness/networks.ts";
import { connectStan } from "../harness/stan.ts";
import { serverIdOf } from "../harness/streaming-server.ts";
import { suiteStage } from "../harness/test-stage.ts";
import { partitionConfig, WILDCARDS } from "./examples.ts";

onBothBuses("monitoring of a partitioned server", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    const server = await network.startServer({ config: WILDCARDS });
    const client = await connectStan(suite, "watched", { port: network.port });
    await client.publish("foo.bar", "12345");
    await client.publish("foo.bar", "67890");
    const subscription = await client.subscribe("foo.bar", { maxInFlight: 7, ackWaitMillis: 5000 });
    await subscription.messages.takeMany(2);
    return { network, server };
  });

  it("MON 2: serverz has every field, in order, and counts what went in and out", async () => {
    const { server } = await started();
    const serverz = await server.monitor.get("serverz");
    expect(Object.keys(serverz).filter((name) => name !== "open_fds" && name !== "max_fds")).toEqual([
      "cluster_id",
      "server_id",
      "version",
      "go",
      "state",
      "now",
      "start_time",
      "uptime",
      "clients",
      "subscriptions",
      "channels",
      "total_msgs",
      "total_bytes",
      "in_msgs",
      "in_bytes",
      "out_msgs",
      "out_bytes",
    ]);
    expect(serverz).toMatchObject({
      cluster_id: "test-cluster",
      server_id: server.serverId,
      state: "STANDALONE",
      clients: 1,
      subscriptions: 1,
      channels: 1,
      total_msgs: 2,
      in_msgs: 2,
      out_msgs: 2,
    });
  });

  it("MON 3: storez shows the list of the partition as its limits", async () => {
    const { server } = await started();
    const storez = await server.monitor.get("storez");
    const inherited = {
      max_msgs: 1_000_000,
      max_bytes: 1_024_000_000,
      max_age: 0,
      max_subscriptions: 1000,
      max_inactivity: 0,
    };
    expect(storez).toMatchObject({
      cluster_id: "test-cluster",
      server_id: server.serverId,
      type: "MEMORY",
      limits: { max_channels: 100, ...inherited, channels: { "bar.>": inherited, "foo.*": inherited } },
      total_msgs: 2,
    });
  });

  it("MON 5: clientsz lists the client, and one client with its subscriptions", async () => {
    const { server } = await started();
    const list = await server.monitor.get("clientsz");
    expect(list).toMatchObject({ offset: 0, limit: 1024, count: 1, total: 1 });
    expect(list["clients"]).toEqual([{ id: "watched", hb_inbox: expect.stringMatching(/^_INBOX\./), subs_count: 1 }]);
    const one = await server.monitor.get("clientsz?client=watched&subs=1");
    expect(one["subscriptions"]).toEqual({
      "foo.bar": [
        {
          client_id: "watched",
          inbox: expect.stringMatching(/^_INBOX\./),
          ack_inbox: expect.stringMatching(/^_INBOX\./),
          is_durable: false,
          is_offline: false,
          max_inflight: 7,
          ack_wait: 5,
          last_sent: 2,
          pending_count: expect.any(Number),
          is_stalled: false,
        },
      ],
    });
  });

  it("MON 6: channelsz lists names, and one channel with its state", async () => {
    const { server } = await started();
    expect(await server.monitor.get("channelsz")).toMatchObject({ count: 1, total: 1, names: ["foo.bar"] });
    expect(await server.monitor.get("channelsz?channel=foo.bar")).toEqual({
      name: "foo.bar",
      msgs: 2,
      bytes: expect.any(Number),
      first_seq: 1,
      last_seq: 2,
      subs_count: 1,
    });
    await expect(server.monitor.get("channelsz?channel=nope")).rejects.toThrow("status 404: Channel nope not found");
    await expect(server.monitor.get("clientsz?client=nope")).rejects.toThrow("status 404: Client nope not found");
  });

  it("PART-D14: serverz answers while the start-up check goes on", async () => {
    const { network } = await started();
    const port = await freePort();
    const config = partitionConfig(["qux"]);
    const child = await network.launchServer({ config, args: ["-m", String(port)] });
    const serverz = await firstAnswer(() => monitorAt(port).get("serverz"));
    expect(child.lines.some((line) => line.includes("Recovering the state"))).toBe(false);
    expect(serverz["server_id"]).toBe(serverIdOf(child.lines));
    await child.line("Streaming Server is ready", 20_000);
    await child.stop();
  });
});

/** Asks until somebody listens. */
async function firstAnswer<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + STEP_MILLIS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
