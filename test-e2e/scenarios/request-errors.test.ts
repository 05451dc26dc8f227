import { expect, it } from "vitest";
import { onBothBuses } from "../harness/networks.ts";
import { connectRaw, newInbox } from "../harness/raw-client.ts";
import { connectRawStan, SUBJECTS } from "../harness/raw-stan.ts";
import {
  decodeConnectResponse,
  decodeErrorOnly,
  decodePubAck,
  decodeSubscriptionResponse,
  encodeCtrlMsg,
  encodeUnsubscribeRequest,
} from "../harness/stan-wire.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";

/** No message: a field of wire type 4 (end of group) that never began. */
const UNDECODABLE = Buffer.from("hello");

onBothBuses("requests that are refused", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    return { network, server: await network.startServer({ args: ["-mc", "0"] }) };
  });

  for (const { id, subject, error, read } of [
    {
      id: "PROTO-E1",
      subject: SUBJECTS.connect,
      error: "stan: invalid connection request",
      read: (bytes: Uint8Array) => decodeConnectResponse(bytes).error,
    },
    {
      id: "PROTO-E5",
      subject: SUBJECTS.subscribe,
      error: "stan: invalid subscription request",
      read: (bytes: Uint8Array) => decodeSubscriptionResponse(bytes).error,
    },
    {
      id: "PROTO-E14",
      subject: SUBJECTS.unsubscribe,
      error: "stan: invalid unsubscribe request",
      read: (bytes: Uint8Array) => decodeSubscriptionResponse(bytes).error,
    },
    {
      id: "PROTO-E14",
      subject: SUBJECTS.subscriptionClose,
      error: "stan: invalid unsubscribe request",
      read: (bytes: Uint8Array) => decodeSubscriptionResponse(bytes).error,
    },
    {
      id: "PROTO-E17",
      subject: SUBJECTS.close,
      error: "stan: invalid close request",
      read: decodeErrorOnly,
    },
    {
      id: "PROTO-E4",
      subject: `${SUBJECTS.publish}.foo`,
      error: "stan: invalid publish request",
      read: (bytes: Uint8Array) => decodePubAck(bytes).error,
    },
  ]) {
    it(`${id}: an undecodable request on ${subject} is answered "${error}"`, async () => {
      const stage = testStage();
      const { network } = await started();
      const raw = await connectRaw(stage, { port: network.port });
      expect(read((await raw.request(subject, UNDECODABLE)).payload)).toBe(error);
    });
  }

  it("PROTO 8.2: pings without payload or undecodable are not answered", async () => {
    const stage = testStage();
    const { network } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const inbox = await raw.subscribe(newInbox());
    raw.publish(SUBJECTS.pings, "", inbox.subject);
    raw.publish(SUBJECTS.pings, UNDECODABLE, inbox.subject);
    raw.publish(SUBJECTS.pings, Buffer.from([0x10, 0x01]), inbox.subject);
    expect(decodeErrorOnly((await inbox.messages.take()).payload)).toBe(
      "client has been replaced or is no longer registered",
    );
    expect(inbox.messages.all).toHaveLength(1);
  });

  it("PROTO 9.1.1: a publish whose payload is a control message is not answered", async () => {
    const stage = testStage();
    const { network } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(raw, "control");
    const inbox = await raw.subscribe(newInbox());
    raw.publish(`${SUBJECTS.publish}.foo`, encodeCtrlMsg(2, "server", Buffer.from("x")), inbox.subject);
    expect((await session.publish("foo", "the next")).error).toBe("");
    expect(inbox.messages.all).toEqual([]);
    await session.close();
  });

  it.each(["", ".foo", "foo.", "foo..bar", "foo/bar", "foo.*", "foo*bar", ">"])(
    "PROTO 9.2: the channel name '%s' is refused for publish (E4) and subscribe (E10)",
    async (channel) => {
      const stage = testStage();
      const { network } = await started();
      const raw = await connectRaw(stage, { port: network.port });
      const session = await connectRawStan(raw, "names");
      const ack = await session.publish(channel, "x", { subject: `${SUBJECTS.publish}.any` });
      expect(ack.error).toBe("stan: invalid publish request");
      expect((await session.subscribe(channel)).response.error).toBe("stan: invalid subject");
      await (await session.close()).take();
    },
  );

  for (const { id, change, error } of [
    { id: "E6", change: { clientId: "" }, error: "stan: clientID missing" },
    { id: "E7", change: { ackWaitSeconds: 0 }, error: "stan: invalid ack wait time, should be >= 1s" },
    { id: "E8", change: { maxInFlight: 0 }, error: "stan: invalid MaxInflight, should be >= 1" },
    { id: "E9", change: { startPosition: 5 }, error: "stan: invalid start position" },
    { id: "E11", change: { clientId: "nobody" }, error: "stan: unknown clientID" },
    {
      id: "E13",
      change: { queueGroup: "group", durableName: "dur:able" },
      error: "stan: durable name of a durable queue subscriber can't contain the character ':'",
    },
  ]) {
    it(`PROTO-${id}: a subscription request with ${JSON.stringify(change)} is answered "${error}"`, async () => {
      const stage = testStage();
      const { network } = await started();
      const raw = await connectRaw(stage, { port: network.port });
      const session = await connectRawStan(raw, "requests");
      expect((await session.subscribe("foo", change)).response.error).toBe(error);
      await (await session.close()).take();
    });
  }

  it("PROTO-E15, E16, E11: unsubscribing what is not there or not one's own is refused", async () => {
    const stage = testStage();
    const { network } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(raw, "unsubscriber");
    const subscription = await session.subscribe("unsubscribed");
    expect(await session.unsubscribe("never.heard.of", subscription.response.ackInbox)).toBe("stan: unknown channel");
    expect(await session.unsubscribe("unsubscribed", newInbox())).toBe("stan: invalid subscription");
    const foreign = await raw.request(
      SUBJECTS.unsubscribe,
      encodeUnsubscribeRequest("somebody-else", "unsubscribed", subscription.response.ackInbox),
    );
    expect(decodeSubscriptionResponse(foreign.payload).error).toBe("stan: unknown clientID");
    expect(await session.unsubscribe("unsubscribed", subscription.response.ackInbox)).toBe("");
    expect(await (await session.close()).take()).toBe("");
    expect(await (await session.close()).take()).toBe("stan: unknown clientID");
  });

  it("PROTO-E21: a channel whose name differs only in case is refused", async () => {
    const stage = testStage();
    const { network } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(raw, "cases");
    expect((await session.publish("case", "x")).error).toBe("");
    const error = 'rejecting channel "CASE" because channel "case" alreay exists (different cases not allowed)';
    expect((await session.publish("CASE", "x")).error).toBe(error);
    expect((await session.subscribe("CASE")).response.error).toBe(error);
    await session.close();
  });
});
