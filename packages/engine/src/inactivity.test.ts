import { durationFromMillis, durationNanos } from "@nats-streaming/kernel";
import { StoreError } from "@nats-streaming/store";
import { describe, expect, it } from "vitest";
import { channelLimits, type Stage, setStage } from "../test/harness.ts";
import { setPersistentStage } from "../test/persistent-stage.ts";

const limits = { maxInactivity: durationFromMillis(1000) };
const names = (stage: Stage): readonly string[] => stage.engine.inspection.channelNames();

const kinds = [
  ["plain", {}],
  ["durable", { durableName: "dur" }],
  ["queue", { qGroup: "grp" }],
  ["durable queue", { qGroup: "grp", durableName: "dur" }],
] as const;

describe("a channel that nobody uses", () => {
  it.each(kinds)("DLV-L11 is kept by a %s subscription and deleted a period after its end", async (_, kind) => {
    const stage = await setStage({ limits });
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", kind);
    await stage.pass(10_000);
    expect(names(stage)).toEqual(["foo"]);
    await subscription.unsubscribe();
    await stage.pass(999);
    expect(names(stage)).toEqual(["foo"]);
    await stage.pass(2);
    expect(names(stage)).toEqual([]);
    expect(stage.logger.lines).toContain('INF Channel "foo" has been deleted');
  });

  it("DLV-L12 is kept by publishes, the last of which extends its life by a whole period", async () => {
    const stage = await setStage({ limits });
    const client = await stage.client("me");
    for (let i = 0; i < 10; i++) {
      await client.publish("foo");
      await stage.pass(700);
    }
    expect(names(stage)).toEqual(["foo"]);
    await stage.pass(290);
    expect(names(stage)).toEqual(["foo"]);
    await stage.pass(20);
    expect(names(stage)).toEqual([]);
  });

  it("DLV-L13 is not kept by offline durables and groups, which are forgotten along with it", async () => {
    const stage = await setStage({ limits });
    const client = await stage.client("me");
    const pub = await stage.client("pub");
    for (const kind of [kinds[1][1], kinds[3][1]]) await client.subscribe("foo", kind, { autoAck: true });
    await pub.publish("foo");
    await client.close();
    await stage.pass(1010);
    expect([names(stage), stage.engine.inspection.subscriptionCount()]).toEqual([[], 0]);
    const again = await stage.client("me");
    await pub.publish("foo");
    for (const kind of [kinds[1][1], kinds[3][1]]) {
      expect((await again.subscribe("foo", kind)).order).toBe("1");
    }
  });

  it("DLV-L14 has the period of its own entry or pattern, or none, independently of others", async () => {
    const never = { ...channelLimits({}), maxInactivity: durationNanos(-1n) };
    const stage = await setStage({
      limits: {
        ...limits,
        channels: new Map([
          ["slow.*", channelLimits({ maxInactivity: durationFromMillis(2000) })],
          ["slow.never", never],
          ["quick", channelLimits({ maxInactivity: durationFromMillis(300) })],
        ]),
      },
    });
    const client = await stage.client("me");
    for (const name of ["slow.a", "slow.b", "slow.never", "quick", "other"]) await client.publish(name);
    await stage.pass(310);
    expect(names(stage)).toEqual(["other", "slow.a", "slow.b", "slow.never"]);
    await client.publish("slow.b");
    await stage.pass(700);
    expect(names(stage)).toEqual(["slow.a", "slow.b", "slow.never"]);
    await stage.pass(1000);
    expect(names(stage)).toEqual(["slow.b", "slow.never"]);
    await stage.pass(60_000);
    expect(names(stage)).toEqual(["slow.never"]);
  });

  it.each(["closes", "stops answering heartbeats"])("DLV-L17 is deleted after its only client %s", async (how) => {
    const stage = await setStage({
      limits,
      heartbeatIntervalMillis: 500,
      heartbeatTimeoutMillis: 100,
      heartbeatFailCount: 0,
    });
    const client = await stage.client("me");
    for (const [i, [, kind]] of kinds.entries()) await client.subscribe(`foo${i}`, kind);
    if (how === "closes") await client.close();
    else client.crash();
    await stage.pass(500);
    expect(names(stage)).toHaveLength(4);
    await stage.pass(1010);
    expect(names(stage)).toEqual([]);
  });

  it("DLV 13.2 is deleted a period after a subscription to it has failed", async () => {
    const stage = await setStage({ limits });
    const client = await stage.client("me");
    await stage.pass(500);
    expect((await client.subscribe("foo", { durableName: "a:b", qGroup: "g" })).error).not.toBe("");
    await stage.pass(900);
    expect((await client.subscribe("foo", { durableName: "a:b", qGroup: "g" })).error).not.toBe("");
    await stage.pass(900);
    expect(names(stage)).toEqual(["foo"]);
    await stage.pass(110);
    expect(names(stage)).toEqual([]);
  });

  it("DLV 2.3 starts over at 1 in any case of letters when it is used again", async () => {
    const stage = await setStage({ limits });
    const client = await stage.client("me");
    for (let i = 0; i < 3; i++) await client.publish("foo");
    await stage.pass(1010);
    expect(await client.publish("FOO")).toBe("");
    expect(stage.engine.inspection.channel("FOO")).toMatchObject({ firstSequence: 1, lastSequence: 1 });
  });

  it("DLV 13.3 is kept by its durable's acks no more than by anything else that is not a message", async () => {
    const stage = await setStage({ limits });
    const client = await stage.client("me");
    const durable = await client.subscribe("foo", { durableName: "dur" });
    await client.publish("foo");
    await durable.close();
    await stage.pass(900);
    durable.ack(1);
    await client.ping();
    await stage.pass(110);
    expect(names(stage)).toEqual([]);
  });
});

