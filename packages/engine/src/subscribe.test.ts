import { byteStringBytes } from "@nats-streaming/protocol";
import {
  decodeSubscriptionResponse,
  encodeAck,
  encodeSubscriptionRequest,
  StartPosition,
  type SubscriptionResponse,
} from "@nats-streaming/protocol/stan";
import { describe, expect, it } from "vitest";
import { CLUSTER, decodedValue, type Stage, setStage, type TestClient } from "../test/harness.ts";

const SUB = `_STAN.sub.${CLUSTER}`;

/** A channel `foo` with messages 11 to 20, stored a second apart; it is 0.5 s after the last one. */
async function elevenToTwenty(): Promise<{ stage: Stage; client: TestClient }> {
  const stage = await setStage({ limits: { maxMessages: 10 } });
  const client = await stage.client("me");
  for (let i = 0; i < 20; i++) {
    await stage.pass(1000);
    await client.publish("foo");
  }
  await stage.pass(500);
  return { stage, client };
}

const seconds = (value: number): bigint => BigInt(Math.round(value * 1e9));

describe("subscription requests", () => {
  it("PROTO 10.1 DLV-X2 are checked in order: client ID, ack wait, max in flight, start position, channel, client", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const errorOf = async (request: object): Promise<string> =>
      decodedValue(decodeSubscriptionResponse((await client.ask(SUB, encodeSubscriptionRequest(request)))!)).error;
    const wrong = { clientId: "", ackWaitInSecs: 0, maxInFlight: 0, startPosition: 5, subject: "foo.*" };
    expect(await errorOf(wrong)).toBe("stan: clientID missing");
    expect(await errorOf({ ...wrong, clientId: "who" })).toBe("stan: invalid ack wait time, should be >= 1s");
    const waits = { ...wrong, clientId: "who", ackWaitInSecs: 1 };
    expect(await errorOf(waits)).toBe("stan: invalid MaxInflight, should be >= 1");
    expect(await errorOf({ ...waits, maxInFlight: 1 })).toBe("stan: invalid start position");
    const starts = { ...waits, maxInFlight: 1, startPosition: 4 };
    expect(await errorOf(starts)).toBe("stan: invalid subject");
    expect(await errorOf({ ...starts, subject: "foo" })).toBe("stan: unknown clientID");
    expect(await errorOf({ ...starts, subject: "foo", clientId: "me" })).toBe("");
    const garbage = await client.ask(SUB, byteStringBytes("garbage"));
    expect(decodedValue(decodeSubscriptionResponse(garbage!)).error).toBe("stan: invalid subscription request");
  });

  it("PROTO 10.1.14 DLV-L3 are refused beyond max_subs, of whatever kind, and leave nothing behind", async () => {
    const stage = await setStage({ limits: { maxSubscriptions: 1 } });
    const client = await stage.client("me");
    const first = await client.subscribe("foo");
    for (const request of [{}, { durableName: "d" }, { qGroup: "q" }, { durableName: "d", qGroup: "q" }]) {
      expect((await client.subscribe("foo", request)).error).toBe("too many subscriptions per channel");
    }
    expect(stage.engine.inspection.channel("foo")?.subscriptionCount).toBe(1);
    expect(stage.engine.inspection.client("me")?.subscriptionCount).toBe(1);
    await first.unsubscribe();
    expect((await client.subscribe("foo", { durableName: "d" })).error).toBe("");
  });

  it("PROTO 10.1.10 DLV-Q7 are refused when a durable queue subscriber's durable name has a colon, but create the channel", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const { error } = await client.subscribe("foo", { durableName: "a:b", qGroup: "q" });
    expect(error).toBe("stan: durable name of a durable queue subscriber can't contain the character ':'");
    expect(stage.engine.inspection.channelNames()).toEqual(["foo"]);
    expect((await client.subscribe("foo", { durableName: "a:b" })).error).toBe("");
  });

  it("PROTO 13.1 DLV-G11 are answered before the first message, with publishes racing", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    for (const request of [{}, { durableName: "d" }, { qGroup: "q" }, { durableName: "d", qGroup: "q" }]) {
      client.publishLater("foo", "before");
      const subscribing = client.subscribe("foo", request);
      client.publishLater("foo", "after");
      const subscription = await subscribing;
      expect(subscription.early).toBe(0);
      expect(subscription.seen.length).toBeGreaterThanOrEqual(2);
    }
  });

  it("PROTO 10.2.2 PROTO 10.2.4 PROTO 13.8 are answered with an ack inbox that is heard, and nothing else", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    await client.publish("foo");
    const answers: SubscriptionResponse[] = [];
    const inboxes = ["_INBOX.one", "_INBOX.two"];
    for (const inbox of inboxes) {
      client.bus.subscribe(inbox, () => {
        // The very first message is acknowledged the moment it comes.
        const { ackInbox } = answers.at(-1)!;
        client.bus.publish(ackInbox, encodeAck({ subject: "foo", sequence: 1n }));
      });
      const request = { clientId: "me", subject: "foo", inbox, maxInFlight: 1, ackWaitInSecs: 1, startPosition: 4 };
      client.send(SUB, encodeSubscriptionRequest(request), (bytes) => {
        answers.push(decodedValue(decodeSubscriptionResponse(bytes)));
      });
      await stage.clock.settle();
    }
    expect(answers).toEqual(answers.map(({ ackInbox }) => ({ ackInbox, error: "" })));
    expect(new Set(answers.map(({ ackInbox }) => ackInbox)).size).toBe(2);
    expect(stage.engine.inspection.channel("foo")?.subscriptions()).toMatchObject([
      { pendingCount: 0, lastSent: 1 },
      { pendingCount: 0, lastSent: 1 },
    ]);
  });

  it("PROTO 10.1.11 are refused for a durable that is active, also without a free slot", async () => {
    const stage = await setStage({ limits: { maxSubscriptions: 1 } });
    const client = await stage.client("me");
    await client.subscribe("foo", { durableName: "dur" });
    expect((await client.subscribe("foo", { durableName: "dur" })).error).toBe("stan: duplicate durable registration");
  });
});

