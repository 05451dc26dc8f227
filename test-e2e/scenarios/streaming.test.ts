import { expect, it } from "vitest";
import { onBothBuses } from "../harness/networks.ts";
import { connectStan, type ReceivedMessage, StartPosition } from "../harness/stan.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";

const sequences = (messages: readonly ReceivedMessage[]): number[] => messages.map(({ sequence }) => sequence);

onBothBuses("streaming with the client library", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    return { network, server: await network.startServer() };
  });

  it("STREAM: acknowledges each publish with its guid and delivers what was published, bytes unchanged", async () => {
    const stage = testStage();
    const { network } = await started();
    const client = await connectStan(stage, "bytes", { port: network.port });
    const payloads = [Buffer.alloc(0), Buffer.from([0, 255, 10, 13]), Buffer.from("grüße"), Buffer.alloc(500_000, 7)];
    const guids = [];
    for (const payload of payloads) guids.push(await client.publish("bytes", payload));
    expect(new Set(guids).size).toBe(payloads.length);
    const subscription = await client.subscribe("bytes");
    const received = await subscription.messages.takeMany(payloads.length);
    expect(received.map(({ sequence, redelivered }) => [sequence, redelivered])).toEqual([
      [1, false],
      [2, false],
      [3, false],
      [4, false],
    ]);
    for (const [index, { data }] of received.entries()) {
      expect(Buffer.compare(data, payloads[index] ?? Buffer.from("missing"))).toBe(0);
    }
    await client.close();
  });

  it("STREAM: keeps the order of 2,000 publishes that do not wait for each other", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const client = await connectStan(stage, "order", { port: network.port });
    const subscription = await client.subscribe("order");
    const texts = Array.from({ length: 2000 }, (_, index) => String(index));
    await Promise.all(texts.map((text) => client.publish("order", text)));
    const received = await subscription.messages.takeMany(texts.length);
    expect(received.map(({ text }) => text)).toEqual(texts);
    expect(sequences(received)).toEqual(texts.map((_, index) => index + 1));
    expect(await server.monitor.channel("order")).toMatchObject({ msgs: 2000, firstSequence: 1, lastSequence: 2000 });
    await client.close();
  });

  for (const { title, options, first } of [
    { title: "First: from the first message", options: { startPosition: StartPosition.FIRST }, first: 1 },
    { title: "LastReceived: from the last message", options: { startPosition: StartPosition.LAST_RECEIVED }, first: 5 },
    { title: "NewOnly: from the next message", options: { startPosition: StartPosition.NEW_ONLY }, first: 6 },
    { title: "SequenceStart 3: from message 3", options: { startSequence: 3 }, first: 3 },
    { title: "SequenceStart 1: from message 1", options: { startSequence: 1 }, first: 1 },
    { title: "SequenceStart 99, beyond the end: from the next message", options: { startSequence: 99 }, first: 6 },
    {
      title: "TimeDeltaStart of an hour: from the first message",
      options: { startTimeDeltaMillis: 3_600_000 },
      first: 1,
    },
    { title: "TimeDeltaStart 0: from the next message", options: { startTimeDeltaMillis: 0 }, first: 6 },
  ]) {
    it(`PROTO 10.3: ${title}`, async () => {
      const stage = testStage();
      const { network } = await started();
      const client = await connectStan(stage, "positions", { port: network.port });
      const channel = `positions.${title.replaceAll(/[^A-Za-z0-9]/g, "-")}`;
      for (let index = 1; index <= 5; index++) await client.publish(channel, String(index));
      const subscription = await client.subscribe(channel, options);
      await client.publish(channel, "6");
      const expected = Array.from({ length: 7 - first }, (_, index) => first + index);
      expect(sequences(await subscription.messages.takeMany(expected.length))).toEqual(expected);
      expect(subscription.messages.all).toHaveLength(expected.length);
      await client.close();
    });
  }

  it("PROTO 10.3: TimeDeltaStart begins with the first message that is not older", async () => {
    const stage = testStage();
    const { network } = await started();
    const client = await connectStan(stage, "delta", { port: network.port });
    await client.publish("delta", "old");
    const probe = await client.subscribe("delta");
    const old = await probe.messages.take();
    // Time itself is under test: the second message has to be this much younger.
    const apart = 1000;
    await until(() => Date.now() - old.timestamp.getTime() > apart);
    await client.publish("delta", "young");
    const young = await probe.messages.take();
    // Just after the old message when it is computed, and before the young one even if the request is slow.
    const span = Date.now() - young.timestamp.getTime() + 0.9 * apart;
    const subscription = await client.subscribe("delta", { startTimeDeltaMillis: Math.floor(span) });
    expect((await subscription.messages.take()).text).toBe("young");
    await client.close();
  });

  it("DELIVERY 7: redelivers what is not acknowledged, with a count, until it is", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const client = await connectStan(stage, "redelivery", { port: network.port });
    const subscription = await client.subscribe("redelivery", { manualAcks: true, ackWaitMillis: 1000 });
    await client.publish("redelivery", "one");
    await client.publish("redelivery", "two");
    const first = await subscription.messages.takeMany(2);
    first[1]?.ack();
    expect(first.map(({ redelivered, redeliveryCount }) => [redelivered, redeliveryCount])).toEqual([
      [false, 0],
      [false, 0],
    ]);
    const again = await subscription.messages.take();
    expect([again.sequence, again.redelivered, again.redeliveryCount]).toEqual([1, true, 1]);
    const oncemore = await subscription.messages.take();
    expect([oncemore.sequence, oncemore.redelivered, oncemore.redeliveryCount]).toEqual([1, true, 2]);
    oncemore.ack();
    await client.publish("redelivery", "three");
    const next = await subscription.messages.take();
    expect([next.sequence, next.redelivered]).toEqual([3, false]);
    next.ack();
    await client.close();
    expect((await server.monitor.channel("redelivery")).subscriptions).toBe(0);
  });

  it("DELIVERY: sends no more than max in flight before an acknowledgement", async () => {
    const stage = testStage();
    const { network } = await started();
    const client = await connectStan(stage, "in-flight", { port: network.port });
    const limited = await client.subscribe("in-flight", { manualAcks: true, maxInFlight: 2 });
    const free = await client.subscribe("in-flight");
    for (let index = 1; index <= 5; index++) await client.publish("in-flight", String(index));
    await free.messages.takeMany(5);
    const held = await limited.messages.takeMany(2);
    expect(limited.messages.all).toHaveLength(2);
    held[0]?.ack();
    const third = await limited.messages.take();
    expect(third.sequence).toBe(3);
    expect(limited.messages.all).toHaveLength(3);
    held[1]?.ack();
    third.ack();
    expect(sequences(await limited.messages.takeMany(2))).toEqual([4, 5]);
    await client.close();
  });

  it("PROTO 12.2: an unsubscribed subscription gets nothing any more", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const client = await connectStan(stage, "unsubscribe", { port: network.port });
    const subscription = await client.subscribe("unsubscribe");
    await client.publish("unsubscribe", "one");
    await subscription.messages.take();
    await subscription.unsubscribe();
    expect((await server.monitor.channel("unsubscribe")).subscriptions).toBe(0);
    const other = await client.subscribe("unsubscribe", { startPosition: StartPosition.NEW_ONLY });
    await client.publish("unsubscribe", "two");
    await other.messages.take();
    expect(subscription.messages.all).toHaveLength(1);
    await client.close();
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
