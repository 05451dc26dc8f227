import { durationFromMillis } from "@nats-streaming/kernel";
import { describe, expect, it } from "vitest";
import { type Stage, setStage, type TestClient } from "../test/harness.ts";

/** The measured traces of delivery.md 16, in the notation used there. */
describe("measured traces", () => {
  const two = async (stage: Stage): Promise<[TestClient, TestClient]> => [
    await stage.client("pub"),
    await stage.client("sub"),
  ];

  it("DLV-T1 redelivers each message on its own cadence", async () => {
    const stage = await setStage();
    const [pub, sub] = await two(stage);
    const subscription = await sub.subscribe("foo");
    await pub.publish("foo");
    await stage.pass(400);
    await pub.publish("foo");
    await stage.pass(3100);
    expect(subscription.trace()).toBe("1@0.00 2@0.40 1R1@1.00 2R1@1.40 1R2@2.00 2R2@2.40 1R3@3.00 2R3@3.40");
  });

  it("DLV-T2 does not redeliver what was acknowledged though the timer was armed for it", async () => {
    const stage = await setStage();
    const [pub, sub] = await two(stage);
    const subscription = await sub.subscribe("foo");
    await pub.publish("foo");
    await stage.pass(200);
    subscription.ack(1);
    await stage.pass(210);
    await pub.publish("foo");
    await stage.pass(2500);
    expect(subscription.trace()).toBe("1@0.00 2@0.41 2R1@1.41 2R2@2.41");
  });

  it("DLV-T3 redelivers together what is due within 15 ms", async () => {
    const stage = await setStage();
    const [pub, sub] = await two(stage);
    const subscription = await sub.subscribe("foo");
    await pub.publish("foo");
    await stage.pass(10);
    await pub.publish("foo");
    await stage.pass(50);
    await pub.publish("foo");
    await stage.pass(1100);
    expect(subscription.trace()).toBe("1@0.00 2@0.01 3@0.06 1R1@1.00 2R1@1.00 3R1@1.06");
  });

  it("DLV-T4 delivers new messages between two redeliveries", async () => {
    const stage = await setStage();
    const [pub, sub] = await two(stage);
    const subscription = await sub.subscribe("foo");
    for (let i = 0; i < 13; i++) {
      await pub.publish("foo");
      await stage.pass(102);
    }
    expect(subscription.order).toBe("1 2 3 4 5 6 7 8 9 10 1R1 11 2R1 12 3R1 13 4R1");
  });

  it("DLV-T5 sends nothing new to a stalled subscription until acks make room", async () => {
    const stage = await setStage();
    const [pub, sub] = await two(stage);
    const subscription = await sub.subscribe("foo", { maxInFlight: 2 });
    for (let i = 0; i < 6; i++) await pub.publish("foo");
    await stage.pass(2200);
    subscription.ack(2);
    await stage.pass(100);
    subscription.ack(3);
    await stage.pass(100);
    subscription.ack(99, 3);
    await stage.pass(950);
    expect(subscription.trace()).toBe(
      "1@0.00 2@0.00 1R1@1.00 2R1@1.00 1R2@2.00 2R2@2.00 3@2.20 4@2.30 1R3@3.00 4R1@3.30",
    );
  });

  it("DLV-T6 keeps a cadence for each subscription", async () => {
    const stage = await setStage();
    const [pub, sub] = await two(stage);
    const first = await sub.subscribe("foo", { ackWaitInSecs: 1 });
    const second = await sub.subscribe("foo", { ackWaitInSecs: 2 });
    await pub.publish("foo");
    await stage.pass(4100);
    expect(first.trace()).toBe("1@0.00 1R1@1.00 1R2@2.00 1R3@3.00 1R4@4.00");
    expect(second.trace()).toBe("1@0.00 1R1@2.00 1R2@4.00");
  });

  it("DLV-T7 redelivers everything pending to a resumed durable before the first new message", async () => {
    const stage = await setStage();
    const [pub, sub] = await two(stage);
    const before = await sub.subscribe("foo", { durableName: "dur", ackWaitInSecs: 30 });
    for (let i = 0; i < 3; i++) await pub.publish("foo");
    before.ack(2);
    expect(await before.close()).toBe("");
    await pub.publish("foo");
    await pub.publish("foo");
    const after = await sub.subscribe("foo", { durableName: "dur", ackWaitInSecs: 30, maxInFlight: 1 });
    expect(after.order).toBe("1R1 3R1");
    after.ack(1);
    await stage.pass(1);
    expect(after.order).toBe("1R1 3R1");
    after.ack(3);
    await stage.pass(1);
    expect(after.order).toBe("1R1 3R1 4");
    after.ack(4);
    await stage.pass(1);
    expect(after.order).toBe("1R1 3R1 4 5");
  });

  it("DLV-T8 keeps redelivery counts over close and resume of a durable", async () => {
    const stage = await setStage();
    const [pub, sub] = await two(stage);
    const before = await sub.subscribe("foo", { durableName: "dur" });
    await pub.publish("foo");
    await pub.publish("foo");
    await stage.pass(2300);
    expect(before.order).toBe("1 2 1R1 2R1 1R2 2R2");
    await before.close();
    await stage.pass(4000);
    expect(before.seen).toHaveLength(6);
    const after = await sub.subscribe("foo", { durableName: "dur" });
    await stage.pass(2100);
    expect(after.trace(6300)).toBe("1R3@0.00 2R3@0.00 1R4@1.00 2R4@1.00 1R5@2.00 2R5@2.00");
  });

  it("DLV-T9 moves messages between members with ack waits and limits of their own", async () => {
    const stage = await setStage();
    const [pub, sub] = await two(stage);
    const m1 = await sub.subscribe("foo", { qGroup: "g", ackWaitInSecs: 1, maxInFlight: 1 });
    const m2 = await sub.subscribe("foo", { qGroup: "g", ackWaitInSecs: 3, maxInFlight: 2 });
    for (let i = 0; i < 6; i++) await pub.publish("foo");
    await stage.pass(4100);
    expect(m1.trace()).toBe("1@0.00 1R1@1.00 4@2.00 3R1@3.00 3R2@4.00");
    expect(m2.trace()).toBe("2@0.00 3@0.00 1R2@2.00 2R1@3.00 4R1@3.00");
  });

  it("DLV-T10 alternates redeliveries between members that join later", async () => {
    const stage = await setStage();
    const [pub, sub] = await two(stage);
    const first = await sub.subscribe("foo", { qGroup: "g" });
    await pub.publish("foo");
    await stage.pass(1200);
    const second = await sub.subscribe("foo", { qGroup: "g" });
    await stage.pass(2900);
    expect(first.order).toBe("1 1R1 1R3");
    expect(second.order).toBe("1R2 1R4");
  });

  it("DLV-T11 accepts an ack for a message that another member holds", async () => {
    const stage = await setStage();
    const [pub, sub] = await two(stage);
    const a = await sub.subscribe("foo", { qGroup: "g" });
    const b = await sub.subscribe("foo", { qGroup: "g" });
    await pub.publish("foo");
    await pub.publish("foo");
    a.ack(...b.sequences);
    b.ack(...a.sequences);
    await b.close();
    await stage.pass(3000);
    expect([...a.seen, ...b.seen].filter(({ count }) => count > 0)).toEqual([]);
  });

  it("DLV-T12 postpones redeliveries to a client that misses heartbeats", async () => {
    const stage = await setStage({
      heartbeatIntervalMillis: 500,
      heartbeatTimeoutMillis: 200,
      heartbeatFailCount: 100,
    });
    const [pub, sub] = await two(stage);
    const subscription = await sub.subscribe("foo");
    await pub.publish("foo");
    await stage.pass(200);
    sub.isAlive = false;
    await stage.pass(3300);
    await pub.publish("foo");
    await stage.pass(1000);
    sub.isAlive = true;
    await stage.pass(1600);
    expect(subscription.trace()).toBe("1@0.00 2@3.50 1R1@5.00 2R1@5.00 1R2@6.00 2R2@6.00");
  });

  it("DLV-T15 hands an active durable over when replace_durable is on", async () => {
    const stage = await setStage({ replaceDurable: true });
    const [pub, sub] = await two(stage);
    const old = await sub.subscribe("foo", { durableName: "dur", ackWaitInSecs: 30 });
    await pub.publish("foo");
    await pub.publish("foo");
    const now = await sub.subscribe("foo", { durableName: "dur", ackWaitInSecs: 30 });
    await pub.publish("foo");
    expect([old.order, now.order]).toEqual(["1 2", "1R1 2R1 3"]);
    expect(await old.close()).toBe("stan: invalid subscription");
  });

  it("DLV-T16 deletes a channel once nobody has used it for max_inactivity", async () => {
    const stage = await setStage({ limits: { maxInactivity: durationFromMillis(1000) } });
    const [pub, sub] = await two(stage);
    const exists = (name: string): boolean => stage.engine.inspection.channel(name) !== undefined;
    await pub.publish("one");
    await pub.publish("two");
    await stage.pass(600);
    await pub.publish("two");
    await stage.pass(390);
    expect([exists("one"), exists("two")]).toEqual([true, true]);
    await stage.pass(20);
    expect([exists("one"), exists("two")]).toEqual([false, true]);
    await stage.pass(580);
    expect(exists("two")).toBe(true);
    await stage.pass(20);
    expect(exists("two")).toBe(false);

    const subscription = await sub.subscribe("three");
    await stage.pass(5000);
    expect(exists("three")).toBe(true);
    await subscription.unsubscribe();
    await stage.pass(990);
    expect(exists("three")).toBe(true);
    await stage.pass(20);
    expect(exists("three")).toBe(false);
  });
});
