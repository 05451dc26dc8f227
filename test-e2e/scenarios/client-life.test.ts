import { expect, it } from "vitest";
import { onBothBuses } from "../harness/networks.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { connectRawStan, SUBJECTS } from "../harness/raw-stan.ts";
import { connectStan, type ReceivedMessage } from "../harness/stan.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";

const sequences = (messages: readonly ReceivedMessage[]): number[] => messages.map(({ sequence }) => sequence);

onBothBuses("the life of a client", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    return { network, server: await network.startServer() };
  });

  it("PROTO-E3, 7.3: a client ID in use is refused while its client lives and given away when it is gone", async () => {
    const stage = testStage();
    const { network } = await started();
    const old = await connectStan(stage, "one-name", { port: network.port });
    await expect(connectStan(stage, "one-name", { port: network.port })).rejects.toThrow(
      "stan: clientID already registered",
    );
    await old.publish("one-name", "still registered");
    old.vanish();
    const successor = await connectStan(stage, "one-name", { port: network.port });
    await successor.publish("one-name", "in its place");
    await successor.close();
    const after = await connectStan(stage, "one-name", { port: network.port });
    await after.close();
  });

  it("PROTO-E2: a client ID with other characters is refused", async () => {
    const stage = testStage();
    const { network } = await started();
    await expect(connectStan(stage, "not.allowed", { port: network.port })).rejects.toThrow(
      "stan: invalid clientID: only alphanumeric and `-` or `_` characters allowed",
    );
  });

  it("PROTO 12.3: closing a connection removes the client and its subscriptions", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const client = await connectStan(stage, "closing", { port: network.port });
    await client.subscribe("closing");
    expect(await server.monitor.clientIds()).toContain("closing");
    expect((await server.monitor.channel("closing")).subscriptions).toBe(1);
    await client.close();
    expect(await server.monitor.clientIds()).not.toContain("closing");
    expect((await server.monitor.channel("closing")).subscriptions).toBe(0);
  });

  it("PROTO 8.2: a connected client's pings are answered, so that it stays connected", async () => {
    const stage = testStage();
    const { network } = await started();
    const watcher = await connectRaw(stage, { port: network.port });
    const pings = await watcher.subscribe(SUBJECTS.pings);
    const client = await connectStan(stage, "pinging", { port: network.port, pingMillis: 1000 });
    // The library gives up when four pings in a row stay without answer.
    await pings.messages.takeMany(5);
    await client.publish("pinging", "still here");
    expect(client.isLost).toBe(false);
    await client.close();
  });
});

onBothBuses("streaming under limits and heartbeats", (openNetwork) => {
  it("PROTO-E19: a channel above max_channels is refused", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    await network.startServer({ config: "store_limits: { max_channels: 2 }\n" });
    const client = await connectStan(stage, "channels", { port: network.port });
    await client.publish("one", "x");
    await client.publish("two", "x");
    await expect(client.publish("three", "x")).rejects.toThrow("too many channels");
    await expect(client.subscribe("three")).rejects.toThrow("too many channels");
    await client.close();
  });

  it("LIMITS: max_msgs keeps the newest messages, and a channel's own limit wins", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    const server = await network.startServer({
      config: "store_limits: { max_msgs: 10, channels: { small: { max_msgs: 3 } } }\n",
    });
    const client = await connectStan(stage, "limits", { port: network.port });
    for (let index = 1; index <= 12; index++) {
      await client.publish("large", String(index));
      await client.publish("small", String(index));
    }
    expect(await server.monitor.channel("large")).toMatchObject({ msgs: 10, firstSequence: 3, lastSequence: 12 });
    expect(await server.monitor.channel("small")).toMatchObject({ msgs: 3, firstSequence: 10, lastSequence: 12 });
    const subscription = await client.subscribe("small");
    expect(sequences(await subscription.messages.takeMany(3))).toEqual([10, 11, 12]);
    await client.close();
  });

  it("PROTO 8.1: a client that answers heartbeats stays, and one that does not is closed", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    const server = await network.startServer({
      config: 'hb_interval: "200ms"\nhb_timeout: "200ms"\nhb_fail_count: 2\n',
    });
    const raw = await connectRaw(stage, { port: network.port });
    const alive = await connectRawStan(raw, "alive");
    const dead = await connectRawStan(raw, "dead", { answerHeartbeats: false });
    await server.child.line("STREAM: [Client:dead] Timed out on heartbeats");
    expect(dead.heartbeats.all.length).toBeGreaterThanOrEqual(3);
    expect(dead.heartbeats.all.every(({ payload, reply }) => payload.length === 0 && reply !== "")).toBe(true);
    expect((await dead.publish("foo", "x")).error).toBe("stan: invalid publish request");
    expect((await alive.publish("foo", "x")).error).toBe("");
    expect(await server.monitor.clientIds()).toEqual(["alive"]);
    await alive.close();
  });
});
