import { durationFromMillis } from "@nats-streaming/kernel";
import { describe, expect, it } from "vitest";
import { type Stage, setStage, type TestClient, type TestSubscription } from "../test/harness.ts";
import { setPersistentStage } from "../test/persistent-stage.ts";

const publish = async (client: TestClient, count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await client.publish("foo");
};

const inspected = (stage: Stage) => stage.engine.inspection.channel("foo")?.subscriptions() ?? [];

const kinds = [
  ["plain", {}],
  ["queue", { qGroup: "grp" }],
  ["durable", { durableName: "dur" }],
  ["durable queue", { qGroup: "grp", durableName: "dur" }],
] as const;

describe("redelivery", () => {
  it("DLV-R1 repeats what is not acknowledged until it is; then the timer is off", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const quiet = stage.clock.timerCount;
    const subscription = await client.subscribe("foo");
    await publish(client, 2);
    await stage.pass(1100);
    expect(subscription.order).toBe("1 2 1R1 2R1");
    subscription.ack(1, 2);
    await stage.pass(10_000);
    expect(subscription.order).toBe("1 2 1R1 2R1");
    expect(stage.clock.timerCount).toBe(quiet);
  });

  it("DLV-R2 keeps a cadence of its own for each of several subscriptions of one channel", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscriptions: TestSubscription[] = [];
    for (const [i, [, kind]] of kinds.entries()) {
      subscriptions.push(await client.subscribe("foo", { ...kind, ackWaitInSecs: i + 1 }));
    }
    for (let i = 0; i < 5; i++) {
      await publish(client, 1);
      await stage.pass(137);
    }
    await stage.pass(30_000);
    for (const [i, subscription] of subscriptions.entries()) {
      for (let sequence = 1; sequence <= 5; sequence++) {
        const times = subscription.seen.filter((seen) => seen.sequence === sequence).map(({ at }) => at);
        const gaps = times.slice(1).map((at, n) => at - times[n]!);
        const wait = (i + 1) * 1000;
        expect(gaps.length).toBeGreaterThanOrEqual(Math.floor(30_000 / wait) - 1);
        expect(Math.min(...gaps)).toBeGreaterThanOrEqual(wait - 16);
        expect(Math.max(...gaps)).toBeLessThanOrEqual(wait + 16);
      }
    }
  });

  it.each(kinds)("DLV-R3 is over with an unsubscribe inside the handler that it calls (%s)", async (_, kind) => {
    const stage = await setStage();
    const client = await stage.client("me");
    const quiet = stage.clock.timerCount;
    const subscription = await client.subscribe("foo", kind);
    await publish(client, 5);
    let ended: Promise<string> | undefined;
    client.bus.subscribe(subscription.inbox, () => {
      ended ??= subscription.unsubscribe();
    });
    await stage.pass(5000);
    expect(await ended).toBe("");
    expect(subscription.order).toBe("1 2 3 4 5 1R1");
    expect(stage.clock.timerCount).toBe(quiet);
  });

  it.each(kinds.slice(0, 3))("DLV-R6 reaches a stalled %s subscription without any new message", async (_, kind) => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { ...kind, maxInFlight: 1 });
    await publish(client, 3);
    await stage.pass(3100);
    expect(subscription.order).toBe("1 1R1 1R2 1R3");
  });

  it("PROTO 11.2 DLV-R7 is marked in what this subscription gets and in nobody else's", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo");
    await publish(client, 1);
    await stage.pass(1100);
    const second = await client.subscribe("foo");
    expect([first.order, second.order]).toEqual(["1 1R1", "1"]);
  });

  it("DLV-R13 skips what limits have removed, and goes on with the others in order", async () => {
    const stage = await setStage({ limits: { maxMessages: 5 } });
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { ackWaitInSecs: 2 });
    await publish(client, 9);
    await stage.pass(2100);
    expect(subscription.order).toBe("1 2 3 4 5 6 7 8 9 5R1 6R1 7R1 8R1 9R1");
    expect(inspected(stage)).toMatchObject([{ pendingCount: 5 }]);
  });

  it("DK4 releases a subscription that is stalled by messages that are gone when its timer fires", async () => {
    const stage = await setStage({ limits: { maxAge: durationFromMillis(1000) } });
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { ackWaitInSecs: 3, maxInFlight: 1 });
    await publish(client, 1);
    await stage.pass(2900);
    await publish(client, 1);
    expect(subscription.order).toBe("1");
    await stage.pass(100);
    expect(subscription.trace()).toBe("1@0.00 2@3.00");
  });

  it("DLV-R15 PROTO 2.5 sends nothing later that it tried while NATS was away, and once per ack wait afterwards", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    await publish(client, 2);
    await stage.pass(500);
    stage.serverBus.disconnect();
    await stage.pass(5000);
    stage.serverBus.reconnect();
    await stage.pass(400);
    expect(subscription.order).toBe("1 2");
    await stage.pass(200);
    expect(subscription.trace()).toBe("1@0.00 2@0.00 1R6@6.00 2R6@6.00");
    subscription.ack(1);
    await stage.pass(2000);
    expect(subscription.trace()).toBe("1@0.00 2@0.00 1R6@6.00 2R6@6.00 2R7@7.00 2R8@8.00");
  });

  it("DLV-R22 is safe to close while it is being postponed because of failed heartbeats", async () => {
    const stage = await setStage({ heartbeatIntervalMillis: 500, heartbeatTimeoutMillis: 100, heartbeatFailCount: 50 });
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    await publish(client, 1);
    client.isAlive = false;
    await stage.pass(1100);
    expect(stage.logger.lines).toContain(
      "DBG [Client:me] Skipping redelivery to subid=1 due to missed client heartbeat",
    );
    expect(await subscription.close()).toBe("");
    client.isAlive = true;
    await stage.pass(5000);
    expect(subscription.order).toBe("1");
  });

  it("DLV-R20 counts from 1, forgets when acknowledged, and is 0 for a new subscription", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    await publish(client, 1);
    await stage.pass(3100);
    expect(subscription.order).toBe("1 1R1 1R2 1R3");
    subscription.ack(1);
    const renewed = await client.subscribe("foo");
    expect(renewed.order).toBe("1");
    await stage.pass(1100);
    expect(renewed.order).toBe("1 1R1");
  });

  it("DLV 7.2.5 keeps the phase of a message sent between two others", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    await publish(client, 1);
    await stage.pass(8);
    await publish(client, 1);
    await stage.pass(42);
    await publish(client, 1);
    await stage.pass(2050);
    expect(subscription.trace()).toBe("1@0.00 2@0.01 3@0.05 1R1@1.00 2R1@1.00 3R1@1.05 1R2@2.00 2R2@2.00 3R2@2.05");
  });
});

