import { expect, it } from "vitest";
import { onBothBuses, type ServerOnNetwork } from "../harness/networks.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { connectRawStan } from "../harness/raw-stan.ts";
import { connectStan, type ReceivedMessage, StartPosition } from "../harness/stan.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";

const CONFIG = `
store_limits {
  max_channels: 30
  max_subs: 2
  max_msgs: 20
  channels {
    "few.>": { max_msgs: 5 }
    "few.one": { max_msgs: 1 }
    "free": { max_msgs: 0, max_subs: 0 }
    "bytes": { max_bytes: 1000 }
    "aged.*": { max_age: "1s" }
    "aged.never": { max_age: "0s" }
    "idle.*": { max_inactivity: "1s" }
    "idle.never": { max_inactivity: "0s" }
  }
}
`;

const TOO_MANY_SUBSCRIPTIONS = "too many subscriptions per channel";
const TOO_MANY_CHANNELS = "too many channels";

/** Far above the second after which channels and messages with a limit on time go. */
const GONE_MILLIS = 8_000;

const sequences = (messages: readonly ReceivedMessage[]): number[] => messages.map(({ sequence }) => sequence);
const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

interface Publisher {
  publish(channel: string, data: string): Promise<unknown>;
}

async function publishMany(client: Publisher, channel: string, count: number): Promise<void> {
  await Promise.all(numbers(1, count).map((text) => client.publish(channel, String(text))));
}

const untilDeleted = (server: ServerOnNetwork, channel: string): Promise<string> =>
  server.child.line(`STREAM: Channel "${channel}" has been deleted`, GONE_MILLIS);

