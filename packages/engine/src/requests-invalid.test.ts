import { byteStringBytes } from "@nats-streaming/protocol";
import {
  decodeCloseResponse,
  decodeConnectResponse,
  decodePubAck,
  decodeSubscriptionResponse,
  encodeCloseRequest,
  encodePubMsg,
  encodeSubscriptionRequest,
  encodeUnsubscribeRequest,
  StartPosition,
} from "@nats-streaming/protocol/stan";
import { describe, expect, it } from "vitest";
import { CLUSTER, decodedValue, type Stage, setStage, TestClient } from "../test/harness.ts";

const SUB = `_STAN.sub.${CLUSTER}`;

const subjects = [
  [`_STAN.discover.${CLUSTER}`, decodeConnectResponse, "stan: invalid connection request"],
  [`_STAN.pub.${CLUSTER}.foo`, decodePubAck, "stan: invalid publish request"],
  [SUB, decodeSubscriptionResponse, "stan: invalid subscription request"],
  [`_STAN.unsub.${CLUSTER}`, decodeSubscriptionResponse, "stan: invalid unsubscribe request"],
  [`_STAN.subclose.${CLUSTER}`, decodeSubscriptionResponse, "stan: invalid unsubscribe request"],
  [`_STAN.close.${CLUSTER}`, decodeCloseResponse, "stan: invalid close request"],
] as const;

const subscribe = (client: TestClient, request: object): Promise<string> =>
  client
    .ask(SUB, encodeSubscriptionRequest({ clientId: "me", subject: "foo", inbox: "in", ...request }))
    .then((answer) => decodedValue(decodeSubscriptionResponse(answer!)).error);

const valid = { maxInFlight: 1, ackWaitInSecs: 1, startPosition: StartPosition.first };

async function meOn(): Promise<{ stage: Stage; client: TestClient }> {
  const stage = await setStage();
  return { stage, client: await stage.client("me") };
}

describe("requests that nobody could make sense of", () => {
  it.each(subjects)(
    "DLV-X1 PROTO 10.1.1 PROTO 12.1.1 on %s get that subject's own error",
    async (subject, decode, error) => {
      const { stage, client } = await meOn();
      for (const garbage of ["garbage", "\xff", "\x0a\xff", "\x0a\x05ab", "\x0b", "\x00\x01"]) {
        const answer = await client.ask(subject, byteStringBytes(garbage));
        expect(decodedValue<{ readonly error: string }>(decode(answer!)).error).toBe(error);
      }
      expect(stage.engine.inspection).toMatchObject({ channelCount: 0, clientCount: 1 });
    },
  );

  it.each(subjects)("PROTO 2.2 on %s do no harm without a reply subject", async (subject) => {
    const { stage, client } = await meOn();
    client.bus.publish(subject, byteStringBytes("garbage"));
    client.bus.publish(subject, new Uint8Array(0));
    await stage.clock.settle();
    expect(await client.publish("foo")).toBe("");
  });

  it("PROTO 4.2 are not those with fields in any order, repeated or unknown", async () => {
    const { stage, client } = await meOn();
    const request = encodeSubscriptionRequest({ clientId: "no", subject: "no", inbox: "in", ...valid });
    const again = encodeSubscriptionRequest({ clientId: "me", subject: "foo" });
    const unknown = byteStringBytes("\xfa\x07\x03abc\xf8\x07\x01");
    const answer = await client.ask(SUB, Buffer.concat([unknown, request, unknown, again]));
    expect(decodedValue(decodeSubscriptionResponse(answer!)).error).toBe("");
    expect(stage.engine.inspection.channelNames()).toEqual(["foo"]);
  });
});

describe("subscription requests", () => {
  it.each([
    ["PROTO 10.1.2", { ...valid, clientId: "" }, "stan: clientID missing"],
    ["PROTO 10.1.3", { ...valid, ackWaitInSecs: 0 }, "stan: invalid ack wait time, should be >= 1s"],
    ["PROTO 10.1.3", { ...valid, ackWaitInSecs: -1 }, "stan: invalid ack wait time, should be >= 1s"],
    ["PROTO 10.1.4", { ...valid, maxInFlight: 0 }, "stan: invalid MaxInflight, should be >= 1"],
    ["PROTO 10.1.4", { ...valid, maxInFlight: -2_147_483_648 }, "stan: invalid MaxInflight, should be >= 1"],
    ["PROTO 10.1.5", { ...valid, startPosition: 5 }, "stan: invalid start position"],
    ["PROTO 10.1.5", { ...valid, startPosition: -1 }, "stan: invalid start position"],
    ["PROTO 10.1.6", { ...valid, subject: "" }, "stan: invalid subject"],
    ["PROTO 10.1.6", { ...valid, subject: "a..b" }, "stan: invalid subject"],
    ["PROTO 10.1.7", { ...valid, clientId: "who" }, "stan: unknown clientID"],
    ["DLV-X2", { clientId: "who", startPosition: 9 }, "stan: invalid ack wait time, should be >= 1s"],
  ])("%s %o are refused: %s", async (_, request, error) => {
    const { stage, client } = await meOn();
    expect(await subscribe(client, request)).toBe(error);
    expect(stage.engine.inspection).toMatchObject({ channelCount: 0 });
    expect(stage.engine.inspection.subscriptionCount()).toBe(0);
  });

  it("DLV-X3 PROTO 9.3 that fail for their durable name have made the channel, but no client", async () => {
    const { stage, client } = await meOn();
    const error = await subscribe(client, { ...valid, durableName: "a:b", qGroup: "grp" });
    expect(error).toBe("stan: durable name of a durable queue subscriber can't contain the character ':'");
    expect(await subscribe(client, { ...valid, clientId: "other", durableName: "a:b", qGroup: "grp" })).toBe(
      "stan: unknown clientID",
    );
    expect(stage.engine.inspection.channelNames()).toEqual(["foo"]);
    expect(stage.engine.inspection.clientIds()).toEqual(["me"]);
  });

  it("PROTO 10.1.11 are refused for an active durable before the limit on subscriptions is looked at", async () => {
    const stage = await setStage({ limits: { maxSubscriptions: 1 } });
    const client = await stage.client("me");
    expect(await subscribe(client, { ...valid, durableName: "dur" })).toBe("");
    expect(await subscribe(client, { ...valid, durableName: "dur" })).toBe("stan: duplicate durable registration");
    expect(await subscribe(client, { ...valid, durableName: "other" })).toBe("too many subscriptions per channel");
  });

  it.each([-(2n ** 63n), 2n ** 63n - 1n, -1n, 1n])(
    "PROTO 10.3 may ask for any time: %d ns ago",
    async (startTimeDelta) => {
      const { client } = await meOn();
      await client.publish("foo");
      const request = { ...valid, startPosition: StartPosition.timeDeltaStart, startTimeDelta };
      expect(await subscribe(client, request)).toBe("");
    },
  );
});

