import { expect, it } from "vitest";
import { onBothBuses } from "../harness/networks.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { connectRawStan, pingAnswers } from "../harness/raw-stan.ts";
import { connectStan } from "../harness/stan.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";
import { partitionConfig } from "./examples.ts";

onBothBuses("W4: two servers with different lists and one cluster ID", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    const foo = await network.startServer({ config: partitionConfig(["foo"]) });
    const bar = await network.startServer({ config: partitionConfig(["bar"]) });
    return { network, foo, bar };
  });

  it("W4, PART-06: one client publishes to and subscribes on both, and each server holds only its own channel", async () => {
    const stage = testStage();
    const { network, foo, bar } = await started();
    const client = await connectStan(stage, "w4-client", { port: network.port });
    await client.publish("foo", "for foo");
    await client.publish("bar", "for bar");
    const onFoo = await client.subscribe("foo");
    const onBar = await client.subscribe("bar");
    expect((await onFoo.messages.take()).text).toBe("for foo");
    expect((await onBar.messages.take()).text).toBe("for bar");

    expect(await foo.monitor.clientIds()).toContain("w4-client");
    expect(await bar.monitor.clientIds()).toContain("w4-client");
    expect(await foo.monitor.channelNames()).toEqual(["foo"]);
    expect(await bar.monitor.channelNames()).toEqual(["bar"]);
    expect((await foo.monitor.channel("foo")).msgs).toBe(1);
    expect((await bar.monitor.channel("bar")).msgs).toBe(1);

    await onFoo.unsubscribe();
    await onBar.unsubscribe();
    expect((await foo.monitor.channel("foo")).subscriptions).toBe(0);
    expect((await bar.monitor.channel("bar")).subscriptions).toBe(0);
    await client.close();
  });

  it("W4: a client gets two connect replies that agree, and two close replies", async () => {
    const stage = testStage();
    const { network, foo, bar } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(raw, "w4-counted");
    const second = await session.responses.take({ what: "the second connect reply" });
    expect(second).toEqual(session.response);
    expect(second.error).toBe("");

    expect((await session.publish("foo", "x")).error).toBe("");
    expect((await session.publish("bar", "x")).error).toBe("");
    expect(session.responses.all).toHaveLength(2);

    const replies = await session.close();
    expect(await replies.takeMany(2)).toEqual(["", ""]);
    expect(await foo.monitor.clientIds()).not.toContain("w4-counted");
    expect(await bar.monitor.clientIds()).not.toContain("w4-counted");
  });

  it("W4 (section 11), PART-14: both answer the pings of a client they know and refuse the pings of a stranger", async () => {
    const stage = testStage();
    const { network } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(raw, "w4-pings");
    await session.responses.take({ what: "the second connect reply" });
    expect(await pingAnswers(raw, session.connectionId, 2)).toEqual(["", ""]);
    const refusal = "client has been replaced or is no longer registered";
    expect(await pingAnswers(raw, "NOBODYHASTHISCONNECTIO", 2)).toEqual([refusal, refusal]);
    await session.close();
  });

  it("W4 (section 10): a subscribe request with an invalid channel is refused by both", async () => {
    const stage = testStage();
    const { network } = await started();
    const client = await connectStan(stage, "w4-invalid", { port: network.port });
    await expect(client.subscribe("foo.*")).rejects.toThrow("stan: invalid subject");
    await client.close();
  });
});

onBothBuses("W4: partitions that come and go", (openNetwork) => {
  it("W4: the servers start in the other order as well", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    await network.startServer({ config: partitionConfig(["bar"]) });
    await network.startServer({ config: partitionConfig(["foo"]) });
    const client = await connectStan(stage, "other-order", { port: network.port });
    await client.publish("foo", "x");
    await client.publish("bar", "x");
    await client.close();
  });

  it("W4 (section 11): adding a partition disconnects no client, unlike in the original: its next ping is answered", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    await network.startServer({ config: partitionConfig(["foo"]) });
    const raw = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(raw, "unsurprised");
    expect((await session.publish("foo", "x")).error).toBe("");
    await network.startServer({ config: partitionConfig(["bar"]) });
    expect(await pingAnswers(raw, session.connectionId, 2)).toEqual(["", ""]);
    expect((await session.publish("bar", "x")).error).toBe("");
  });

  it("W4 (section 11): while one of two is down its channel times out and the other one serves on", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    await network.startServer({ config: partitionConfig(["foo"]) });
    const bar = await network.startServer({ config: partitionConfig(["bar"]) });
    await bar.child.stop();
    const client = await connectStan(stage, "half", { port: network.port, ackMillis: 600 });
    await client.publish("foo", "x");
    await expect(client.publish("bar", "x")).rejects.toThrow("stan: publish ack timeout");
    await client.close();
  });
});
