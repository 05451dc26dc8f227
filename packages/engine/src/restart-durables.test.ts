import { describe, expect, it } from "vitest";
import type { Stage } from "../test/harness.ts";
import { setPersistentStage } from "../test/persistent-stage.ts";

const dur = { durableName: "dur" };
const group = { durableName: "dur", qGroup: "grp" };

const channelOf = (stage: Stage, name = "foo") => stage.engine.inspection.channel(name);

describe("durables after a restart", () => {
  it("DLV-D3 are refused a second time while active and resumed any number of times", async () => {
    let stage = await setPersistentStage();
    let client = await stage.client("me");
    await client.subscribe("foo", dur);
    stage = await stage.restart();
    expect((await client.subscribe("foo", dur)).error).toBe("stan: duplicate durable registration");
    for (let round = 0; round < 3; round++) {
      await client.close();
      stage = await stage.restart();
      client = await stage.client("me");
      expect((await client.subscribe("foo", dur)).error).toBe("");
      expect(channelOf(stage)?.subscriptionCount).toBe(1);
    }
  });

  it("DLV-D6 go on receiving without anything done by the client", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const durable = await client.subscribe("foo", dur, { autoAck: true });
    const member = await client.subscribe("foo", group, { autoAck: true });
    await client.publish("foo");
    stage = await stage.restart();
    await client.publish("foo");
    expect([durable.order, member.order]).toEqual(["1 2", "1 2"]);
  });

  it.each(["connection closed", "subscription closed"])(
    "DLV-D7 get nothing while offline, neither redeliveries nor new messages (%s)",
    async (how) => {
      let stage = await setPersistentStage();
      const client = await stage.client("me");
      const pub = await stage.client("pub");
      const durable = await client.subscribe("foo", dur);
      const member = await client.subscribe("foo", group);
      await pub.publish("foo");
      if (how === "connection closed") await client.close();
      else for (const subscription of [durable, member]) expect(await subscription.close()).toBe("");
      stage = await stage.restart();
      await pub.publish("foo");
      await stage.pass(5000);
      expect([durable.order, member.order]).toEqual(["1", "1"]);
      expect(channelOf(stage)?.subscriptions()).toMatchObject([{ isOffline: true }, { isOffline: true }]);
    },
  );

  it("DLV-D10 stay closed though their connection is still open, which can resume them", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const before = await client.subscribe("foo", dur);
    await before.close();
    stage = await stage.restart();
    expect(channelOf(stage)?.subscriptions()).toMatchObject([{ isOffline: true, clientId: "me" }]);
    expect(await before.close()).toBe("stan: invalid subscription");
    const after = await client.subscribe("foo", dur);
    await client.publish("foo");
    expect([before.order, after.order]).toEqual(["", "1"]);
  });

  it("DLV-D7 do not come back to life under a later registration of a client that was lost with its closed mark", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const before = await client.subscribe("foo", dur);
    await stage.stop();
    stage.store.disk.clients.delete("me");
    stage = await stage.start();
    expect(channelOf(stage)?.subscriptions()).toMatchObject([{ isOffline: true }]);
    const again = await stage.client("me");
    stage = await stage.restart();
    await again.publish("foo");
    expect(before.order).toBe("");
    expect(channelOf(stage)?.subscriptions()).toMatchObject([{ isOffline: true }]);
  });

  it("DK13 are active after a kill right behind the response to their resume", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    for (const kind of [dur, group]) await (await client.subscribe("foo", kind)).close();
    const durable = await client.subscribe("foo", dur);
    const member = await client.subscribe("foo", group);
    await stage.kill();
    stage = await stage.start();
    await client.publish("foo");
    expect([durable.order, member.order]).toEqual(["1", "1"]);
    expect([await durable.close(), await member.close()]).toEqual(["", ""]);
  });

  it("DK13 wait with the response until the record of the resume is flushed", async () => {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    await (await client.subscribe("foo", dur)).close();
    stage.store.holding.add("flush");
    const resumed = client.subscribeLater("foo", dur);
    await stage.clock.settle();
    expect(resumed.error).toBe("no answer");
    stage.store.release("flush");
    await stage.clock.settle();
    expect(resumed.error).toBe("");
  });

  it("DLV-R5 redeliver once, to the client that resumes, what it had not acknowledged", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const before = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    await client.publish("foo");
    await client.close();
    stage = await stage.restart();
    const again = await stage.client("me");
    const after = await again.subscribe("foo", { ...dur, ackWaitInSecs: 30 }, { autoAck: true });
    await stage.pass(60_000);
    expect([before.order, after.order]).toEqual(["1", "1R1"]);
  });
});