describe("the deletion of a channel", () => {
  it("PROTO-E22 DLV-X12 refuses publishes and subscriptions while it runs", async () => {
    const stage = await setPersistentStage({ limits });
    const client = await stage.client("me");
    await client.publish("foo");
    stage.store.holding.add("deleteChannel");
    await stage.pass(1010);
    expect(await client.publish("foo")).toBe("stan: channel is being deleted");
    expect((await client.subscribe("foo")).error).toBe("stan: channel is being deleted");
    expect(await client.publish("FOO")).toContain("alreay exists");
    stage.store.holding.clear();
    stage.store.release("deleteChannel");
    await stage.clock.settle();
    expect(names(stage)).toEqual([]);
    expect(await client.publish("foo")).toBe("");
    expect(stage.engine.inspection.channel("foo")).toMatchObject({ lastSequence: 1 });
  });

  it("DLV-X12 leaves the channel usable when it fails, and is tried again a period later", async () => {
    const stage = await setPersistentStage({ limits });
    const client = await stage.client("me");
    await client.publish("foo");
    stage.store.failing.set("deleteChannel", new StoreError("write_failed", "device busy"));
    await stage.pass(1010);
    expect(stage.logger.lines.filter((line) => line.startsWith("ERR"))).toEqual([
      'ERR Unable to delete channel "foo": device busy',
    ]);
    expect(await client.publish("foo")).toBe("");
    const subscription = await client.subscribe("foo");
    expect(subscription.order).toBe("1 2");
    await subscription.unsubscribe();
    stage.store.failing.clear();
    await stage.pass(1010);
    expect(names(stage)).toEqual([]);
  });

  it("DLV 13.4 comes after everything that was published before, and loses nothing that was acknowledged", async () => {
    const stage = await setPersistentStage({ limits });
    const client = await stage.client("me");
    await client.publish("foo");
    stage.store.holding.add("flush");
    await stage.pass(900);
    const acks: string[] = [];
    client.publishLater("other", "keeps a flush under way", (error) => acks.push(`other${error}`));
    await stage.clock.settle();
    // The timer fires while that flush runs; its decision waits for the next one, behind which a message gathers.
    await stage.pass(150);
    stage.store.release("flush");
    await stage.clock.settle();
    client.publishLater("foo", "kept", (error) => acks.push(`foo${error}`));
    await stage.clock.settle();
    while (stage.store.heldCount("flush") > 0) {
      stage.store.release("flush");
      await stage.clock.settle();
    }
    expect(acks).toEqual(["other", "foo"]);
    expect(stage.engine.inspection.channel("foo")).toMatchObject({ lastSequence: 2 });
    stage.store.holding.clear();
    await stage.pass(2000);
    expect(names(stage)).toEqual([]);
  });

  it("DLV-L16 is prevented by a subscription made after the timer fired; then the timer is off until its end", async () => {
    const stage = await setPersistentStage({ limits });
    const client = await stage.client("me");
    await client.publish("foo");
    stage.store.holding.add("flush");
    await stage.pass(900);
    client.publishQuietly("other");
    await stage.pass(150);
    const subscription = client.subscribeLater("foo");
    await stage.clock.settle();
    stage.store.holding.clear();
    while (stage.store.heldCount("flush") > 0) {
      stage.store.release("flush");
      await stage.clock.settle();
    }
    expect([subscription.error, subscription.order]).toEqual(["", "1"]);
    await stage.pass(10_000);
    expect(names(stage)).toEqual(["foo"]);
    await subscription.unsubscribe();
    await stage.pass(1010);
    expect(names(stage)).toEqual([]);
  });

  it("DLV-L16 waits a whole period again when that subscription has ended, too", async () => {
    const stage = await setPersistentStage({ limits });
    const client = await stage.client("me");
    await client.publish("foo");
    await client.subscribe("other");
    stage.store.holding.add("flush");
    await stage.pass(900);
    // Keeps a flush under way while the timer fires.
    client.publishQuietly("other");
    await stage.pass(150);
    const subscription = client.subscribeLater("foo");
    subscription.ackInbox = subscription.inbox;
    const ended = subscription.unsubscribe();
    await stage.clock.settle();
    stage.store.holding.clear();
    while (stage.store.heldCount("flush") > 0) {
      stage.store.release("flush");
      await stage.clock.settle();
    }
    await ended;
    await stage.pass(900);
    expect(names(stage)).toEqual(["foo", "other"]);
    await stage.pass(110);
    expect(names(stage)).toEqual(["other"]);
  });
});