describe("start positions on 11 to 20 (DLV-S2, DLV-S3, DLV-S4, DLV-S5, DLV-S6)", () => {
  it.each([
    ["new only", { startPosition: StartPosition.newOnly }, 21],
    ["last received", { startPosition: StartPosition.lastReceived }, 20],
    ["first", { startPosition: StartPosition.first }, 11],
    ["sequence 0", { startPosition: StartPosition.sequenceStart, startSequence: 0n }, 11],
    ["sequence 1", { startPosition: StartPosition.sequenceStart, startSequence: 1n }, 11],
    ["sequence 11", { startPosition: StartPosition.sequenceStart, startSequence: 11n }, 11],
    ["sequence 15", { startPosition: StartPosition.sequenceStart, startSequence: 15n }, 15],
    ["sequence 20", { startPosition: StartPosition.sequenceStart, startSequence: 20n }, 20],
    ["sequence 21", { startPosition: StartPosition.sequenceStart, startSequence: 21n }, 21],
    ["sequence 2^63", { startPosition: StartPosition.sequenceStart, startSequence: 2n ** 63n }, 21],
    ["a long time ago", { startPosition: StartPosition.timeDeltaStart, startTimeDelta: 2n ** 62n }, 11],
    ["3 s ago", { startPosition: StartPosition.timeDeltaStart, startTimeDelta: seconds(3) }, 18],
    ["now", { startPosition: StartPosition.timeDeltaStart, startTimeDelta: 0n }, 21],
    ["the future", { startPosition: StartPosition.timeDeltaStart, startTimeDelta: -seconds(60) }, 21],
  ])("PROTO 10.3 %s", async (_, request, first) => {
    const { client } = await elevenToTwenty();
    const subscription = await client.subscribe("foo", request);
    await client.publish("foo");
    expect(subscription.early).toBe(0);
    expect(subscription.sequences).toEqual(Array.from({ length: 22 - first }, (_unused, i) => first + i));
  });

  it.each([0, 1, 2, 3, 4])(
    "PROTO 10.3 position %d on a channel that was never used gets the first publish",
    async (startPosition) => {
      const stage = await setStage();
      const client = await stage.client("me");
      const subscription = await client.subscribe("foo", {
        startPosition,
        startSequence: 5n,
        startTimeDelta: seconds(5),
      });
      await client.publish("foo");
      expect(subscription.sequences).toEqual([1]);
    },
  );

  it("PROTO 10.4.4 DLV-S7 are ignored when a durable resumes", async () => {
    const { client } = await elevenToTwenty();
    const durable = await client.subscribe("foo", { durableName: "dur", startPosition: StartPosition.lastReceived });
    durable.ack(20);
    await durable.close();
    const resumed = await client.subscribe("foo", {
      durableName: "dur",
      startPosition: StartPosition.sequenceStart,
      startSequence: 2n ** 63n,
    });
    await client.publish("foo");
    expect(resumed.sequences).toEqual([21]);
  });
});

