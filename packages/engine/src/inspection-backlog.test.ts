import { describe, expect, it } from "vitest";
import { setStage } from "../test/harness.ts";
import { setPersistentStage } from "../test/persistent-stage.ts";
import type { InspectedBacklog } from "./inspection-backlog.ts";

const backlogsOf = (stage: Awaited<ReturnType<typeof setStage>>, channel: string) =>
  stage.engine.inspection.channel(channel)?.backlogs() ?? [];

describe("backlogs of a channel", () => {
  it("counts what is not acknowledged, sent or not, and when the oldest of it was stored", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { durableName: "dur", maxInFlight: 2, ackWaitInSecs: 30 });
    const stored = stage.clock.monotonicMillis();
    for (let i = 0; i < 5; i++) await client.publish("foo", "12345");
    await stage.pass(1_000);
    const [backlog] = backlogsOf(stage, "foo");
    const channel = stage.engine.inspection.channel("foo");
    expect(backlog).toMatchObject({
      kind: "durable",
      name: "dur",
      clientId: "me",
      isDurable: true,
      isOffline: false,
      members: 1,
      lastSent: 2,
      pendingCount: 2,
      lagMessages: 5,
      lagBytes: channel?.bytes,
      oldestSequence: 1,
      stalledCount: 1,
      redelivering: 0,
    });
    expect(backlog?.oldestMillis).toBeTypeOf("number");
    expect(backlog?.stalledMillis).toBe(stage.clock.monotonicMillis() - stored);

    await subscription.ack(1);
    expect(backlogsOf(stage, "foo")).toMatchObject([
      { lastSent: 3, pendingCount: 2, lagMessages: 4, oldestSequence: 2, stalledMillis: 0 },
    ]);
  });

  it("keeps the time of a stall through redeliveries", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    await client.subscribe("foo", { maxInFlight: 1, ackWaitInSecs: 1 });
    await client.publish("foo");
    await stage.pass(3_500);
    expect(backlogsOf(stage, "foo")).toMatchObject([
      { kind: "plain", name: "", stalledCount: 1, stalledMillis: 3_500, redelivering: 1 },
    ]);
  });

  it("shows an offline durable, whose lag grows, and one without any lag", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { durableName: "dur" });
    expect(backlogsOf(stage, "foo")).toMatchObject([
      { lagMessages: 0, lagBytes: 0, oldestSequence: 0, oldestMillis: undefined },
    ]);
    await subscription.close();
    for (let i = 0; i < 3; i++) await client.publish("foo");
    expect(backlogsOf(stage, "foo")).toMatchObject([
      { isOffline: true, members: 0, lagMessages: 3, pendingCount: 0, oldestSequence: 1, stalledCount: 0 },
    ]);
  });

  it("shows a queue group as one, with its members and the pending messages of all of them", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const group = { qGroup: "grp", durableName: "dur", maxInFlight: 1, ackWaitInSecs: 30 };
    const members = [await client.subscribe("foo", group), await client.subscribe("foo", group)];
    for (let i = 0; i < 5; i++) await client.publish("foo");
    expect(backlogsOf(stage, "foo")).toMatchObject([
      {
        kind: "group",
        name: "dur:grp",
        clientId: "",
        isDurable: true,
        isOffline: false,
        members: 2,
        lastSent: 2,
        pendingCount: 2,
        lagMessages: 5,
        oldestSequence: 1,
        stalledCount: 2,
      },
    ]);
    for (const member of members) await member.close();
    expect(backlogsOf(stage, "foo")).toMatchObject([{ isOffline: true, members: 0, lagMessages: 5 }]);
  });

  it("learns when the oldest message was stored from the disk, once", async () => {
    const stage = await setPersistentStage();
    stage.store.isCold = () => true;
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { durableName: "dur" });
    await subscription.close();
    await client.publish("foo");
    const backlog = (): InspectedBacklog | undefined => stage.engine.inspection.channel("foo")?.backlogs()[0];
    expect(backlog()).toMatchObject({ oldestSequence: 1, oldestMillis: undefined });
    await backlog()?.load?.();
    expect(backlog()?.oldestMillis).toBeTypeOf("number");
    expect(backlog()).not.toHaveProperty("load");
  });
});
