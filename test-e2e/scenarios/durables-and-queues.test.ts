import { expect, it } from "vitest";
import { onBothBuses } from "../harness/networks.ts";
import { connectStan, type ReceivedMessage, StartPosition } from "../harness/stan.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";

const sequences = (messages: readonly ReceivedMessage[]): number[] => messages.map(({ sequence }) => sequence);

onBothBuses("durables and queue groups with the client library", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    return { network, server: await network.startServer() };
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
});
