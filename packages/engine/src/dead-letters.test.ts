import { describe, expect, it } from "vitest";
import { type StageOptions, setStage } from "../test/harness.ts";
import { setPersistentStage } from "../test/persistent-stage.ts";

const capped = (maxRedeliveries: number, deadLetter = "dead"): Pick<StageOptions, "redeliveryRule"> => ({
  redeliveryRule: (channel) => (channel.startsWith("foo") ? { maxRedeliveries, deadLetter } : undefined),
});

describe("a channel with max_redeliveries", () => {
  it("moves a message to the dead-letter channel instead of redelivering it once too often", async () => {
    const stage = await setStage(capped(2));
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    await client.publish("foo", "poison");
    await stage.pass(2900);
    expect(subscription.order).toBe("1 1R1 1R2");
    await stage.pass(5000);
    expect(subscription.order).toBe("1 1R1 1R2");
    const dead = await client.subscribe("dead");
    expect(dead.seen.map(({ data, count }) => `${data} ${count}`)).toEqual(["poison 0"]);
    expect(stage.logger.lines).toContain(
      'WRN [Client:me] Message subject=foo, seq=1 moved to dead-letter channel "dead" after 2 redeliveries',
    );
    expect(stage.engine.inspection.channel("foo")?.subscriptions()[0]?.pendingCount).toBe(0);
  });

  it("makes room for a stalled subscription by that", async () => {
    const stage = await setStage(capped(1));
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { maxInFlight: 1 });
    await client.publish("foo", "poison");
    await client.publish("foo", "fine");
    await stage.pass(1500);
    expect(subscription.order).toBe("1 1R1");
    await stage.pass(600);
    expect(subscription.order).toBe("1 1R1 2");
  });

  it("counts over all members of a queue group", async () => {
    const stage = await setStage(capped(2));
    const client = await stage.client("me");
    const members = [await client.subscribe("foo", { qGroup: "g" }), await client.subscribe("foo", { qGroup: "g" })];
    await client.publish("foo", "poison");
    await stage.pass(5000);
    const sends = members.flatMap(({ seen }) => seen.map(({ count }) => count)).sort();
    expect(sends).toEqual([0, 1, 2]);
    expect((await client.subscribe("dead")).sequences).toEqual([1]);
  });

  it("leaves other channels and acknowledged messages alone", async () => {
    const stage = await setStage(capped(1));
    const client = await stage.client("me");
    const other = await client.subscribe("bar");
    await client.subscribe("foo", {}, { autoAck: true });
    await client.publish("bar");
    await client.publish("foo");
    await stage.pass(4100);
    expect(other.order).toBe("1 1R1 1R2 1R3 1R4");
    expect(stage.engine.inspection.channel("dead")).toBeUndefined();
  });

  it("keeps a message that the dead-letter channel cannot take, and moves it once it can", async () => {
    const stage = await setStage({ ...capped(1), limits: { maxChannels: 1 } });
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    await client.publish("foo", "poison");
    await stage.pass(4500);
    expect(subscription.order).toBe("1 1R1");
    expect(stage.logger.lines).toContain(
      'ERR [Client:me] Unable to move message subject=foo, seq=1 to dead-letter channel "dead": too many channels',
    );
    expect(stage.engine.inspection.channel("foo")?.subscriptions()[0]?.pendingCount).toBe(1);
    stage.store.setLimits({ ...stage.store.limits, maxChannels: 2 });
    await stage.pass(1000);
    expect((await client.subscribe("dead")).sequences).toEqual([1]);
    expect(stage.engine.inspection.channel("foo")?.subscriptions()[0]?.pendingCount).toBe(0);
  });

  it("moves a message once, though a resume, a timer and a close come together", async () => {
    const stage = await setStage(capped(1));
    const client = await stage.client("me");
    const first = await client.subscribe("foo", { durableName: "dur" });
    await client.publish("foo", "poison");
    await stage.pass(1000);
    await first.close();
    await client.subscribe("foo", { durableName: "dur" });
    await stage.pass(3000);
    expect((await client.subscribe("dead")).sequences).toEqual([1]);
  });
});

describe("a channel with max_redeliveries on a store that persists", () => {
  it.each([{}, { qGroup: "g" }, { durableName: "dur" }])(
    "goes on counting after a restart, for %o",
    async (request) => {
      const stage = await setPersistentStage(capped(3));
      const client = await stage.client("me");
      const subscription = await client.subscribe("foo", request);
      await client.publish("foo", "poison");
      await stage.pass(2100);
      expect(subscription.order).toBe("1 1R1 1R2");
      const next = await stage.restart();
      await next.pass(10_000);
      expect(subscription.order).toBe("1 1R1 1R2 1R3");
      expect((await client.subscribe("dead")).sequences).toEqual([1]);
    },
  );

  it("counts anew after a restart where no rule ends redelivering", async () => {
    const stage = await setPersistentStage(capped(3));
    const client = await stage.client("me");
    const subscription = await client.subscribe("bar");
    await client.publish("bar");
    await stage.pass(2100);
    const next = await stage.restart();
    await next.pass(500);
    expect(subscription.order).toBe("1 1R1 1R2 1R1");
  });
});

describe("honour_max_in_flight_on_resume", () => {
  it("sends a durable that resumes no more than its max in flight, and the rest as acks make room", async () => {
    const stage = await setStage({ honourMaxInFlightOnResume: true });
    const client = await stage.client("me");
    const before = await client.subscribe("foo", { durableName: "dur", ackWaitInSecs: 30 });
    for (let i = 0; i < 5; i++) await client.publish("foo");
    await before.close();
    const after = await client.subscribe("foo", { durableName: "dur", ackWaitInSecs: 30, maxInFlight: 2 });
    expect(after.order).toBe("1R1 2R1");
    after.ack(2);
    await stage.clock.settle();
    expect(after.order).toBe("1R1 2R1 3R1");
    await client.publish("foo");
    after.ack(1, 3);
    await stage.clock.settle();
    expect(after.order).toBe("1R1 2R1 3R1 4R1 5R1");
    after.ack(4, 5);
    await stage.clock.settle();
    expect(after.order).toBe("1R1 2R1 3R1 4R1 5R1 6");
  });

  it("redelivers what is in flight on its cadence meanwhile, and nothing that is held back", async () => {
    const stage = await setStage({ honourMaxInFlightOnResume: true });
    const client = await stage.client("me");
    const before = await client.subscribe("foo", { durableName: "dur", ackWaitInSecs: 30 });
    for (let i = 0; i < 3; i++) await client.publish("foo");
    await before.close();
    const after = await client.subscribe("foo", { durableName: "dur", maxInFlight: 1 });
    await stage.pass(2500);
    expect(after.order).toBe("1R1 1R2 1R3");
    after.ack(3);
    await stage.clock.settle();
    expect(after.order).toBe("1R1 1R2 1R3");
    after.ack(1);
    await stage.clock.settle();
    expect(after.order).toBe("1R1 1R2 1R3 2R1");
    after.ack(2);
    await stage.pass(5000);
    expect(after.order).toBe("1R1 1R2 1R3 2R1");
  });

  it("is off by default: everything pending comes at once", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const before = await client.subscribe("foo", { durableName: "dur", ackWaitInSecs: 30 });
    for (let i = 0; i < 5; i++) await client.publish("foo");
    await before.close();
    const after = await client.subscribe("foo", { durableName: "dur", ackWaitInSecs: 30, maxInFlight: 1 });
    expect(after.order).toBe("1R1 2R1 3R1 4R1 5R1");
  });
});
