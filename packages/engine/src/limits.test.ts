import { durationFromMillis, durationNanos } from "@nats-streaming/kernel";
import { StartPosition } from "@nats-streaming/protocol/stan";
import { describe, expect, it } from "vitest";
import { channelLimits, type Stage, setStage, type TestClient } from "../test/harness.ts";

const dur = { durableName: "dur" };

const publish = async (client: TestClient, count: number, channel = "foo", data = "hello"): Promise<void> => {
  for (let i = 0; i < count; i++) expect(await client.publish(channel, data)).toBe("");
};

const channelOf = (stage: Stage, name = "foo") => stage.engine.inspection.channel(name);

describe("the limit on channels", () => {
  it("PROTO 10.1.8 DLV-L1 refuses a subscription that would create one too many", async () => {
    const stage = await setStage({ limits: { maxChannels: 1 } });
    const client = await stage.client("me");
    expect((await client.subscribe("one")).error).toBe("");
    expect((await client.subscribe("two")).error).toBe("too many channels");
    expect(stage.engine.inspection.channelNames()).toEqual(["one"]);
    expect(stage.engine.inspection.client("me")?.subscriptionCount).toBe(1);
    expect((await client.subscribe("one")).error).toBe("");
  });

  it("DLV 12.1 0 is none", async () => {
    const stage = await setStage({ limits: { maxChannels: 0 } });
    const client = await stage.client("me");
    for (let i = 0; i < 120; i++) client.publishQuietly(`c${i}`);
    await stage.clock.settle();
    expect(stage.engine.inspection.channelCount).toBe(120);
  });
});

describe("the limits on messages", () => {
  it("DLV-L4 keep exactly max_msgs", async () => {
    const stage = await setStage({ limits: { maxMessages: 10 } });
    const client = await stage.client("me");
    await publish(client, 20);
    expect(channelOf(stage)).toMatchObject({ messages: 10, firstSequence: 11, lastSequence: 20 });
  });

  it("DLV-L5 keep as many bytes as the limit allows, exactly that many where it is a multiple of a message's size", async () => {
    const probe = await setStage();
    await publish(await probe.client("me"), 1);
    const size = channelOf(probe)?.bytes ?? 0;
    const stage = await setStage({ limits: { maxBytes: size * 10 } });
    const client = await stage.client("me");
    await publish(client, 50);
    expect(channelOf(stage)).toMatchObject({ messages: 10, bytes: size * 10, lastSequence: 50 });
  });

  it("DLV 12.2.2 keep at least one message, and never refuse a publish", async () => {
    for (const limits of [{ maxBytes: 1 }, { maxMessages: 1 }]) {
      const stage = await setStage({ limits });
      const client = await stage.client("me");
      await publish(client, 5);
      expect(channelOf(stage)).toMatchObject({ messages: 1, firstSequence: 5, lastSequence: 5 });
    }
  });

  it("DLV-L6 let a durable that resumes start at the first message that is left", async () => {
    const stage = await setStage({ limits: { maxMessages: 5 } });
    const client = await stage.client("me");
    const before = await client.subscribe("foo", dur, { autoAck: true });
    await publish(client, 10);
    await before.close();
    await publish(client, 20);
    const after = await client.subscribe("foo", dur);
    expect(after.order).toBe("26 27 28 29 30");
  });

  it("DLV 5.4 let a stalled subscription go on with the first message that is left", async () => {
    const stage = await setStage({ limits: { maxMessages: 5 } });
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { maxInFlight: 1, ackWaitInSecs: 30 });
    for (let sequence = 1; sequence < 30; sequence++) {
      await publish(client, 1);
      subscription.ack(sequence);
    }
    await publish(client, 1);
    expect(subscription.sequences.at(-1)).toBe(30);
    await publish(client, 20);
    subscription.ack(30);
    expect(subscription.sequences.at(-1)).toBe(46);
  });

  it("DLV 12.3 drop what is pending of an offline durable and is gone", async () => {
    const stage = await setStage({ limits: { maxMessages: 2 } });
    const client = await stage.client("me");
    const before = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    await publish(client, 3);
    await before.close();
    const after = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    expect([before.order, after.order]).toEqual(["1 2 3", "2R1 3R1"]);
    expect(channelOf(stage)?.subscriptions()).toMatchObject([{ pendingCount: 2 }]);
  });

  it("DLV-L7 let a queue member that joins have the first available ones, though another is stalled on an older one", async () => {
    const stage = await setStage({ limits: { maxMessages: 5 } });
    const client = await stage.client("me");
    const first = await client.subscribe("foo", { qGroup: "grp", maxInFlight: 1, ackWaitInSecs: 30 });
    await publish(client, 20);
    const second = await client.subscribe("foo", { qGroup: "grp", ackWaitInSecs: 30 });
    expect([first.order, second.order]).toEqual(["1", "16 17 18 19 20"]);
  });

  it("DLV-L8 of a channel override the global ones one by one, and let messages expire without traffic", async () => {
    const stage = await setStage({
      limits: {
        maxMessages: 10,
        maxBytes: 1_000_000,
        channels: new Map([
          ["foo", channelLimits({ maxMessages: 3 })],
          ["bar", channelLimits({ maxBytes: 1_000_000_000 })],
          ["baz", channelLimits({ maxAge: durationFromMillis(1000) })],
        ]),
      },
    });
    const client = await stage.client("me");
    for (const name of ["foo", "bar", "baz", "other"]) await publish(client, 20, name);
    const counts = (): unknown => ["foo", "bar", "baz", "other"].map((name) => channelOf(stage, name)?.messages);
    expect(counts()).toEqual([3, 10, 10, 10]);
    await stage.pass(1000);
    expect(counts()).toEqual([3, 10, 0, 10]);
    expect(channelOf(stage, "baz")).toMatchObject({ firstSequence: 21, lastSequence: 20 });
  });

  it("DLV-L9 DLV-L10 do not apply to a channel that is set to unlimited", async () => {
    const unlimited = {
      maxSubscriptions: -1,
      maxMessages: -1,
      maxBytes: -1,
      maxAge: durationNanos(-1n),
      maxInactivity: durationNanos(-1n),
    };
    const stage = await setStage({
      limits: {
        maxSubscriptions: 1,
        maxMessages: 1,
        maxBytes: 1,
        maxAge: durationFromMillis(10),
        maxInactivity: durationFromMillis(5000),
        channels: new Map([["free", unlimited]]),
      },
    });
    const client = await stage.client("me");
    for (const name of ["free", "tight"]) await publish(client, 5, name);
    expect([channelOf(stage, "free")?.messages, channelOf(stage, "tight")?.messages]).toEqual([5, 1]);
    await stage.pass(20);
    expect([channelOf(stage, "free")?.messages, channelOf(stage, "tight")?.messages]).toEqual([5, 0]);
    const errors = async (name: string): Promise<string[]> => {
      const all = [await client.subscribe(name), await client.subscribe(name)];
      for (const subscription of all) await subscription.unsubscribe();
      return all.map(({ error }) => error);
    };
    expect(await errors("free")).toEqual(["", ""]);
    expect(await errors("tight")).toEqual(["", "too many subscriptions per channel"]);
    await stage.pass(10_000);
    expect(stage.engine.inspection.channelNames()).toEqual(["free"]);
    expect(stage.engine.inspection.limits.channels.get("free")).toEqual({
      maxSubscriptions: 0,
      maxMessages: 0,
      maxBytes: 0,
      maxAge: 0n,
      maxInactivity: 0n,
    });
  });

  it("DLV 12.2.5 remove messages by age while subscriptions hold them pending", async () => {
    const stage = await setStage({ limits: { maxAge: durationFromMillis(1500) } });
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    await publish(client, 1);
    await stage.pass(5000);
    expect(subscription.order).toBe("1 1R1");
    expect(channelOf(stage)?.subscriptions()).toMatchObject([{ pendingCount: 0 }]);
  });

  it("DLV 2.2 number on after all messages are gone", async () => {
    const stage = await setStage({ limits: { maxAge: durationFromMillis(100) } });
    const client = await stage.client("me");
    await publish(client, 3);
    await stage.pass(200);
    expect(channelOf(stage)).toMatchObject({ messages: 0, bytes: 0, firstSequence: 4, lastSequence: 3 });
    const subscription = await client.subscribe("foo", { startPosition: StartPosition.first });
    await publish(client, 1);
    expect(subscription.order).toBe("4");
  });
});