describe("ends of subscriptions", () => {
  it("PROTO 12.1 DLV-X5 are refused in order: channel, subscription, client; and the right one works", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const other = await stage.client("other");
    const subscription = await client.subscribe("foo");
    await other.subscribe("bar");
    const { encodeUnsubscribeRequest } = await import("@nats-streaming/protocol/stan");
    const errorOf = async (request: object): Promise<string> =>
      decodedValue(
        decodeSubscriptionResponse((await client.ask(`_STAN.unsub.${CLUSTER}`, encodeUnsubscribeRequest(request)))!),
      ).error;
    const right = { clientId: "me", subject: "foo", inbox: subscription.ackInbox };
    expect(await errorOf({})).toBe("stan: unknown channel");
    expect(await errorOf({ ...right, subject: "nope" })).toBe("stan: unknown channel");
    expect(await errorOf({ ...right, subject: "bar" })).toBe("stan: invalid subscription");
    expect(await errorOf({ ...right, inbox: "nope" })).toBe("stan: invalid subscription");
    expect(await errorOf({ ...right, clientId: "other" })).toBe("stan: unknown clientID");
    expect(await errorOf({ ...right, clientId: "nobody" })).toBe("stan: unknown clientID");
    expect(stage.engine.inspection.subscriptionCount()).toBe(2);
    expect(await errorOf(right)).toBe("");
    expect(stage.engine.inspection.subscriptionCount()).toBe(1);
    const garbage = await client.ask(`_STAN.subclose.${CLUSTER}`, byteStringBytes("\xff"));
    expect(decodedValue(decodeSubscriptionResponse(garbage!)).error).toBe("stan: invalid unsubscribe request");
  });

  it("PROTO 12.1.5 DLV-S21 find the subscription by its delivery inbox when the ack inbox is not known", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    subscription.ackInbox = subscription.inbox;
    expect(await subscription.close()).toBe("");
    expect(stage.engine.inspection.subscriptionCount()).toBe(0);
  });

  it("DLV-V7 let no message reach the inbox afterwards, nor a timer run", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    await client.publish("foo");
    await subscription.close();
    const timers = stage.clock.timerCount;
    await client.publish("foo");
    await stage.pass(5000);
    expect(subscription.order).toBe("1");
    expect(timers).toBe(1);
  });

  it("PROTO 12.2 DLV-S13 suspend a durable by close and forget it by unsubscribe", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo", { durableName: "dur" }, { autoAck: true });
    await client.publish("foo");
    await first.close();
    await client.publish("foo");
    const second = await client.subscribe("foo", { durableName: "dur" }, { autoAck: true });
    expect(second.order).toBe("2");
    await second.unsubscribe();
    expect(stage.engine.inspection.subscriptionCount()).toBe(0);
    const third = await client.subscribe("foo", { durableName: "dur" });
    expect(third.order).toBe("1 2");
  });

  it("PROTO 13.5 DLV-G13 process the acks that came before a close, fifty times in a row", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    for (let round = 1; round <= 50; round++) {
      const durable = await client.subscribe("foo", { durableName: "dur" });
      await client.publish("foo");
      durable.ack(round);
      expect(await durable.close()).toBe("");
      expect(durable.order).toBe(`${round}`);
    }
  });
});