onBothBuses("limits from the configuration", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    return { network, server: await network.startServer({ config: CONFIG }) };
  });

  it("DLV-L3, LIMITS: max_subs counts subscriptions of every kind, offline durables too, and lets a durable resume", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const client = await connectStan(stage, "subs", { port: network.port });
    const durable = await client.subscribe("subs", { durableName: "place" });
    const member = await client.subscribe("subs", { queueGroup: "group" });
    const kinds = [
      {},
      { durableName: "third" },
      { queueGroup: "group" },
      { queueGroup: "other" },
      { queueGroup: "group", durableName: "place" },
    ];
    const refuseAll = async (): Promise<void> => {
      for (const kind of kinds) {
        await expect(client.subscribe("subs", kind)).rejects.toThrow(TOO_MANY_SUBSCRIPTIONS);
      }
    };
    await refuseAll();
    expect(await server.monitor.get("channelsz?channel=subs")).toMatchObject({ subs_count: 2 });
    await durable.close();
    await refuseAll();
    const resumed = await client.subscribe("subs", { durableName: "place" });
    expect((await server.monitor.channel("subs")).subscriptions).toBe(2);
    await client.publish("subs", "for both");
    expect(sequences([await resumed.messages.take(), await member.messages.take()])).toEqual([1, 1]);
    // A place that becomes free can be taken.
    await resumed.unsubscribe();
    await client.subscribe("subs", { durableName: "other" });
    await refuseAll();
    // Another channel has its own count, and one without limit none.
    await client.subscribe("subs.other");
    for (const _ of numbers(1, 4)) await client.subscribe("free");
    await client.close();
    expect(await server.monitor.get("channelsz?channel=subs")).toMatchObject({ subs_count: 1 });
    expect((await server.monitor.channel("free")).subscriptions).toBe(0);
  });

  it("DLV-L4, L8, L9: max_msgs acts at exactly the limit, by the narrowest entry, and 0 is unlimited", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const client = await connectStan(stage, "msgs", { port: network.port });
    const kept = [
      { channel: "any", limit: 20 },
      { channel: "few.some.more", limit: 5 },
      { channel: "few.one", limit: 1 },
    ];
    for (const { channel, limit } of kept) {
      await publishMany(client, channel, limit);
      const full = { msgs: limit, firstSequence: 1, lastSequence: limit };
      expect(await server.monitor.channel(channel)).toMatchObject(full);
      await client.publish(channel, "one more");
      const moved = { msgs: limit, firstSequence: 2, lastSequence: limit + 1 };
      expect(await server.monitor.channel(channel)).toMatchObject(moved);
      await publishMany(client, channel, limit - 1);
      const { messages } = await client.subscribe(channel);
      expect(sequences(await messages.takeMany(limit))).toEqual(numbers(limit + 1, 2 * limit));
    }
    await publishMany(client, "free", 100);
    expect(await server.monitor.channel("free")).toMatchObject({ msgs: 100, firstSequence: 1, lastSequence: 100 });
    await client.close();
  });

  it("DLV-R13, L6, L7: what a limit removed is neither sent nor sent again; durable and queue member go on with what is left", async () => {
    const stage = testStage();
    const { network } = await started();
    const client = await connectStan(stage, "gaps", { port: network.port });
    const manual = { manualAcks: true, maxInFlight: 1, ackWaitMillis: 1000 };
    const stalled = await client.subscribe("few.gaps", manual);
    const durable = await client.subscribe("few.gaps", { durableName: "place" });
    await client.publish("few.gaps", "1");
    await durable.messages.take();
    const held = await stalled.messages.take();
    await durable.close();
    await publishMany(client, "few.gaps", 9);
    held.ack();
    // 2 to 5 are gone: the next one is 6.
    const received: ReceivedMessage[] = [];
    for (const _ of numbers(6, 10)) {
      const message = await stalled.messages.take();
      received.push(message);
      message.ack();
    }
    expect(received.map(({ sequence, redelivered }) => [sequence, redelivered])).toEqual(
      numbers(6, 10).map((sequence) => [sequence, false]),
    );
    await stalled.unsubscribe();
    const resumed = await client.subscribe("few.gaps", { durableName: "place" });
    expect(sequences(await resumed.messages.takeMany(5))).toEqual(numbers(6, 10));
    await client.close();
  });

  it("DLV-L5: max_bytes keeps no more than the limit, and the newest message whatever its size", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const client = await connectStan(stage, "bytes", { port: network.port });
    const bytes = async (): Promise<unknown> => (await server.monitor.get("channelsz?channel=bytes"))["bytes"];
    await client.publish("bytes", "x".repeat(100));
    const one = Number(await bytes());
    const fit = Math.floor(1000 / one);
    for (const _ of numbers(1, 2 * fit - 1)) await client.publish("bytes", "x".repeat(100));
    expect(await server.monitor.channel("bytes")).toMatchObject({ msgs: fit, lastSequence: 2 * fit });
    expect(await bytes()).toBe(fit * one);
    await client.publish("bytes", "x".repeat(5000));
    expect(await server.monitor.channel("bytes")).toMatchObject({ msgs: 1, firstSequence: 2 * fit + 1 });
    const { messages } = await client.subscribe("bytes");
    expect((await messages.take()).data).toHaveLength(5000);
    await client.close();
  });

  it("DLV-L8, PROTO 10.3: max_age removes messages without traffic; every start position then waits for the next one", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const client = await connectStan(stage, "ages", { port: network.port });
    await publishMany(client, "aged.never", 3);
    await publishMany(client, "aged.soon", 3);
    expect(await server.monitor.channel("aged.soon")).toMatchObject({ msgs: 3, firstSequence: 1, lastSequence: 3 });
    const state = (): Promise<unknown> => server.monitor.channel("aged.soon");
    await expect.poll(state, { timeout: GONE_MILLIS }).toMatchObject({ msgs: 0, firstSequence: 4, lastSequence: 3 });
    expect(await server.monitor.channel("aged.never")).toMatchObject({ msgs: 3, firstSequence: 1, lastSequence: 3 });
    const raw = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(raw, "ages-raw");
    const subscriptions = [
      await client.subscribe("aged.soon", { startPosition: StartPosition.FIRST }),
      await client.subscribe("aged.soon", { startSequence: 1 }),
    ];
    expect((await session.subscribe("aged.soon")).response.error).toBe(TOO_MANY_SUBSCRIPTIONS);
    await client.publish("aged.soon", "the next");
    for (const { messages } of subscriptions) {
      expect(sequences([await messages.take()])).toEqual([4]);
      expect(messages.all).toHaveLength(1);
    }
    await client.close();
  });

  it("DLV-L11, L13, L14: max_inactivity deletes what nobody uses, and keeps what has a subscription or no limit", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const client = await connectStan(stage, "idle", { port: network.port });
    for (const channel of ["idle.unused", "idle.offline", "idle.used", "idle.never"]) {
      await publishMany(client, channel, 3);
    }
    const used = await client.subscribe("idle.used");
    const offline = await client.subscribe("idle.offline", { durableName: "place" });
    await Promise.all([used.messages.takeMany(3), offline.messages.takeMany(3)]);
    await offline.close();
    await untilDeleted(server, "idle.unused");
    await untilDeleted(server, "idle.offline");
    const names = await server.monitor.channelNames();
    expect(names).toEqual(expect.arrayContaining(["idle.never", "idle.used"]));
    expect(names.filter((name) => name === "idle.unused" || name === "idle.offline")).toEqual([]);
    await expect(server.monitor.channel("idle.unused")).rejects.toThrow("status 404: Channel idle.unused not found");
    // A channel of that name begins anew, in another case if it likes, and the durable of old is forgotten.
    const again = await client.subscribe("IDLE.Offline", { durableName: "place" });
    await client.publish("IDLE.Offline", "anew");
    expect(sequences([await again.messages.take()])).toEqual([1]);

    // The last subscription ends by a connection close.
    expect((await server.monitor.channel("idle.used")).msgs).toBe(3);
    await client.close();
    await untilDeleted(server, "idle.used");
    expect(await server.monitor.channelNames()).toContain("idle.never");
  });

  it("DLV-L12: publishing extends the life of a channel", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const client = await connectStan(stage, "busy", { port: network.port });
    await client.publish("idle.quiet", "once");
    await client.publish("idle.busy", "first");
    let isGone = false;
    const gone = untilDeleted(server, "idle.quiet").finally(() => {
      isGone = true;
    });
    let published = 1;
    // Each one waits for its acknowledgement, and so there are many within the period of a second.
    while (!isGone) {
      await client.publish("idle.busy", "again");
      published++;
    }
    await gone;
    expect(await server.monitor.channel("idle.busy")).toMatchObject({ lastSequence: published });
    await untilDeleted(server, "idle.busy");
    await client.close();
  });

  it("PROTO-E19, LIMITS: max_channels has room again when a channel has been deleted", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    const server = await network.startServer({
      config: 'store_limits { max_channels: 3, channels { short: { max_inactivity: "1s" } } }\n',
    });
    const client = await connectStan(stage, "rooms", { port: network.port });
    expect(await server.monitor.get("channelsz")).toMatchObject({ count: 0, total: 0 });
    for (const channel of ["one", "two"]) await client.publish(channel, "x");
    await client.subscribe("one");
    await client.publish("short", "x");
    expect(await server.monitor.channelNames()).toEqual(["one", "short", "two"]);
    await expect(client.publish("three", "x")).rejects.toThrow(TOO_MANY_CHANNELS);
    await expect(client.subscribe("three", { queueGroup: "group" })).rejects.toThrow(TOO_MANY_CHANNELS);
    expect(await server.monitor.get("channelsz")).toMatchObject({ count: 3, total: 3 });
    await untilDeleted(server, "short");
    expect(await server.monitor.channelNames()).toEqual(["one", "two"]);
    await client.subscribe("three", { queueGroup: "group" });
    await expect(client.publish("short", "x")).rejects.toThrow(TOO_MANY_CHANNELS);
    await client.publish("three", "x");
    expect(await server.monitor.channelNames()).toEqual(["one", "three", "two"]);
    await client.close();
  });
});
