import { describe, expect, it } from "vitest";
import type { Stage, TestSubscription } from "../test/harness.ts";
import { setPersistentStage } from "../test/persistent-stage.ts";

const group = { durableName: "dur", qGroup: "grp" };

const channelOf = (stage: Stage, name = "foo") => stage.engine.inspection.channel(name);

describe("queue groups after a restart", () => {
  it("DLV-Q5 do not go back when the member with the highest sequence had left", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo", { qGroup: "grp" }, { autoAck: true });
    await client.publish("foo");
    const second = await client.subscribe("foo", { qGroup: "grp" }, { autoAck: true });
    await client.publish("foo");
    expect([first.order, second.order]).toEqual(["1 2", ""]);
    await first.unsubscribe();
    stage = await stage.restart();
    const third = await client.subscribe("foo", { qGroup: "grp" }, { autoAck: true });
    await client.publish("foo");
    await client.publish("foo");
    expect([second.order, third.order]).toEqual(["3", "4"]);
  });

  it("DLV-Q9 keep a durable group's position; a member from another client continues and ends it", async () => {
    let stage = await setPersistentStage();
    const pub = await stage.client("pub");
    const first = await stage.client("first");
    await first.subscribe("foo", group, { autoAck: true });
    await pub.publish("foo");
    await first.close();
    await pub.publish("foo");
    stage = await stage.restart();
    const second = await stage.client("second");
    const member = await second.subscribe("foo", group, { autoAck: true });
    expect(member.order).toBe("2");
    await member.unsubscribe();
    stage = await stage.restart();
    expect(channelOf(stage)?.subscriptionCount).toBe(0);
    const renewed = await second.subscribe("foo", group);
    expect(renewed.order).toBe("1 2");
  });

  it("DLV-R12 and DLV-Q16 redeliver a durable group's pending message on rejoining, then the new one", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const pub = await stage.client("pub");
    await client.subscribe("foo", { ...group, ackWaitInSecs: 30 });
    await pub.publish("foo");
    await client.close();
    stage = await stage.restart();
    await pub.publish("foo");
    const again = await stage.client("me");
    const member = await again.subscribe("foo", { ...group, ackWaitInSecs: 30 });
    expect(member.order).toBe("1R1 2");
    await pub.publish("foo");
    expect(member.order).toBe("1R1 2 3");
  });

  it("DLV-Q10 forget a member that left; rejoining gives a group of one that gets the next message", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo", group, { autoAck: true });
    const second = await client.subscribe("foo", group, { autoAck: true });
    await client.publish("foo");
    await first.close();
    expect(stage.store.disk.recorded("foo")).toHaveLength(1);
    await second.close();
    expect(stage.store.disk.recorded("foo")).toMatchObject([
      { state: { clientId: "", qGroup: "dur:grp", lastSent: 1 } },
    ]);
    stage = await stage.restart();
    const third = await client.subscribe("foo", group, { autoAck: true });
    await client.publish("foo");
    expect(third.order).toBe("2");
    expect(channelOf(stage)?.subscriptions()).toMatchObject([{ isOffline: false, queueName: "dur:grp" }]);
  });

  it("DLV-Q11 use the highest position of several offline records, and lose nothing that any of them had pending", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const member = await client.subscribe("foo", group);
    for (let i = 0; i < 5; i++) await client.publish("foo");
    member.ack(1, 2, 3, 4);
    await member.close();
    await stage.stop();
    const channel = stage.store.disk.channels.get("foo");
    const [shadow] = stage.store.disk.recorded("foo");
    if (channel === undefined || shadow === undefined) throw new Error("nothing was recorded");
    const { state } = shadow;
    channel.rows.set(7, { state: { ...state, id: 7, lastSent: 3 }, pending: new Set([2]), redeliveries: new Map() });
    channel.rows.set(8, { state: { ...state, id: 8, lastSent: 4 }, pending: new Set(), redeliveries: new Map() });
    stage = await stage.start();
    expect(channelOf(stage)?.subscriptions()).toMatchObject([{ isOffline: true, lastSent: 5 }]);
    expect(stage.store.disk.recorded("foo")).toMatchObject([{ pending: [2, 5] }]);
    expect(stage.logger.lines.filter((line) => line.startsWith("WRN Several offline records"))).toHaveLength(2);
    await client.publish("foo");
    const rejoined = await client.subscribe("foo", group);
    expect(rejoined.order).toBe("2R1 5R1 6");
  });

  it("DLV-Q19 tolerate an offline record beside members, whose pending messages then are theirs", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const member = await client.subscribe("foo", group, { autoAck: true });
    for (let i = 0; i < 3; i++) await client.publish("foo");
    await stage.stop();
    const channel = stage.store.disk.channels.get("foo");
    const [record] = stage.store.disk.recorded("foo");
    if (channel === undefined || record === undefined) throw new Error("nothing was recorded");
    const shadow = { ...record.state, id: 9, clientId: "", lastSent: 3 };
    channel.rows.set(9, { state: shadow, pending: new Set([2]), redeliveries: new Map() });
    stage = await stage.start();
    await stage.pass(1100);
    expect(member.order).toBe("1 2 3 2R1");
    expect(stage.store.disk.recorded("foo")).toMatchObject([{ state: { clientId: "me" }, pending: [] }]);
  });

  it("DLV-Q19 have at most one record when a member joins as the last one closes", async () => {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo", group);
    stage.store.holding.add("flush");
    const closing = first.close();
    const second = client.subscribeLater("foo", group);
    await stage.clock.settle();
    stage.store.holding.delete("flush");
    while (stage.store.heldCount("flush") > 0) {
      stage.store.release("flush");
      await stage.clock.settle();
    }
    await closing;
    expect(second.error).toBe("");
    expect(stage.store.disk.recorded("foo")).toHaveLength(1);
  });

  it("DLV-Q13 know whether all members are stalled", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const member = await client.subscribe("foo", { qGroup: "grp", maxInFlight: 1, ackWaitInSecs: 30 });
    await client.publish("foo");
    await client.publish("foo");
    stage = await stage.restart();
    const { lookups } = stage.store;
    await client.publish("foo");
    expect(stage.store.lookups).toBe(lookups);
    const second = await client.subscribe("foo", { qGroup: "grp", maxInFlight: 2, ackWaitInSecs: 30 });
    expect([member.order, second.order]).toEqual(["1", "2 3"]);
  });

  it("DLV 11.2.4 stay on hold until all members had their pass, then deliver to any", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const members = [
      await client.subscribe("foo", { qGroup: "grp", ackWaitInSecs: 30 }),
      await client.subscribe("foo", { qGroup: "grp", ackWaitInSecs: 30 }),
    ];
    await client.publish("foo");
    await client.publish("foo");
    await stage.stop();
    await stage.pass(31_000);
    stage = await stage.start({
      prepare(store) {
        store.isCold = (_, sequence) => sequence === 2;
        store.holding.add("load");
      },
    });
    await client.publish("foo");
    expect(members.map(({ order }) => order)).toEqual(["1 1R1", "2"]);
    stage.store.holding.clear();
    stage.store.release("load");
    await stage.clock.settle();
    expect(members.map(({ order }) => order)).toEqual(["1 1R1 3", "2 2R1"]);
  });

  it.each(["unsubscribed", "joined by another"])(
    "DLV 11.2.4 are released though the group is %s while a member's pass is under way",
    async (what) => {
      let stage = await setPersistentStage();
      const client = await stage.client("me");
      const first = await client.subscribe("foo", { qGroup: "grp" }, { autoAck: true });
      await client.publish("foo");
      const second = await client.subscribe("foo", { qGroup: "grp" });
      await client.publish("foo");
      await client.publish("foo");
      await stage.stop();
      stage = await stage.start({
        prepare(store) {
          store.isCold = () => true;
          store.holding.add("load");
        },
      });
      stage.store.isCold = () => false;
      let third: TestSubscription | undefined;
      if (what === "unsubscribed") {
        expect(await second.unsubscribe()).toBe("");
      } else {
        stage.store.holding.add("flush");
        third = client.subscribeLater("foo", { qGroup: "grp" });
        await stage.clock.settle();
      }
      stage.store.release("load");
      await stage.clock.settle();
      if (third !== undefined) {
        stage.store.holding.clear();
        stage.store.release("flush");
        await stage.clock.settle();
      }
      for (let i = 0; i < 4; i++) await client.publish("foo");
      const all = [first, second, ...(third === undefined ? [] : [third])].flatMap(({ seen }) => seen);
      const fresh = all.filter(({ count }) => count === 0).map(({ sequence }) => sequence);
      expect(fresh.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    },
  );
});
