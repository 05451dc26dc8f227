import { describe, expect, it } from "vitest";
import { setStage } from "../test/harness.ts";
import { COUNTED_PER_STEP } from "./inspection.ts";

describe("inspection", () => {
  it("DLV-G2 shows one channel and all of them; an unknown one is none", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    expect(stage.engine.inspection.totals()).toEqual({ messages: 0, bytes: 0 });
    for (const name of ["foo", "bar", "foo"]) await client.publish(name, "12345");
    const { inspection } = stage.engine;
    const foo = inspection.channel("foo");
    const bar = inspection.channel("bar");
    expect(foo).toMatchObject({ name: "foo", messages: 2, firstSequence: 1, lastSequence: 2, subscriptionCount: 0 });
    expect(inspection.totals()).toEqual({ messages: 3, bytes: (foo?.bytes ?? 0) + (bar?.bytes ?? 0) });
    expect(inspection.channelNames()).toEqual(["bar", "foo"]);
    expect(inspection.channel("nope")).toBeUndefined();
    expect(inspection.client("nope")).toBeUndefined();
    expect(inspection.channelNames()).toBe(inspection.channelNames());
  });

  it("shows each subscription as it stands", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { qGroup: "grp", durableName: "dur", maxInFlight: 1 });
    for (let i = 0; i < 2; i++) await client.publish("foo");
    const shown = {
      channel: "foo",
      clientId: "me",
      inbox: subscription.inbox,
      ackInbox: subscription.ackInbox,
      durableName: "",
      queueName: "dur:grp",
      isDurable: true,
      isOffline: false,
      maxInFlight: 1,
      ackWaitSeconds: 1,
      lastSent: 1,
      pendingCount: 1,
      isStalled: true,
    };
    expect(stage.engine.inspection.channel("foo")?.subscriptions()).toEqual([shown]);
    expect(stage.engine.inspection.client("me")?.subscriptions()).toEqual([shown]);
    await subscription.close();
    expect(stage.engine.inspection.channel("foo")?.subscriptions()).toMatchObject([{ isOffline: true, lastSent: 1 }]);
    expect(stage.engine.inspection.client("me")?.subscriptions()).toEqual([]);
  });

  it("counts all channels in steps, the same as at once", async () => {
    const stage = await setStage({ limits: { maxChannels: 0 } });
    const client = await stage.client("me");
    const channels = 2 * COUNTED_PER_STEP + 10;
    for (let i = 0; i < channels; i++) await client.publish(`c${i}`, "x");
    await client.subscribe("c1", { durableName: "dur" });
    await client.subscribe("c2");
    const { inspection } = stage.engine;
    const steps = inspection.counting();
    expect(steps.next()).toEqual({ done: false, value: undefined });
    expect(steps.next()).toEqual({ done: false, value: undefined });
    expect(steps.next()).toEqual({
      done: true,
      value: { subscriptions: 2, ...inspection.totals() },
    });
    expect(inspection.subscriptionCount()).toBe(2);
  });

  it("shows subscriptions one by one as well, though some go meanwhile", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    await client.subscribe("foo");
    const second = await client.subscribe("foo");
    const { inspection } = stage.engine;
    expect([...inspection.client("me")!.eachSubscription()]).toEqual(inspection.client("me")?.subscriptions());
    expect([...inspection.channel("foo")!.eachSubscription()]).toEqual(inspection.channel("foo")?.subscriptions());
    const each = inspection.client("me")!.eachSubscription();
    expect(each.next().done).toBe(false);
    await second.close();
    expect(each.next().done).toBe(true);
  });
});
