import { durationFromMillis } from "@nats-streaming/kernel";
import { describe, expect, it } from "vitest";
import type { Stage, TestSubscription } from "../test/harness.ts";
import { setPersistentStage } from "../test/persistent-stage.ts";

const dur = { durableName: "dur" };
const group = { durableName: "dur", qGroup: "grp" };

const channelOf = (stage: Stage, name = "foo") => stage.engine.inspection.channel(name);
const pendingOf = (stage: Stage): number[] =>
  (channelOf(stage)?.subscriptions() ?? []).map(({ pendingCount }) => pendingCount);
const since = (subscription: TestSubscription, index: number): string =>
  subscription.order.split(" ").slice(index).join(" ");

describe("after a restart", () => {
  it("DLV-T13 and DLV-T14 count the ack wait of pending messages from when they were stored", async () => {
    let stage = await setPersistentStage();
    const pub = await stage.client("pub");
    const sub = await stage.client("sub");
    const subscription = await sub.subscribe("foo", { ackWaitInSecs: 4 });
    await pub.publish("foo");
    await stage.pass(1000);
    await pub.publish("foo");
    await stage.pass(530);
    stage = await stage.restart();
    await stage.pass(10);
    await pub.publish("foo");
    await stage.pass(8100);
    expect(subscription.trace()).toBe("1@0.00 2@1.00 3@1.54 1R1@4.00 2R1@5.00 3R1@5.54 1R2@8.00 2R2@9.00 3R2@9.54");
    await stage.stop();
    await stage.pass(1900);
    subscription.seen.length = 0;
    stage = await stage.start();
    await stage.pass(4000);
    expect(subscription.trace()).toBe("1R1@11.54 2R1@11.54 3R1@11.54 1R2@15.54 2R2@15.54 3R2@15.54");
  });

  it("PROTO 11.6 DLV-S17 honour acks sent to the ack inboxes from before", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    await client.publish("foo");
    stage = await stage.restart();
    subscription.ack(1);
    await stage.pass(3000);
    expect(subscription.order).toBe("1");
    expect(pendingOf(stage)).toEqual([0]);
  });

  it("DLV-S11 finds no record of a plain subscription whose connection was closed", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    await client.subscribe("foo");
    expect(await client.close()).toBe("");
    expect(stage.store.disk.recorded("foo")).toEqual([]);
    stage = await stage.restart();
    expect(stage.engine.inspection.subscriptionCount()).toBe(0);
  });

  it("DLV-S12 and DK9 drop the record of a subscription whose client is not there, and keep its channel", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    await client.subscribe("foo");
    await client.subscribe("foo", { qGroup: "grp" });
    await client.publish("foo");
    await stage.stop();
    stage.store.disk.clients.delete("me");
    stage = await stage.start();
    expect(stage.engine.inspection.subscriptionCount()).toBe(0);
    expect(channelOf(stage)).toMatchObject({ messages: 1, subscriptionCount: 0 });
    expect(stage.store.disk.recorded("foo")).toEqual([]);
  });

  it("DLV-S18 counts an offline durable once, and not at all after it was unsubscribed", async () => {
    let stage = await setPersistentStage({ limits: { maxSubscriptions: 1 } });
    const count = (): unknown => [channelOf(stage)?.subscriptionCount, stage.engine.inspection.subscriptionCount()];
    let client = await stage.client("me");
    await client.subscribe("foo", dur);
    await client.close();
    expect(count()).toEqual([1, 1]);
    stage = await stage.restart();
    expect(count()).toEqual([1, 1]);
    client = await stage.client("me");
    expect((await client.subscribe("foo")).error).toBe("too many subscriptions per channel");
    const resumed = await client.subscribe("foo", dur);
    expect(resumed.error).toBe("");
    expect(count()).toEqual([1, 1]);
    await resumed.unsubscribe();
    expect(count()).toEqual([0, 0]);
    stage = await stage.restart();
    expect(count()).toEqual([0, 0]);
    expect((await client.subscribe("foo")).error).toBe("");
  });

  it.each([
    ["plain", {}],
    ["queue", { qGroup: "grp" }],
    ["durable", dur],
  ])("DLV-R6 redelivers to a stalled %s subscription without any new message", async (_, kind) => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { ...kind, maxInFlight: 1 });
    await client.publish("foo");
    await client.publish("foo");
    await stage.pass(1100);
    expect(subscription.order).toBe("1 1R1");
    stage = await stage.restart();
    await stage.pass(2000);
    expect(since(subscription, 2)).toBe("1R1 1R2 1R3");
  });

  it("DLV-R8 redelivers to each subscription what it has not acknowledged, once if it then acknowledges", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const kinds = [{}, dur, { qGroup: "grp" }, group];
    const subscriptions: TestSubscription[] = [];
    for (const kind of kinds) subscriptions.push(await client.subscribe("foo", { ...kind, ackWaitInSecs: 5 }));
    for (let i = 0; i < 4; i++) await client.publish("foo");
    for (const [i, subscription] of subscriptions.entries()) {
      for (let sequence = 1; sequence <= 4; sequence++) if (sequence !== i + 1) subscription.ack(sequence);
    }
    await stage.stop();
    await stage.pass(6000);
    for (const subscription of subscriptions) subscription.autoAck = true;
    stage = await stage.start();
    await stage.pass(20_000);
    expect(subscriptions.map((subscription) => since(subscription, 4))).toEqual(["1R1", "2R1", "3R1", "4R1"]);
    expect(pendingOf(stage)).toEqual([0, 0, 0, 0]);
  });

  it("DLV-R9 finds a message that moved to another queue member pending there", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo", { qGroup: "grp", ackWaitInSecs: 1 });
    await client.publish("foo");
    const second = await client.subscribe("foo", { qGroup: "grp", ackWaitInSecs: 30 });
    await stage.pass(1000);
    expect([first.order, second.order]).toEqual(["1", "1R1"]);
    stage = await stage.restart();
    await stage.pass(28_900);
    expect([first.order, second.order]).toEqual(["1", "1R1"]);
    expect(pendingOf(stage)).toEqual([0, 1]);
    await stage.pass(200);
    expect([first.order, second.order]).toEqual(["1 1R1", "1R1"]);
  });

  it("DLV-R10 does not deliver again what was acknowledged by the member that a message moved to", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo", { qGroup: "grp" });
    await client.publish("foo");
    const second = await client.subscribe("foo", { qGroup: "grp" });
    await stage.pass(1000);
    expect(second.order).toBe("1R1");
    second.ack(1);
    stage = await stage.restart();
    await stage.pass(5000);
    expect([first.order, second.order]).toEqual(["1", "1R1"]);
    expect(pendingOf(stage)).toEqual([0, 0]);
  });

  it("DLV-R16 gives a subscription without pending messages new ones at once", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { maxInFlight: 1 }, { autoAck: true });
    const members = await client.subscribe("foo", { qGroup: "grp", maxInFlight: 1 }, { autoAck: true });
    await client.publish("foo");
    stage = await stage.restart();
    expect(channelOf(stage)?.subscriptions()).toMatchObject([{ isStalled: false }, { isStalled: false }]);
    await client.publish("foo");
    expect([subscription.order, members.order]).toEqual(["1 2", "1 2"]);
  });

  it("DLV-R16 does so while others still wait for their pending messages to be read", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const slow = await client.subscribe("foo");
    await client.publish("foo");
    const quick = await client.subscribe("bar");
    await stage.stop();
    await stage.pass(1000);
    stage = await stage.start({
      prepare(store) {
        store.isCold = () => true;
        store.holding.add("load");
      },
    });
    stage.store.isCold = (channel) => channel === "foo";
    await client.publish("bar");
    expect([slow.order, quick.order]).toEqual(["1", "1"]);
    stage.store.holding.delete("load");
    stage.store.release("load");
    await stage.clock.settle();
    expect(slow.order).toBe("1 1R1");
  });

  it("DLV-R17 finds nothing pending after an ack for a message that had moved", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo", { qGroup: "grp" });
    await client.publish("foo");
    const second = await client.subscribe("foo", { qGroup: "grp" });
    await stage.pass(1000);
    expect(second.order).toBe("1R1");
    first.ack(1);
    expect(pendingOf(stage)).toEqual([0, 0]);
    stage = await stage.restart();
    expect(pendingOf(stage)).toEqual([0, 0]);
  });

  it("DLV-R20 and DK7 counts redeliveries from 1 again", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    await client.publish("foo");
    await stage.pass(3100);
    expect(subscription.order).toBe("1 1R1 1R2 1R3");
    stage = await stage.restart();
    await stage.pass(1100);
    expect(since(subscription, 4)).toBe("1R1 1R2");
  });

  it("DK5 redelivers at once what was stored longer ago than the ack wait, though it was sent just before", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    await client.publish("foo");
    await stage.pass(60_000);
    const subscription = await client.subscribe("foo", { ackWaitInSecs: 30 });
    await stage.pass(10);
    stage = await stage.restart();
    await stage.pass(1);
    expect(subscription.order).toBe("1 1R1");
  });

  it("DK6 lets new messages overtake pending ones that are not due", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { ackWaitInSecs: 10 });
    await client.publish("foo");
    stage = await stage.restart();
    await client.publish("foo");
    await stage.pass(10_000);
    expect(subscription.order).toBe("1 2 1R1 2R1");
  });

  it("DLV-V2 sends a stalled subscription its backlog as its client acknowledges", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { maxInFlight: 2, ackWaitInSecs: 30 });
    for (let i = 0; i < 6; i++) await client.publish("foo");
    expect(subscription.order).toBe("1 2");
    stage = await stage.restart();
    expect(channelOf(stage)?.subscriptions()).toMatchObject([{ isStalled: true, pendingCount: 2 }]);
    subscription.autoAck = true;
    subscription.ack(1, 2);
    await stage.pass(1);
    expect(subscription.order).toBe("1 2 3 4 5 6");
  });

  it("DLV-V4 keeps thousands of pending messages next to a durable with its own, through further load", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const plain = await client.subscribe("foo", { maxInFlight: 100_000, ackWaitInSecs: 60 });
    const durable = await client.subscribe("foo", { ...dur, maxInFlight: 10, ackWaitInSecs: 60 });
    for (let i = 0; i < 5000; i++) client.publishQuietly("foo");
    await stage.clock.settle();
    stage = await stage.restart();
    expect(pendingOf(stage)).toEqual([5000, 10]);
    for (let i = 0; i < 1000; i++) client.publishQuietly("foo");
    await stage.clock.settle();
    durable.autoAck = true;
    durable.ack(...durable.sequences);
    expect(durable.sequences).toEqual(Array.from({ length: 6000 }, (_, i) => i + 1));
    await stage.pass(60_000);
    plain.ack(...plain.sequences);
    expect(pendingOf(stage)).toEqual([0, 0]);
    expect(new Set(plain.sequences).size).toBe(6000);
  });

  it("drops from the pending set what limits have removed", async () => {
    let stage = await setPersistentStage({ limits: { maxMessages: 2 } });
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { ackWaitInSecs: 30, maxInFlight: 2 });
    for (let i = 0; i < 3; i++) await client.publish("foo");
    expect(subscription.order).toBe("1 2");
    stage = await stage.restart();
    expect(pendingOf(stage)).toEqual([2]);
    expect(subscription.order).toBe("1 2 3");
    expect(stage.store.disk.recorded("foo")).toMatchObject([{ pending: [2, 3] }]);
  });

  it("PROTO 10.3 starts at the next message when all have expired, whatever the position", async () => {
    let stage = await setPersistentStage({ limits: { maxAge: durationFromMillis(1000) } });
    const client = await stage.client("me");
    for (let i = 0; i < 3; i++) await client.publish("foo");
    await stage.pass(1500);
    stage = await stage.restart();
    expect(channelOf(stage)).toMatchObject({ firstSequence: 4, lastSequence: 3, messages: 0 });
    const subscriptions: TestSubscription[] = [];
    for (const startPosition of [0, 1, 2, 3, 4]) {
      subscriptions.push(
        await client.subscribe("foo", { startPosition, startSequence: 1n, startTimeDelta: 60_000_000_000n }),
      );
    }
    await client.publish("foo");
    expect(subscriptions.map(({ order }) => order)).toEqual(["4", "4", "4", "4", "4"]);
  });

  it("DLV-G18 still refuses a channel that differs in case, also one that a subscription made", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    await client.subscribe("Foo");
    expect(await client.publish("foo")).toContain("exists");
    stage = await stage.restart();
    expect(await client.publish("foo")).toContain("exists");
    expect((await client.subscribe("FOO")).error).toContain("exists");
    expect(await client.publish("Foo")).toBe("");
  });

  it("DLV-L15 counts the time without use from the start", async () => {
    let stage = await setPersistentStage({ limits: { maxInactivity: durationFromMillis(1000) } });
    const client = await stage.client("me");
    await client.publish("foo");
    const subscription = await client.subscribe("bar");
    await stage.pass(900);
    stage = await stage.restart();
    await stage.pass(990);
    expect(stage.engine.inspection.channelNames()).toEqual(["bar", "foo"]);
    await stage.pass(20);
    expect(stage.engine.inspection.channelNames()).toEqual(["bar"]);
    await subscription.unsubscribe();
    await stage.pass(1010);
    expect(stage.engine.inspection.channelNames()).toEqual([]);
  });
});

