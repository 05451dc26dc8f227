import { expect, it } from "vitest";
import { onBothBuses } from "../harness/networks.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { connectRawStan, pingAnswers } from "../harness/raw-stan.ts";
import { connectStan } from "../harness/stan.ts";
import { testStage } from "../harness/test-stage.ts";
import { partitionConfig } from "./examples.ts";

onBothBuses("partitions that grow", (openNetwork) => {
  it("a server that joins disconnects nobody, and clients use its channels at once", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    await network.startServer({ config: partitionConfig(["foo"]) });
    const raw = await connectRaw(stage, { port: network.port });
    const client = await connectRawStan(raw, "early");
    expect((await client.publish("foo", "1")).error).toBe("");
    const bar = await network.startServer({ config: partitionConfig(["bar"]) });
    expect(await bar.monitor.clientIds()).toEqual(["early"]);
    expect((await client.publish("bar", "at once")).error).toBe("");
    const subscription = await client.subscribe("bar");
    expect((await subscription.messages.take()).data.toString()).toBe("at once");
    expect(await pingAnswers(raw, client.connectionId, 2)).toEqual(["", ""]);
    const answers = await client.close();
    expect(await answers.takeMany(2)).toEqual(["", ""]);
    expect(await bar.monitor.clientIds()).toEqual([]);
  }, 60_000);

  it("a memory server that is restarted is told who is there", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    await network.startServer({ config: partitionConfig(["foo"]) });
    const bar = await network.startServer({ config: partitionConfig(["bar"]) });
    const raw = await connectRaw(stage, { port: network.port });
    const client = await connectRawStan(raw, "patient");
    expect((await client.publish("bar", "lost with its server")).error).toBe("");
    bar.child.signal("SIGKILL");
    await bar.child.exit();
    const again = await network.startServer({ config: partitionConfig(["bar"]) });
    expect(await again.monitor.clientIds()).toEqual(["patient"]);
    expect((await client.publish("bar", "kept")).error).toBe("");
    expect(await pingAnswers(raw, client.connectionId, 2)).toEqual(["", ""]);
  }, 60_000);

  it("a client ID in use is refused whichever server knows of it, and free once its client has closed", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    await network.startServer({ config: partitionConfig(["foo"]) });
    await network.startServer({ config: partitionConfig(["bar"]) });
    const first = await connectStan(stage, "same", { port: network.port });
    const raw = await connectRaw(stage, { port: network.port });
    const refused = await connectRawStan(raw, "same", { connectionId: "ANOTHERCONNECTIONOFSAME" });
    // Both servers have settled it: neither has the refused one in mind any more.
    const answers = [refused.response, await refused.responses.take({ what: "the other server's refusal" })];
    expect(answers.map(({ error }) => error)).toEqual([
      "stan: clientID already registered",
      "stan: clientID already registered",
    ]);
    await first.close();
    const second = await connectStan(stage, "same", { port: network.port });
    await second.publish("foo", "x");
    await second.publish("bar", "x");
    await second.close();
  }, 60_000);

  it("partition_unowned: error tells who asks for a channel that nobody owns, once and within a second", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    const config = (channel: string): string => `partition_unowned: error\n${partitionConfig([channel])}`;
    await network.startServer({ config: config("foo") });
    await network.startServer({ config: config("bar") });
    const client = await connectStan(stage, "asker", { port: network.port, ackMillis: 5000 });
    await expect(client.publish("nobodys", "x")).rejects.toThrow(/"?nobodys"?/);
    await expect(client.subscribe("nobodys")).rejects.toThrow(/"?nobodys"?/);
    await client.publish("foo", "x");
    await client.publish("bar", "x");
    await client.close();
  }, 60_000);

  it("PART-D10: a partitioned and an unpartitioned server refuse each other in both orders", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    const whole = await network.startServer();
    const part = await network.runServer({ config: partitionConfig(["foo"]) });
    expect(part.code).toBe(1);
    expect(part.stderr).toMatch(/Failed to start: .*(is not partitioned|conflict)/);
    await whole.child.stop();
    const next = await openNetwork(stage);
    await next.startServer({ config: partitionConfig(["foo"]) });
    const refused = await next.runServer();
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('discovered another streaming server with cluster ID "test-cluster"'),
    ]);
  }, 60_000);
});
