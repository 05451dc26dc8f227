import { StoreError } from "@nats-streaming/store";
import { describe, expect, it } from "vitest";
import type { Stage, TestClient } from "../test/harness.ts";
import { type PersistentStage, setPersistentStage } from "../test/persistent-stage.ts";

const full = new StoreError("write_failed", "no space left on device");
const text = "no space left on device";

const kinds = [
  ["plain", {}],
  ["durable", { durableName: "dur" }],
  ["queue", { qGroup: "grp" }],
  ["durable queue", { qGroup: "grp", durableName: "dur" }],
] as const;

const counts = (stage: Stage): unknown => [
  stage.engine.inspection.subscriptionCount(),
  stage.engine.inspection.client("me")?.subscriptionCount,
  stage.engine.inspection
    .channel("foo")
    ?.subscriptions()
    .map(({ isOffline }) => isOffline),
];

async function meOn(): Promise<{ stage: PersistentStage; client: TestClient }> {
  const stage = await setPersistentStage();
  return { stage, client: await stage.client("me") };
}

describe("a store that fails", () => {
  it.each(kinds)("DLV-S19 to record a %s subscription leaves all counts as they were", async (_, kind) => {
    const { stage, client } = await meOn();
    for (const operation of ["create", "flush"] as const) {
      stage.store.failing.set(operation, full);
      const refused = await client.subscribe("foo", kind);
      expect([refused.error, counts(stage)]).toEqual([text, [0, 0, []]]);
      stage.store.failing.clear();
      expect(stage.store.disk.recorded("foo")).toEqual([]);
      const accepted = await client.subscribe("foo", kind);
      expect([accepted.error, counts(stage)]).toEqual(["", [1, 1, [false]]]);
      expect(await accepted.unsubscribe()).toBe("");
    }
  });

  it("DLV-S19 to record a further member leaves the group as it was", async () => {
    const { stage, client } = await meOn();
    const first = await client.subscribe("foo", { qGroup: "grp" }, { autoAck: true });
    for (const operation of ["create", "flush"] as const) {
      stage.store.failing.set(operation, full);
      expect((await client.subscribe("foo", { qGroup: "grp" })).error).toBe(text);
      stage.store.failing.clear();
      expect(counts(stage)).toEqual([1, 1, [false]]);
      expect(stage.store.disk.recorded("foo")).toHaveLength(1);
    }
    for (let i = 0; i < 3; i++) await client.publish("foo");
    expect(first.order).toBe("1 2 3");
  });

  it("DLV-S19 to record a further member leaves to the group what that member had inherited meanwhile", async () => {
    const { stage, client } = await meOn();
    const kind = { qGroup: "grp", durableName: "dur", ackWaitInSecs: 30 };
    const first = await client.subscribe("foo", kind);
    await client.publish("foo");
    stage.store.holding.add("flush");
    const second = client.subscribeLater("foo", kind);
    const closing = first.close();
    await stage.clock.settle();
    stage.store.holding.clear();
    stage.store.refuse("flush", full);
    await closing;
    await stage.clock.settle();
    expect([second.error, counts(stage)]).toEqual([text, [1, 0, [true]]]);
    expect((await client.subscribe("foo", kind)).order).toBe("1R1");
  });

  it.each([kinds[1], kinds[3]])(
    "DLV-S20 DLV-X9 to record a resume leaves the offline %s in place, counted once, and as it was",
    async (_, kind) => {
      let { stage, client } = await meOn();
      const first = await client.subscribe("foo", { ...kind, ackWaitInSecs: 30 });
      await client.publish("foo");
      await first.close();
      expect(counts(stage)).toEqual([1, 0, [true]]);
      stage.store.failing.set("flush", full);
      const refused = await client.subscribe("foo", { ...kind, ackWaitInSecs: 5, maxInFlight: 7 });
      expect([refused.error, counts(stage)]).toEqual([text, [1, 0, [true]]]);
      stage.store.failing.clear();
      expect(await client.close()).toBe("");
      expect(counts(stage)).toEqual([1, undefined, [true]]);
      stage = await stage.restart();
      expect(counts(stage)).toEqual([1, undefined, [true]]);
      expect(stage.engine.inspection.channel("foo")?.subscriptions()).toMatchObject([
        { maxInFlight: 1024, ackWaitSeconds: 30, pendingCount: 1 },
      ]);
      client = await stage.client("me");
      expect((await client.subscribe("foo", kind)).order).toBe("1R1");
    },
  );

  it("DLV-X8 to record a close reports it to an unsubscribe, whose subscription is gone all the same", async () => {
    const { stage, client } = await meOn();
    for (const [, kind] of kinds) {
      const subscription = await client.subscribe("foo", kind);
      const remaining = await client.subscribe("foo", "durableName" in kind ? { qGroup: "x" } : kind);
      stage.store.failing.set("flush", full);
      expect(await subscription.unsubscribe()).toBe(text);
      stage.store.failing.clear();
      expect(stage.engine.inspection.subscriptionCount()).toBe(1);
      expect(await remaining.unsubscribe()).toBe("");
    }
    expect(stage.logger.lines).toContain(`ERR Unable to store: ${text}`);
  });

  it("PROTO 9.1.4 DLV-G1 to make a channel refuses publish and subscription, and leaves no half of it", async () => {
    const { stage, client } = await meOn();
    stage.store.failing.set("createChannel", full);
    expect(await client.publish("foo")).toBe(text);
    expect((await client.subscribe("foo")).error).toBe(text);
    expect(stage.logger.lines.filter((line) => line === `ERR Creating channel "foo" failed: ${text}`)).toHaveLength(2);
    expect(stage.engine.inspection.channelNames()).toEqual([]);
    stage.store.failing.clear();
    expect(await client.publish("FOO")).toBe("");
    expect(await client.publish("foo")).toContain("alreay exists");
  });

  it("DLV-G1 is not asked twice when two requests make the same channels at once", async () => {
    const { stage, client } = await meOn();
    stage.store.isAsync = true;
    const other = await stage.client("other");
    const subscriptions = [client, other].flatMap((one) =>
      Array.from({ length: 20 }, (_, i) => {
        one.publishQuietly(`c${i}`);
        return one.subscribeLater(`c${i}`);
      }),
    );
    await stage.clock.settle();
    expect(subscriptions.map(({ error }) => error)).toEqual(new Array(40).fill(""));
    expect(stage.engine.inspection.channelCount).toBe(20);
    expect(subscriptions.every(({ order }) => order === "1 2")).toBe(true);
  });

  it("PROTO 9.1.5 to take a message fails that publish only, and uses up no sequence", async () => {
    const { stage, client } = await meOn();
    const subscription = await client.subscribe("foo");
    expect(await client.publish("foo", "1")).toBe("");
    stage.store.failing.set("append", full);
    expect(await client.publish("foo", "lost")).toBe(text);
    expect(stage.logger.lines).toContain(
      `ERR [Client:me] Error processing message for subject "_STAN.pub.test-cluster.foo": ${text}`,
    );
    stage.store.failing.clear();
    expect(await client.publish("foo", "2")).toBe("");
    expect(subscription.seen.map(({ sequence, data }) => [sequence, data])).toEqual([
      [1, "1"],
      [2, "2"],
    ]);
  });

  it("DLV 3.2.4 DK2 to write a batch delivers and acknowledges nothing of it, and goes on without a gap", async () => {
    const { stage, client } = await meOn();
    const subscription = await client.subscribe("foo", { maxInFlight: 2, ackWaitInSecs: 30 });
    await client.publish("foo", "1");
    stage.store.holding.add("flush");
    const errors: string[] = [];
    client.publishLater("foo", "lost", (error) => errors.push(error));
    await stage.clock.settle();
    client.publishLater("foo", "lost, too", (error) => errors.push(error));
    subscription.ack(1);
    await stage.clock.settle();
    expect(subscription.order).toBe("1");
    stage.store.refuse("flush", full);
    await stage.clock.settle();
    expect(errors).toEqual([text, text]);
    stage.store.holding.clear();
    expect(await client.publish("foo", "2")).toBe("");
    expect(subscription.seen.map(({ sequence, data }) => [sequence, data])).toEqual([
      [1, "1"],
      [2, "2"],
    ]);
  });

  it("DLV-X11 to record what was sent lets the publish succeed that was flushed before", async () => {
    const { stage, client } = await meOn();
    const subscription = await client.subscribe("foo", { ackWaitInSecs: 30 });
    expect(await client.publish("foo", "1")).toBe("");
    expect(subscription.order).toBe("1");
    // The record of the delivery goes with the next flush: what that refuses are the publishes of its own batch.
    stage.store.failing.set("flush", full);
    expect(await client.publish("foo", "2")).toBe(text);
    stage.store.failing.clear();
    expect(await client.publish("foo", "3")).toBe("");
    expect(subscription.seen.map(({ data }) => data)).toEqual(["1", "3"]);
  });
});

describe("a message that could not be sent", () => {
  it("DLV 4.5 is not recorded as sent, so that it is delivered after a restart", async () => {
    let { stage, client } = await meOn();
    const pub = await stage.client("pub");
    const durable = await client.subscribe("foo", { durableName: "dur" }, { autoAck: true });
    const member = await client.subscribe("foo", { qGroup: "grp" }, { autoAck: true });
    await pub.publish("foo");
    pub.publishQuietly("foo");
    stage.serverBus.disconnect();
    await stage.clock.settle();
    expect([durable.order, member.order]).toEqual(["1", "1"]);
    stage = await stage.restart();
    expect([durable.order, member.order]).toEqual(["1 2", "1 2"]);
  });
});