describe("channel names", () => {
  it.each(["", ".foo", "foo.", ".", "..", "foo..bar", "foo/bar", "foo.*", "foo*bar", ">", "foo.>"])(
    "PROTO 9.2 %j is refused for publish and subscribe",
    async (name) => {
      const { stage, client } = await meOn();
      expect(await subscribe(client, { ...valid, subject: name })).toBe("stan: invalid subject");
      const payload = encodePubMsg({ guid: "g", subject: name, connId: client.connId });
      const answer = await client.ask(`_STAN.pub.${CLUSTER}.x`, payload);
      expect(decodedValue(decodePubAck(answer!)).error).toBe("stan: invalid publish request");
      expect(stage.engine.inspection.channelCount).toBe(0);
    },
  );

  it.each([" ", "a b", "\t", "\n", "\0", "a,b:c", "a\\b", "\xc3\xbc", "\xff\xfe", "x".repeat(3000), "-", "$SYS"])(
    "PROTO 9.2 %j is fine, and comes back as it was",
    async (name) => {
      const { stage, client } = await meOn();
      const inbox = "_INBOX.weird";
      const seen: Buffer[] = [];
      client.bus.subscribe(inbox, ({ bytes, start, end }) => seen.push(Buffer.from(bytes.slice(start, end))));
      expect(await subscribe(client, { ...valid, subject: name, inbox })).toBe("");
      const payload = encodePubMsg({ guid: "g", subject: name, connId: client.connId });
      const answer = await client.ask(`_STAN.pub.${CLUSTER}.x`, payload);
      expect(decodedValue(decodePubAck(answer!)).error).toBe("");
      expect(seen).toHaveLength(1);
      expect(seen[0]!.includes(Buffer.from(name, "latin1"))).toBe(true);
      expect(stage.engine.inspection.channelNames()).toEqual([name]);
      const unsubscribe = encodeUnsubscribeRequest({ clientId: "me", subject: name, inbox });
      expect(await client.ask(`_STAN.unsub.${CLUSTER}`, unsubscribe)).toHaveLength(0);
    },
  );

  it("DLV-G18 PROTO-E21 that differ in case only are refused, with the names quoted", async () => {
    const { stage, client } = await meOn();
    expect(await subscribe(client, { ...valid, subject: 'a"b' })).toBe("");
    const error = 'rejecting channel "A\\"B" because channel "a\\"b" alreay exists (different cases not allowed)';
    expect(await subscribe(client, { ...valid, subject: 'A"B' })).toBe(error);
    const payload = encodePubMsg({ guid: "g", subject: 'A"B', connId: client.connId });
    expect(decodedValue(decodePubAck((await client.ask(`_STAN.pub.${CLUSTER}.x`, payload))!)).error).toBe(error);
    expect(stage.engine.inspection.channelNames()).toEqual(['a"b']);
  });
});

describe("close requests", () => {
  it("PROTO 12.3 are answered with an empty payload, once", async () => {
    const { client } = await meOn();
    const request = encodeCloseRequest({ clientId: "me" });
    expect(await client.ask(`_STAN.close.${CLUSTER}`, request)).toHaveLength(0);
    const second = await client.ask(`_STAN.close.${CLUSTER}`, request);
    expect(decodedValue(decodeCloseResponse(second!)).error).toBe("stan: unknown clientID");
  });

  it("PROTO 2.2 are executed without a reply subject, as are all others", async () => {
    const stage = await setStage();
    const client = new TestClient("me", stage.network.connect(), stage.clock);
    client.bus.publish(`_STAN.discover.${CLUSTER}`, client.connectRequest());
    client.publishQuietly("foo");
    const request = encodeSubscriptionRequest({ clientId: "me", subject: "foo", inbox: "in", ...valid });
    client.bus.publish(SUB, request);
    await stage.clock.settle();
    const { inspection } = stage.engine;
    expect([inspection.clientIds(), inspection.channel("foo")?.messages]).toEqual([["me"], 1]);
    expect(inspection.subscriptionCount()).toBe(1);
    const unsubscribe = encodeUnsubscribeRequest({ clientId: "me", subject: "foo", inbox: "in" });
    client.bus.publish(`_STAN.unsub.${CLUSTER}`, unsubscribe);
    client.bus.publish(`_STAN.close.${CLUSTER}`, encodeCloseRequest({ clientId: "me" }));
    await stage.clock.settle();
    expect([inspection.subscriptionCount(), inspection.clientCount]).toEqual([0, 0]);
  });
});