describe("sending", () => {
  it.each(kinds.slice(0, 3))(
    "DLV-V1 sends the next message of a full %s subscription with the ack",
    async (_, kind) => {
      const stage = await setStage();
      const client = await stage.client("me");
      const subscription = await client.subscribe("foo", { ...kind, maxInFlight: 1, ackWaitInSecs: 30 });
      await publish(client, 3);
      for (let sequence = 1; sequence <= 3; sequence++) {
        await stage.pass(5000);
        expect(subscription.sequences).toEqual([1, 2, 3].slice(0, sequence));
        subscription.ack(sequence);
      }
      expect(subscription.order).toBe("1 2 3");
    },
  );

  it("DLV 6.2 gets one new message for one ack at max in flight 2", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { maxInFlight: 2, ackWaitInSecs: 30 });
    await publish(client, 4);
    subscription.ack(2);
    expect(subscription.order).toBe("1 2 3");
    subscription.ack(1);
    expect(subscription.order).toBe("1 2 3 4");
  });

  it("DLV 4.5 repeats what could not be sent at the next trigger, without a gap and not as a redelivery", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const pub = await stage.client("pub");
    const subscription = await client.subscribe("foo", { maxInFlight: 2 });
    const member = await client.subscribe("foo", { qGroup: "grp" });
    await publish(pub, 1);
    pub.publishQuietly("foo");
    stage.serverBus.disconnect();
    await stage.clock.settle();
    expect([subscription.order, member.order]).toEqual(["1", "1"]);
    stage.serverBus.reconnect();
    subscription.ack(1);
    member.ack(1);
    await publish(pub, 1);
    expect([subscription.order, member.order]).toEqual(["1 2 3", "1 2 3"]);
  });

  it("DLV 3.2.6 goes on to the next subscription when one ends inside its handler", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const all = [await client.subscribe("foo"), await client.subscribe("foo"), await client.subscribe("foo")];
    client.bus.subscribe(all[0]!.inbox, () => void all[0]!.unsubscribe());
    await publish(client, 1);
    expect(all.map(({ order }) => order)).toEqual(["1", "1", "1"]);
    expect(inspected(stage)).toHaveLength(2);
  });

  it("DLV-S16 looks nothing up for a stalled subscription when messages are published", async () => {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { maxInFlight: 2, ackWaitInSecs: 30 });
    await publish(client, 2);
    const { lookups } = stage.store;
    await publish(client, 10);
    expect(stage.store.lookups).toBe(lookups);
    subscription.autoAck = true;
    subscription.ack(1, 2);
    expect(subscription.sequences).toHaveLength(12);
  });

  it.each(kinds)("DLV-V3 DLV-G10 skips what a %s subscription's channel lacks or has empty", async (_, kind) => {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    await publish(client, 6);
    stage.store.isMissing = (sequence) => sequence === 3 || sequence === 6;
    stage.store.isEmpty = (sequence) => sequence === 4;
    const subscription = await client.subscribe("foo", kind);
    await publish(client, 1);
    expect(subscription.order).toBe("1 2 5 7");
    stage.store.isMissing = (sequence) => sequence === 1;
    stage.store.isEmpty = (sequence) => sequence === 2;
    await stage.pass(1000);
    expect(subscription.order).toBe("1 2 5 7 5R1 7R1");
    expect(inspected(stage)).toMatchObject([{ pendingCount: 2 }]);
  });

  it("PK8 never advances a subscription without an inbox, which holds up nobody else", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const lost = await client.subscribe("foo", { inbox: "" });
    const other = await client.subscribe("foo");
    expect(lost.error).toBe("");
    await publish(client, 3);
    expect(other.order).toBe("1 2 3");
    expect(inspected(stage)).toMatchObject([{ lastSent: 0, pendingCount: 0 }, { lastSent: 3 }]);
    expect(await lost.unsubscribe()).toBe("");
  });

  it("PROTO 13.7 DLV-G7 gives a NewOnly subscription between two publishes exactly what comes after it", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    for (let round = 1; round <= 20; round++) {
      await publish(client, 1);
      const subscription = await client.subscribe("foo", { startPosition: 0 }, { autoAck: true });
      await publish(client, 1);
      expect(subscription.sequences).toEqual([round * 2]);
      await subscription.unsubscribe();
    }
  });
});
