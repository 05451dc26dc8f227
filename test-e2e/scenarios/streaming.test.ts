import { expect, it } from "vitest";
import { onBothBuses } from "../harness/networks.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { connectRawStan, SUBJECTS } from "../harness/raw-stan.ts";
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

  it("PROTO 10.4: a durable goes on where it stopped, and starts anew once it was unsubscribed", async () => {
    const stage = testStage();
    const { network } = await started();
    const publisher = await connectStan(stage, "durable-publisher", { port: network.port });
    const options = { durableName: "place", manualAcks: true };
    for (let index = 1; index <= 4; index++) await publisher.publish("durable", String(index));

    const first = await connectStan(stage, "durable-client", { port: network.port });
    const started1 = await first.subscribe("durable", options);
    const received = await started1.messages.takeMany(4);
    received[0]?.ack();
    received[1]?.ack();
    received[3]?.ack();
    await first.close();
    await publisher.publish("durable", "5");

    const second = await connectStan(stage, "durable-client", { port: network.port });
    const resumed = await second.subscribe("durable", { ...options, startPosition: StartPosition.NEW_ONLY });
    const rest = await resumed.messages.takeMany(2);
    expect(rest.map(({ sequence, redelivered }) => [sequence, redelivered])).toEqual([
      [3, true],
      [5, false],
    ]);
    for (const message of rest) message.ack();
    await resumed.unsubscribe();

    const anew = await second.subscribe("durable", options);
    expect(sequences(await anew.messages.takeMany(5))).toEqual([1, 2, 3, 4, 5]);
    await anew.unsubscribe();
    await second.close();
    await publisher.close();
  });

  it("PROTO 12.2: a durable that is closed keeps its place within the same connection", async () => {
    const stage = testStage();
    const { network } = await started();
    const client = await connectStan(stage, "closed-durable", { port: network.port });
    const before = await client.subscribe("closed-durable", { durableName: "place" });
    await client.publish("closed-durable", "1");
    await before.messages.take();
    await before.close();
    await client.publish("closed-durable", "2");
    const after = await client.subscribe("closed-durable", { durableName: "place" });
    expect(sequences([await after.messages.take()])).toEqual([2]);
    expect(after.messages.all).toHaveLength(1);
    await client.close();
  });

  it("PROTO-E12: a durable that is active is refused a second time", async () => {
    const stage = testStage();
    const { network } = await started();
    const client = await connectStan(stage, "twice", { port: network.port });
    await client.subscribe("twice", { durableName: "place" });
    await expect(client.subscribe("twice", { durableName: "place" })).rejects.toThrow(
      "stan: duplicate durable registration",
    );
    await client.subscribe("twice", { durableName: "another-place" });
    await client.close();
  });

  it("DELIVERY 8: a queue group shares the messages, and those who stay take over from who leaves", async () => {
    const stage = testStage();
    const { network } = await started();
    const [one, two] = [
      await connectStan(stage, "queue-one", { port: network.port }),
      await connectStan(stage, "queue-two", { port: network.port }),
    ];
    const options = { queueGroup: "group", manualAcks: true };
    const first = await one.subscribe("queue", options);
    const second = await two.subscribe("queue", options);
    for (let index = 1; index <= 10; index++) await one.publish("queue", String(index));
    const own = await first.messages.takeMany(5);
    const handedOver = await second.messages.takeMany(5);
    const all = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    expect(sequences([...own, ...handedOver]).toSorted((a, b) => a - b)).toEqual(all);

    await two.close();
    const taken = await first.messages.takeMany(5);
    expect(sequences(taken).toSorted((a, b) => a - b)).toEqual(sequences(handedOver));
    expect(taken.every(({ redelivered }) => redelivered)).toBe(true);
    await one.publish("queue", "11");
    const last = await first.messages.take();
    expect([last.sequence, last.redelivered]).toEqual([11, false]);
    await one.close();
  });

  it("PROTO 10.5: a durable queue group goes on where it stopped after its last member has left", async () => {
    const stage = testStage();
    const { network } = await started();
    const options = { queueGroup: "group", durableName: "place" };
    const one = await connectStan(stage, "durable-queue-one", { port: network.port });
    const first = await one.subscribe("durable-queue", options);
    for (let index = 1; index <= 3; index++) await one.publish("durable-queue", String(index));
    await first.messages.takeMany(3);
    await one.close();

    const two = await connectStan(stage, "durable-queue-two", { port: network.port });
    await two.publish("durable-queue", "4");
    const second = await two.subscribe("durable-queue", options);
    expect((await second.messages.take()).sequence).toBe(4);
    expect(second.messages.all).toHaveLength(1);
    await second.unsubscribe();
    const anew = await two.subscribe("durable-queue", options);
    expect(sequences(await anew.messages.takeMany(4))).toEqual([1, 2, 3, 4]);
    await two.close();
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
    let lost = false;
    void client.lost.then(() => {
      lost = true;
    });
    // The library gives up when four pings in a row stay without answer.
    await pings.messages.takeMany(5);
    await client.publish("pinging", "still here");
    expect(lost).toBe(false);
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

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
