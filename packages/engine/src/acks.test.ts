import { byteStringBytes } from "@nats-streaming/protocol";
import { encodeAck } from "@nats-streaming/protocol/stan";
import { describe, expect, it } from "vitest";
import { type Stage, setStage, type TestClient } from "../test/harness.ts";

const publish = async (client: TestClient, count: number, channel = "foo"): Promise<void> => {
  for (let i = 0; i < count; i++) await client.publish(channel);
};

const pending = (stage: Stage): number[] =>
  (stage.engine.inspection.channel("foo")?.subscriptions() ?? []).map(({ pendingCount }) => pendingCount);

const errors = (stage: Stage): string[] => stage.logger.lines.filter((line) => line.startsWith("ERR"));

describe("acknowledgements", () => {
  it("PROTO 11.5 are individual and come in any order", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    await publish(client, 5);
    subscription.ack(4, 2, 5);
    expect(pending(stage)).toEqual([2]);
    await stage.pass(1000);
    expect(subscription.order).toBe("1 2 3 4 5 1R1 3R1");
  });

  it("PROTO 11.4 count whoever sends them", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const stranger = stage.network.connect();
    const subscription = await client.subscribe("foo");
    await publish(client, 1);
    stranger.publish(subscription.ackInbox, encodeAck({ subject: "foo", sequence: 1n }));
    expect(pending(stage)).toEqual([0]);
  });

  it("PROTO 11.4 DLV 6.3 are ignored when their sequence is not pending", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { maxInFlight: 1, ackWaitInSecs: 30 });
    await publish(client, 3);
    subscription.ack(0, 2, 99, Number.MAX_SAFE_INTEGER);
    client.bus.publish(subscription.ackInbox, encodeAck({ subject: "foo", sequence: 2n ** 64n - 1n }));
    expect([subscription.order, pending(stage)]).toEqual(["1", [1]]);
    subscription.ack(1, 1, 1);
    expect([subscription.order, pending(stage)]).toEqual(["1 2", [1]]);
    expect(errors(stage)).toEqual([]);
  });

  it("PROTO 11.4 DLV-G12 are logged and otherwise ignored when they name an unknown channel", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    await publish(client, 1);
    client.bus.publish(subscription.ackInbox, encodeAck({ subject: "nope", sequence: 1n }));
    expect(errors(stage)).toEqual(["ERR Unable to process ack seq=1, channel nope not found"]);
    expect(pending(stage)).toEqual([1]);
  });

  it("PROTO 11.4 are ignored silently when they name another channel", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    await publish(client, 1);
    await publish(client, 1, "bar");
    client.bus.publish(subscription.ackInbox, encodeAck({ subject: "bar", sequence: 1n }));
    expect([errors(stage), pending(stage)]).toEqual([[], [1]]);
  });

  it("PROTO 11.4 are ignored and logged when they cannot be decoded, and not even logged as a control message", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    await publish(client, 1);
    client.bus.publish(subscription.ackInbox, byteStringBytes("garbage"));
    expect(errors(stage)).toHaveLength(1);
    expect(errors(stage)[0]).toMatch(/^ERR Unable to unmarshal Ack: ./);
    client.bus.publish(subscription.ackInbox, byteStringBytes("\x08\x01\x12\x03abc"));
    expect(errors(stage)).toHaveLength(1);
    expect(pending(stage)).toEqual([1]);
  });

  it("PROTO 11.4 are lost after the end of their subscription, without a word", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const gone = await client.subscribe("foo");
    await publish(client, 1);
    await gone.unsubscribe();
    gone.ack(1);
    client.bus.publish(gone.ackInbox, byteStringBytes("garbage"));
    client.bus.publish(gone.ackInbox, encodeAck({ subject: "nope", sequence: 1n }));
    expect(errors(stage)).toEqual([]);
  });

  it("DLV 6.6 are accepted while their client misses heartbeats, and release its subscription", async () => {
    const stage = await setStage({ heartbeatIntervalMillis: 500, heartbeatTimeoutMillis: 100, heartbeatFailCount: 50 });
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { maxInFlight: 1 });
    await publish(client, 2);
    client.isAlive = false;
    await stage.pass(700);
    subscription.ack(1);
    expect(subscription.order).toBe("1 2");
  });

  it("DLV 6.4 find the member of the queue group that has the message", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const a = await client.subscribe("foo", { qGroup: "grp" });
    const b = await client.subscribe("foo", { qGroup: "grp" });
    await publish(client, 4);
    a.ack(2, 4);
    b.ack(1, 3);
    expect(pending(stage)).toEqual([0, 0]);
  });

  it("DLV 6.4 do not reach a subscription outside the group", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const member = await client.subscribe("foo", { qGroup: "grp" });
    await client.subscribe("foo", { qGroup: "other" });
    await client.subscribe("foo");
    await publish(client, 1);
    member.ack(1);
    expect(pending(stage)).toEqual([1, 0, 1]);
  });
});