describe("clients after a restart", () => {
  it("DLV-C7 get their first heartbeat one interval after the start, and dead ones are removed", async () => {
    let stage = await setPersistentStage({ heartbeatIntervalMillis: 2000, heartbeatTimeoutMillis: 1000 });
    const alive = await stage.client("alive");
    const dead = await stage.client("dead");
    await stage.pass(1530);
    stage = await stage.restart({ heartbeatFailCount: 1 });
    dead.isAlive = false;
    await stage.pass(4100);
    expect(alive.heartbeats).toEqual([3530, 5530]);
    await stage.pass(1800);
    expect(stage.engine.inspection.clientIds()).toEqual(["alive", "dead"]);
    await stage.pass(200);
    expect(stage.engine.inspection.clientIds()).toEqual(["alive"]);
    expect(stage.store.disk.clients.has("dead")).toBe(false);
  });

  it("DLV-C10 and DLV-C11 keep protocol, connection ID and ping values; pings and publishes succeed", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me", { pingInterval: 7, pingMaxOut: 9, protocol: 1 });
    stage = await stage.restart();
    expect(await client.ping()).toBe("");
    expect(await client.publish("foo")).toBe("");
    const recovered = await stage.store.recover();
    expect(recovered?.clients).toEqual([
      {
        id: "me",
        hbInbox: client.heartbeatInbox,
        connId: client.connId,
        protocol: 1,
        pingInterval: 7,
        pingMaxOut: 9,
      },
    ]);
  });

  it("DLV-C11 PROTO 8.2.1 are unknown to a server whose store does not persist", async () => {
    const { setStage } = await import("../test/harness.ts");
    const stage = await setStage();
    const client = await stage.client("me");
    const closing = stage.engine.close();
    await stage.clock.settle();
    await closing;
    await setStage({ beside: stage });
    expect(await client.ping()).toBe("client has been replaced or is no longer registered");
  });
});
