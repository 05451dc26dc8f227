import { expect, it } from "vitest";
import { onBothBuses } from "../harness/networks.ts";
import { connectStan } from "../harness/stan.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";
import { IGNORED_MILLIS, WILDCARDS } from "./examples.ts";

onBothBuses("W2: the example of wildcards, foo.* and bar.>", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    return { network, server: await network.startServer({ config: WILDCARDS }) };
  });

  it.each(["foo.bar", "bar.baz", "bar.baz.bat"])(
    "W2, PART-10: accepts subscribing and publishing to %s, and delivers",
    async (channel) => {
      const stage = testStage();
      const { network, server } = await started();
      const client = await connectStan(stage, `accepts-${channel.replaceAll(".", "-")}`, { port: network.port });
      const subscription = await client.subscribe(channel);
      await client.publish(channel, `to ${channel}`);
      const message = await subscription.messages.take();
      expect([message.channel, message.text, message.sequence]).toEqual([channel, `to ${channel}`, 1]);
      expect(await server.monitor.channelNames()).toContain(channel);
      await subscription.unsubscribe();
      await client.close();
    },
  );

  it.each(["bar.foo", "bar.foo.baz"])("PART-10: subscribing to %s works", async (channel) => {
    const stage = testStage();
    const { network } = await started();
    const client = await connectStan(stage, `part-10-${channel.replaceAll(".", "-")}`, { port: network.port });
    const subscription = await client.subscribe(channel);
    await subscription.unsubscribe();
    await client.close();
  });

  it.each(["foo", "foo.bar.baz", "bar", "some.other.channel"])(
    "W2, PART-10: ignores subscribing and publishing to %s",
    async (channel) => {
      const stage = testStage();
      const { network, server } = await started();
      const client = await connectStan(stage, `ignores-${channel.replaceAll(".", "-")}`, {
        port: network.port,
        ackMillis: IGNORED_MILLIS,
        requestMillis: IGNORED_MILLIS,
      });
      const outcomes = await Promise.allSettled([client.subscribe(channel), client.publish(channel, "for nobody")]);
      expect(
        outcomes.map((outcome) => (outcome.status === "rejected" ? String(outcome.reason.message) : "ok")),
      ).toEqual(["stan: subscribe request timeout", "stan: publish ack timeout"]);
      expect(await server.monitor.channelNames()).not.toContain(channel);
      await client.close();
    },
  );

  it("W2, PART-10: refuses the wildcard foo.* as a channel", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const client = await connectStan(stage, "refuses", { port: network.port });
    await expect(client.subscribe("foo.*")).rejects.toThrow("stan: invalid subject");
    await expect(client.publish("foo.*", "for all")).rejects.toThrow("stan: invalid publish request");
    await server.child.line(
      'STREAM: [Client:refuses] Invalid channel "foo.*" in subscription request from _STAN.sub.test-cluster',
    );
    await client.close();
  });

  it("W2: refuses bar.> as a channel", async () => {
    const stage = testStage();
    const { network } = await started();
    const client = await connectStan(stage, "refuses-tail", { port: network.port });
    await expect(client.subscribe("bar.>")).rejects.toThrow("stan: invalid subject");
    await expect(client.publish("bar.>", "for all")).rejects.toThrow("stan: invalid publish request");
    await client.close();
  });
});