describe("the limit on subscriptions", () => {
  it("DLV 12.4.1 counts offline durables and each queue member; resuming needs no free slot", async () => {
    const stage = await setStage({ limits: { maxSubscriptions: 4 } });
    const client = await stage.client("me");
    await (await client.subscribe("foo", dur)).close();
    await (await client.subscribe("foo", { ...dur, qGroup: "grp" })).close();
    await client.subscribe("foo", { qGroup: "grp" });
    const last = await client.subscribe("foo", { qGroup: "grp" });
    expect((await client.subscribe("foo")).error).toBe("too many subscriptions per channel");
    expect(channelOf(stage)?.subscriptionCount).toBe(4);
    expect((await client.subscribe("foo", dur)).error).toBe("");
    expect((await client.subscribe("foo", { ...dur, qGroup: "grp" })).error).toBe("");
    expect((await client.subscribe("foo", { ...dur, qGroup: "grp" })).error).toBe("too many subscriptions per channel");
    await last.unsubscribe();
    expect((await client.subscribe("foo")).error).toBe("");
    expect(channelOf(stage)?.subscriptionCount).toBe(4);
  });

  it("DLV-S18 counts an offline durable once, a resumed one not twice, an unsubscribed one not at all", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const counts = (): unknown => [channelOf(stage)?.subscriptionCount, stage.engine.inspection.subscriptionCount()];
    let durable = await client.subscribe("foo", dur);
    expect(counts()).toEqual([1, 1]);
    await durable.close();
    expect(counts()).toEqual([1, 1]);
    durable = await client.subscribe("foo", dur);
    expect(counts()).toEqual([1, 1]);
    await durable.unsubscribe();
    expect(counts()).toEqual([0, 0]);
  });
});
