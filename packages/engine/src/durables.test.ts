import { StartPosition } from "@nats-streaming/protocol/stan";
import { describe, expect, it } from "vitest";
import { type Stage, setStage, type TestClient } from "../test/harness.ts";

const dur = { durableName: "dur" };

const publish = async (client: TestClient, count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await client.publish("foo");
};

const inspected = (stage: Stage) => stage.engine.inspection.channel("foo")?.subscriptions() ?? [];

describe("a durable", () => {
  it("DLV-D1 receives everything though it is stopped in the middle of a backlog that exceeds max in flight", async () => {
    const stage = await setStage();
    const pub = await stage.client("pub");
    await publish(pub, 50);
    const received: number[] = [];
    for (let round = 0; round < 12; round++) {
      const client = await stage.client("me");
      const durable = await client.subscribe("foo", { ...dur, maxInFlight: 5 });
      expect(durable.seen).toHaveLength(5);
      durable.ack(...durable.sequences.slice(0, 4));
      received.push(...durable.sequences.slice(0, 4));
      await client.close();
    }
    const client = await stage.client("me");
    const durable = await client.subscribe("foo", { ...dur, maxInFlight: 5 }, { autoAck: true });
    received.push(...durable.sequences);
    expect([...new Set(received)].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });

  it("PROTO 10.4.3 DLV-D2 is refused a second time while active, and resumed any number of times after its connection closed", async () => {
    const stage = await setStage();
    for (let round = 0; round < 5; round++) {
      const client = await stage.client("me");
      expect((await client.subscribe("foo", dur)).error).toBe("");
      expect((await client.subscribe("foo", dur)).error).toBe("stan: duplicate durable registration");
      expect(inspected(stage)).toHaveLength(1);
      expect(stage.engine.inspection.client("me")?.subscriptionCount).toBe(1);
      await client.close();
    }
  });

  it("PROTO 10.2.1 DLV-D4 gets a new ack inbox at every resume, and nothing again that it acknowledged", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const inboxes = new Set<string>();
    for (let round = 1; round <= 5; round++) {
      const durable = await client.subscribe("foo", dur, { autoAck: true });
      await publish(client, 2);
      expect(durable.sequences).toEqual([round * 2 - 1, round * 2]);
      inboxes.add(durable.ackInbox);
      await durable.close();
    }
    expect(inboxes.size).toBe(5);
  });

  it("PROTO 10.4.4 keeps position, pending messages and counts at its resume, and takes the rest from the request", async () => {
    const stage = await setStage({ limits: { maxSubscriptions: 1 } });
    const client = await stage.client("me");
    const before = await client.subscribe("foo", dur);
    await publish(client, 2);
    await stage.pass(1100);
    const [shown] = inspected(stage);
    await before.close();
    const after = await client.subscribe("foo", { ...dur, ackWaitInSecs: 7, maxInFlight: 9, startPosition: 0 });
    expect(inspected(stage)).toEqual([
      { ...shown, inbox: after.inbox, ackInbox: after.ackInbox, ackWaitSeconds: 7, maxInFlight: 9 },
    ]);
    expect(after.order).toBe("1R2 2R2");
  });

  it("PROTO 11.4 ignores acks on the ack inbox that it had before its resume", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const before = await client.subscribe("foo", dur);
    await publish(client, 1);
    await before.close();
    await client.subscribe("foo", dur);
    before.ack(1);
    expect(inspected(stage)).toMatchObject([{ pendingCount: 1 }]);
  });

  it("DLV-D5 and DLV 9.7 is forgotten by its unsubscribe and then starts anew at its own position", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo", dur);
    await publish(client, 3);
    await first.unsubscribe();
    expect(inspected(stage)).toEqual([]);
    await client.close();
    expect(inspected(stage)).toEqual([]);
    const again = await stage.client("me");
    const second = await again.subscribe("foo", { ...dur, startPosition: StartPosition.lastReceived });
    expect(second.order).toBe("3");
  });

  it("DLV-D8 and DLV 9.8 goes on with the next message after a close, on the connection that stayed open", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo", dur, { autoAck: true });
    await publish(client, 1);
    expect(await first.close()).toBe("");
    await publish(client, 1);
    const second = await client.subscribe("foo", dur, { autoAck: true });
    expect([first.order, second.order]).toEqual(["1", "2"]);
    expect(await second.unsubscribe()).toBe("");
    expect(inspected(stage)).toEqual([]);
  });

  it("PROTO 10.2.3 DLV-D9 gets all redeliveries before the first new message, with publishers running", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const pub = await stage.client("pub");
    const before = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    await publish(pub, 20);
    await before.close();
    pub.publishQuietly("foo");
    const after = client.subscribeLater("foo", { ...dur, ackWaitInSecs: 30 });
    for (let i = 0; i < 20; i++) pub.publishQuietly("foo");
    await stage.clock.settle();
    pub.publishQuietly("foo");
    await stage.clock.settle();
    const redelivered = Array.from({ length: 20 }, (_, i) => `${i + 1}R1`);
    const fresh = Array.from({ length: 22 }, (_, i) => `${i + 21}`);
    expect(after.order).toBe([...redelivered, ...fresh].join(" "));
    expect(after.early).toBe(0);
  });

  it("PROTO 10.1.9 DLV-D11 is taken over by a second request with replace_durable; closing the first subscription fails", async () => {
    const stage = await setStage({ replaceDurable: true });
    const client = await stage.client("me");
    const first = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30 }, { autoAck: true });
    await publish(client, 1);
    const second = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    expect(inspected(stage)).toHaveLength(1);
    expect(stage.engine.inspection.client("me")?.subscriptionCount).toBe(1);
    await publish(client, 1);
    expect([first.order, second.order]).toEqual(["1", "2"]);
    first.ack(2);
    expect(inspected(stage)).toMatchObject([{ pendingCount: 1 }]);
    expect(await first.close()).toBe("stan: invalid subscription");
    expect(await second.close()).toBe("");
  });

  it("PROTO 10.4.5 with replace_durable applies to plain durables only, and keeps the redelivery count", async () => {
    const stage = await setStage({ replaceDurable: true });
    const client = await stage.client("me");
    await client.subscribe("foo", { ...dur, qGroup: "grp" });
    await client.subscribe("foo", { ...dur, qGroup: "grp" });
    expect(inspected(stage)).toHaveLength(2);
    await client.subscribe("foo", dur);
    await publish(client, 1);
    await stage.pass(1100);
    const second = await client.subscribe("foo", dur);
    expect(second.order).toBe("1R2");
  });

  it("DLV-D12 is redelivered to right after its resume, though its client had failed heartbeats", async () => {
    const stage = await setStage({ heartbeatIntervalMillis: 700, heartbeatTimeoutMillis: 100, heartbeatFailCount: 9 });
    const old = await stage.client("me");
    const pub = await stage.client("pub");
    const before = await old.subscribe("foo", dur);
    await publish(pub, 1);
    old.crash();
    await stage.pass(2500);
    expect(before.order).toBe("1");
    const now = await stage.client("me");
    const after = await now.subscribe("foo", dur);
    await stage.pass(2100);
    expect(after.order).toBe("1R1 1R2 1R3");
  });

  it("DLV 9.9 goes offline when its client is lost, with what it had pending", async () => {
    const stage = await setStage({ heartbeatIntervalMillis: 1000, heartbeatTimeoutMillis: 100, heartbeatFailCount: 1 });
    const old = await stage.client("me");
    const pub = await stage.client("pub");
    const before = await old.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    await publish(pub, 1);
    old.crash();
    await stage.pass(2000);
    expect(inspected(stage)).toMatchObject([{ isOffline: true, clientId: "me", pendingCount: 1 }]);
    await publish(pub, 1);
    const now = await stage.client("me");
    const after = await now.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    expect([before.order, after.order]).toEqual(["1", "1R1 2"]);
  });

  it("DLV-R5 gets what was unacknowledged at its connection's close once, as a redelivery", async () => {
    const stage = await setStage();
    const pub = await stage.client("pub");
    const client = await stage.client("me");
    await client.subscribe("foo", { ...dur, ackWaitInSecs: 3 });
    await publish(pub, 1);
    await client.close();
    await stage.pass(5000);
    const again = await stage.client("me");
    const after = await again.subscribe("foo", { ...dur, ackWaitInSecs: 3 }, { autoAck: true });
    await stage.pass(10_000);
    expect(after.order).toBe("1R1");
  });

  it("DLV-S10 whose pending messages use up max in flight at its resume still has its redelivery timer", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const before = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    await publish(client, 2);
    await before.close();
    const after = await client.subscribe("foo", { ...dur, maxInFlight: 1 });
    await stage.pass(2100);
    expect(after.order).toBe("1R1 2R1 1R2 2R2 1R3 2R3");
  });

  it("DK1 counts the ack wait from its resume on, also when that is far below the former one", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const before = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    await publish(client, 1);
    await before.close();
    await stage.pass(600);
    const after = await client.subscribe("foo", { ...dur, ackWaitInSecs: 1 });
    await stage.pass(500);
    await publish(client, 1);
    await stage.pass(2100);
    expect(after.trace(600)).toBe("1R1@0.00 2@0.50 1R2@1.00 2R1@1.50 1R3@2.00 2R2@2.50");
  });

  it("DLV-G8 whose connection is closed inside the handler of the tenth message begins with it, redelivered", async () => {
    const stage = await setStage();
    const pub = await stage.client("pub");
    const client = await stage.client("me");
    await publish(pub, 20);
    const handled: number[] = [];
    const before = client.subscribeLater("foo", { ...dur, maxInFlight: 1, ackWaitInSecs: 30 });
    client.bus.subscribe(before.inbox, () => {
      handled.push(handled.length + 1);
      if (handled.length === 10) void client.close();
      else before.ack(handled.length);
    });
    await stage.clock.settle();
    expect(before.sequences).toEqual(handled);
    expect(handled).toHaveLength(10);
    const again = await stage.client("me");
    const after = await again.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    expect(after.order).toBe(["10R1", ...Array.from({ length: 10 }, (_, i) => `${11 + i}`)].join(" "));
  });

  it("DLV-X4 is not resumed for a client that is not connected", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    await client.subscribe("foo", dur);
    await client.close();
    expect((await client.subscribe("foo", dur)).error).toBe("stan: unknown clientID");
    expect(inspected(stage)).toMatchObject([{ isOffline: true }]);
  });

  it("PROTO 10.4.2 PROTO 10.4.3 may have any name, and is another one on another channel or for another client", async () => {
    const stage = await setStage();
    const me = await stage.client("me");
    const other = await stage.client("other");
    for (const name of ["a:b", ":", " ", "-", "\0", "*", "ü"]) {
      expect((await me.subscribe("foo", { durableName: name })).error).toBe("");
    }
    expect((await me.subscribe("bar", { durableName: "a:b" })).error).toBe("");
    expect((await other.subscribe("foo", { durableName: "a:b" })).error).toBe("");
    expect(stage.engine.inspection.subscriptionCount()).toBe(9);
  });

  it("PROTO 10.4.1 PK2 is told from another one whose client ID and name join to the same text", async () => {
    const stage = await setStage();
    const one = await stage.client("a-b");
    const two = await stage.client("a");
    expect((await one.subscribe("foo", { durableName: "c" })).error).toBe("");
    expect((await two.subscribe("foo", { durableName: "b-foo-c" })).error).toBe("");
    expect((await two.subscribe("foo", { durableName: "b-c" })).error).toBe("");
    expect(inspected(stage)).toHaveLength(3);
  });

  it("PROTO 10.2.1 DLV-G11 is answered before its first message when it resumes, with publishes racing", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    for (const kind of [dur, { ...dur, qGroup: "grp" }]) {
      const before = await client.subscribe("foo", { ...kind, ackWaitInSecs: 30 });
      await publish(client, 3);
      await before.close();
      client.publishQuietly("foo");
      const after = client.subscribeLater("foo", { ...kind, ackWaitInSecs: 30 });
      client.publishQuietly("foo");
      await stage.clock.settle();
      expect(after.early).toBe(0);
      expect(after.seen.length).toBeGreaterThanOrEqual(5);
    }
  });
});
