import { expect, it } from "vitest";
import { onBothBuses } from "../harness/networks.ts";
import { encodeFields } from "../harness/protobuf.ts";
import { connectRaw, newInbox, type RawClient } from "../harness/raw-client.ts";
import { connectRawStan, newGuid, type RawStan, SUBJECTS } from "../harness/raw-stan.ts";
import {
  decodePubAck,
  decodeSubscriptionResponse,
  encodeAck,
  encodeCloseRequest,
  encodeConnectRequest,
  encodePing,
  encodePubMsg,
  encodeSubscriptionRequest,
  encodeUnsubscribeRequest,
  type SubscriptionRequest,
} from "../harness/stan-wire.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";

const MAX_CHANNELS = 16;
const CONFIG = `store_limits { max_channels: ${MAX_CHANNELS}, channels { few { max_subs: 1 } } }\n`;

/** The whole of an answer that is nothing but an error. */
const answers = {
  connect: (error: string) => encodeFields([[5, error]]),
  publish: (guid: string, error: string) =>
    guid === ""
      ? encodeFields([[2, error]])
      : encodeFields([
          [1, guid],
          [2, error],
        ]),
  subscribe: (error: string) => encodeFields([[3, error]]),
  close: (error: string) => encodeFields([[1, error]]),
  ping: (error: string) => encodeFields([[1, error]]),
};

const UNDECODABLE: readonly (readonly [string, Buffer])[] = [
  ["a text", Buffer.from("hello")],
  ["a field that is cut short", Buffer.from([0x0a, 0x05, 0x61])],
  ["a field number of 0", Buffer.from([0x02, 0x00])],
  ["a varint without end", Buffer.alloc(11, 0xff)],
];

onBothBuses("the error catalogue, byte by byte", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    return { network, server: await network.startServer({ config: CONFIG }) };
  });

  /** A connection with a registered client, and the bytes of the answers to what it sends. */
  const registered = async (
    clientId: string,
  ): Promise<{ raw: RawClient; session: RawStan; ask: (subject: string, payload: Uint8Array) => Promise<Buffer> }> => {
    const stage = testStage();
    const { network } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(raw, clientId);
    expect(session.response.error).toBe("");
    return { raw, session, ask: async (subject, payload) => (await raw.request(subject, payload)).payload };
  };
  const subscription = (overrides: Partial<SubscriptionRequest>): Buffer =>
    encodeSubscriptionRequest({ clientId: "errors", channel: "foo", inbox: "_INBOX.nobody", ...overrides });

  it.each(UNDECODABLE)("PROTO-E1, E4, E5, E14, E17: %s is refused on each request subject", async (_title, bytes) => {
    const { ask } = await registered("errors");
    expect(await ask(SUBJECTS.connect, bytes)).toEqual(answers.connect("stan: invalid connection request"));
    expect(decodePubAck(await ask(`${SUBJECTS.publish}.foo`, bytes)).error).toBe("stan: invalid publish request");
    expect(await ask(SUBJECTS.subscribe, bytes)).toEqual(answers.subscribe("stan: invalid subscription request"));
    const unsubscribe = answers.subscribe("stan: invalid unsubscribe request");
    expect(await ask(SUBJECTS.unsubscribe, bytes)).toEqual(unsubscribe);
    expect(await ask(SUBJECTS.subscriptionClose, bytes)).toEqual(unsubscribe);
    expect(await ask(SUBJECTS.close, bytes)).toEqual(answers.close("stan: invalid close request"));
  });

  it("PROTO-E1: a connect request without heartbeat inbox is refused, before its client ID is looked at", async () => {
    const { ask } = await registered("errors");
    const error = answers.connect("stan: invalid connection request");
    expect(await ask(SUBJECTS.connect, Buffer.alloc(0))).toEqual(error);
    expect(await ask(SUBJECTS.connect, encodeConnectRequest({ clientId: "fine", heartbeatInbox: "" }))).toEqual(error);
    expect(await ask(SUBJECTS.connect, encodeConnectRequest({ clientId: "no.t", heartbeatInbox: "" }))).toEqual(error);
  });

  it.each(["", "two words", "dot.ted", "co:lon", "com,ma", "line\n", "\n", "grüße", "nul\0", "sla/sh", "*", ">"])(
    "PROTO-E2, DLV-C1: the client ID %j is refused",
    async (clientId) => {
      const { ask } = await registered("errors");
      expect(await ask(SUBJECTS.connect, encodeConnectRequest({ clientId, heartbeatInbox: newInbox() }))).toEqual(
        answers.connect("stan: invalid clientID: only alphanumeric and `-` or `_` characters allowed"),
      );
    },
  );

  it("PROTO-E3: a second connect for the client ID of a living client is refused", async () => {
    const { ask, session } = await registered("errors");
    const request = encodeConnectRequest({ clientId: "errors", heartbeatInbox: newInbox() });
    expect(await ask(SUBJECTS.connect, request)).toEqual(answers.connect("stan: clientID already registered"));
    expect(session.heartbeats.all).toMatchObject([{ payload: Buffer.alloc(0) }]);
  });

  it.each([
    ["without guid", { guid: "" }],
    ["without channel", { channel: "" }],
    ["with a wildcard channel", { channel: "foo.>" }],
    ["with an unknown connID", { connectionId: "unknown" }],
    ["with an unknown connID and a registered client ID", { connectionId: "unknown", clientId: "errors" }],
    ["with an unknown client ID and no connID", { clientId: "unknown", connectionId: "" }],
    ["with neither client ID nor connID", { clientId: "", connectionId: "" }],
  ])("PROTO-E4: a publish %s is refused with its guid", async (_title, change) => {
    const { ask, session } = await registered("errors");
    const message = {
      clientId: "errors",
      guid: newGuid(),
      channel: "foo",
      connectionId: session.connectionId,
      ...change,
    };
    expect(await ask(`${SUBJECTS.publish}.foo`, encodePubMsg(message))).toEqual(
      answers.publish(message.guid, "stan: invalid publish request"),
    );
  });

  it("PROTO 9.1: a publish with a known connID needs no client ID, and one without connID a known client ID", async () => {
    const { ask, session } = await registered("errors");
    const { connectionId } = session;
    for (const who of [
      { clientId: "", connectionId },
      { clientId: "unknown", connectionId },
      { clientId: "errors", connectionId: "" },
    ]) {
      const guid = newGuid();
      expect(await ask(`${SUBJECTS.publish}.foo`, encodePubMsg({ ...who, guid, channel: "foo" }))).toEqual(
        encodeFields([[1, guid]]),
      );
    }
  });

  it("PROTO-E6 to E11, DLV-X2: the first of several mistakes of a subscription request is named", async () => {
    const { ask } = await registered("errors");
    const mistakes: readonly (readonly [Partial<SubscriptionRequest>, string])[] = [
      [{ clientId: "" }, "stan: clientID missing"],
      [{ ackWaitSeconds: 0 }, "stan: invalid ack wait time, should be >= 1s"],
      [{ maxInFlight: 0 }, "stan: invalid MaxInflight, should be >= 1"],
      [{ startPosition: 5 }, "stan: invalid start position"],
      [{ channel: "foo..bar" }, "stan: invalid subject"],
      [{ clientId: "unknown" }, "stan: unknown clientID"],
    ];
    for (const [index, [, error]] of mistakes.entries()) {
      const request: Partial<SubscriptionRequest> = Object.assign(
        {},
        ...mistakes
          .slice(index)
          .map(([change]) => change)
          .toReversed(),
      );
      expect(await ask(SUBJECTS.subscribe, subscription(request))).toEqual(answers.subscribe(error));
    }
  });

  it.each([
    ["E7", { ackWaitSeconds: -1 }, "stan: invalid ack wait time, should be >= 1s"],
    ["E8", { maxInFlight: -1 }, "stan: invalid MaxInflight, should be >= 1"],
    ["E9", { startPosition: -1 }, "stan: invalid start position"],
  ])("PROTO-%s: a subscription request with a negative number, %j, is refused", async (_id, change, error) => {
    const { ask } = await registered("errors");
    expect(await ask(SUBJECTS.subscribe, subscription(change))).toEqual(answers.subscribe(error));
  });

  it("PROTO-E11: close of an unregistered client and of none, and unsubscribing somebody else's, are refused", async () => {
    const { ask, session } = await registered("errors");
    const { response } = await session.subscribe("foo");
    const unknown = "stan: unknown clientID";
    expect(await ask(SUBJECTS.close, encodeCloseRequest("unknown"))).toEqual(answers.close(unknown));
    expect(await ask(SUBJECTS.close, Buffer.alloc(0))).toEqual(answers.close(unknown));
    for (const subject of [SUBJECTS.unsubscribe, SUBJECTS.subscriptionClose]) {
      const request = encodeUnsubscribeRequest("unknown", "foo", response.ackInbox);
      expect(await ask(subject, request)).toEqual(answers.subscribe(unknown));
    }
    const own = encodeUnsubscribeRequest("errors", "foo", response.ackInbox);
    expect(await ask(SUBJECTS.unsubscribe, own)).toEqual(Buffer.alloc(0));
    expect(await ask(SUBJECTS.close, encodeCloseRequest("errors"))).toEqual(Buffer.alloc(0));
  });

  it("PROTO-E12: an active durable is refused, also where the subscription limit is reached", async () => {
    const { ask, session } = await registered("errors");
    for (const channel of ["foo", "few"]) {
      const durable = await session.subscribe(channel, { durableName: "place" });
      expect(durable.response.error).toBe("");
      const again = subscription({ channel, durableName: "place" });
      expect(await ask(SUBJECTS.subscribe, again)).toEqual(answers.subscribe("stan: duplicate durable registration"));
      expect(await session.unsubscribe(channel, durable.response.ackInbox)).toBe("");
    }
  });

  it("PROTO-E13, DLV-X3: a durable queue group's durable name with a colon is refused, its channel is there", async () => {
    const { ask } = await registered("errors");
    const { server } = await started();
    const request = { channel: "colon", queueGroup: "gr:oup", durableName: "dur:able" };
    expect(await ask(SUBJECTS.subscribe, subscription(request))).toEqual(
      answers.subscribe("stan: durable name of a durable queue subscriber can't contain the character ':'"),
    );
    expect(await server.monitor.channel("colon")).toMatchObject({ msgs: 0, subscriptions: 0 });
  });

  it("PROTO-E15, E16, DLV-X5: unsubscribe and subscription close of what is not there are refused", async () => {
    const { ask, session } = await registered("errors");
    const { response, inbox } = await session.subscribe("foo");
    for (const subject of [SUBJECTS.unsubscribe, SUBJECTS.subscriptionClose]) {
      const of = (channel: string, ackInbox: string): Promise<Buffer> =>
        ask(subject, encodeUnsubscribeRequest("errors", channel, ackInbox));
      expect(await of("never", response.ackInbox)).toEqual(answers.subscribe("stan: unknown channel"));
      expect(await of("", response.ackInbox)).toEqual(answers.subscribe("stan: unknown channel"));
      expect(await of("foo", "")).toEqual(answers.subscribe("stan: invalid subscription"));
      expect(await of("foo", newInbox())).toEqual(answers.subscribe("stan: invalid subscription"));
    }
    const close = encodeUnsubscribeRequest("errors", "foo", inbox);
    expect(await ask(SUBJECTS.subscriptionClose, close)).toEqual(Buffer.alloc(0));
    expect(await ask(SUBJECTS.subscriptionClose, close)).toEqual(answers.subscribe("stan: invalid subscription"));
  });

  it("PROTO-E18: a ping with an unknown connID, none, or that of a closed client is refused", async () => {
    const { ask, session } = await registered("errors");
    const unknown = answers.ping("client has been replaced or is no longer registered");
    expect(await ask(SUBJECTS.pings, encodePing(session.connectionId))).toEqual(Buffer.alloc(0));
    expect(await ask(SUBJECTS.pings, encodePing("unknown"))).toEqual(unknown);
    expect(await ask(SUBJECTS.pings, Buffer.from([0x0a, 0x00]))).toEqual(unknown);
    await (await session.close()).take();
    expect(await ask(SUBJECTS.pings, encodePing(session.connectionId))).toEqual(unknown);
  });

  it("PROTO-E20, DLV-L3: a subscription of any kind above the channel's limit is refused, and leaves no trace", async () => {
    const { ask, session } = await registered("errors");
    const { server } = await started();
    const first = await session.subscribe("few");
    expect(first.response.error).toBe("");
    for (const kind of [{}, { durableName: "d" }, { queueGroup: "q" }, { durableName: "d", queueGroup: "q" }]) {
      expect(await ask(SUBJECTS.subscribe, subscription({ channel: "few", ...kind }))).toEqual(
        answers.subscribe("too many subscriptions per channel"),
      );
    }
    expect((await server.monitor.channel("few")).subscriptions).toBe(1);
    expect(await session.unsubscribe("few", first.response.ackInbox)).toBe("");
    const next = await session.subscribe("few", { durableName: "d" });
    expect(next.response.error).toBe("");
    expect(await session.unsubscribe("few", next.response.ackInbox)).toBe("");
  });

  it("PROTO-E21, DLV-G18: names that differ only in case are refused, quoted with escapes, and the first goes on", async () => {
    const { ask, session } = await registered("errors");
    for (const [first, other, text] of [
      ["mixed.Case", "MIXED.case", 'rejecting channel "MIXED.case" because channel "mixed.Case" alreay exists'],
      [
        'a"b\\c\n\x01',
        'A"b\\c\n\x01',
        String.raw`rejecting channel "A\"b\\c\n\x01" because channel "a\"b\\c\n\x01" alreay exists`,
      ],
    ] as const) {
      const error = `${text} (different cases not allowed)`;
      const subject = `${SUBJECTS.publish}.any`;
      expect((await session.publish(first, "x", { subject })).error).toBe("");
      const guid = newGuid();
      const message = encodePubMsg({ clientId: "errors", guid, channel: other, connectionId: session.connectionId });
      expect(await ask(subject, message)).toEqual(answers.publish(guid, error));
      expect(await ask(SUBJECTS.subscribe, subscription({ channel: other }))).toEqual(answers.subscribe(error));
      expect((await session.publish(first, "y", { subject })).error).toBe("");
    }
  });

  it("PROTO 14: requests without reply subject are carried out, and no answer to them goes anywhere", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const everything = await raw.subscribe(">");
    const { monitor } = server;
    const settled = (): Promise<Buffer> => raw.request(SUBJECTS.pings, encodePing("silent")).then((m) => m.payload);

    raw.publish(
      SUBJECTS.connect,
      encodeConnectRequest({ clientId: "silent", heartbeatInbox: newInbox(), connectionId: "silent" }),
    );
    await expect.poll(() => monitor.clientIds()).toContain("silent");
    expect(await settled()).toEqual(Buffer.alloc(0));
    const inbox = await raw.subscribe(newInbox());
    raw.publish(
      SUBJECTS.subscribe,
      subscription({ clientId: "silent", channel: "silent", inbox: inbox.subject, startPosition: 4 }),
    );
    raw.publish(`${SUBJECTS.publish}.silent`, encodePubMsg({ clientId: "silent", guid: newGuid(), channel: "silent" }));
    await inbox.messages.take();
    raw.publish(SUBJECTS.subscriptionClose, encodeUnsubscribeRequest("silent", "silent", inbox.subject));
    await expect.poll(async () => (await monitor.channel("silent")).subscriptions).toBe(0);
    for (const subject of [
      SUBJECTS.connect,
      SUBJECTS.subscribe,
      SUBJECTS.unsubscribe,
      SUBJECTS.close,
      SUBJECTS.pings,
    ]) {
      raw.publish(subject, Buffer.from("hello"));
    }
    raw.publish(`${SUBJECTS.publish}.silent`, Buffer.from("hello"));
    raw.publish(SUBJECTS.close, encodeCloseRequest("silent"));
    await expect.poll(() => monitor.clientIds()).not.toContain("silent");
    await settled();
    // Beside our own requests and their two answers, only the one message came over the connection.
    const foreign = everything.messages.all.filter(({ subject }) => !subject.startsWith("_STAN."));
    const own = foreign.filter(({ subject }) => subject.startsWith("_INBOX.raw"));
    expect(foreign).toEqual(own);
    expect(own).toHaveLength(3);
  });

  it("PROTO 11, DLV-G12: an acknowledgement is never answered, and counts only where its sequence is pending", async () => {
    const { raw, session } = await registered("errors");
    const { server } = await started();
    const first = await session.subscribe("acks");
    const other = await session.subscribe("acks.other");
    for (const text of ["1", "2"]) expect((await session.publish("acks", text)).error).toBe("");
    await first.messages.takeMany(2);
    const answer = await raw.subscribe(newInbox());
    const { ackInbox } = first.response;
    for (const payload of [
      encodeAck("never", 1),
      encodeAck("acks.other", 1),
      encodeAck("acks", 0),
      encodeAck("acks", 3),
      Buffer.alloc(0),
      Buffer.from("hello"),
    ]) {
      raw.publish(ackInbox, payload, answer.subject);
    }
    raw.publish(other.response.ackInbox, encodeAck("acks", 1), answer.subject);
    await server.child.line("Unable to process ack seq=1, channel never not found");
    await server.child.line("Unable to unmarshal Ack: ");
    const pending = async (): Promise<unknown> => {
      const { subscriptions } = await server.monitor.get("channelsz?channel=acks&subs=1");
      return Array.isArray(subscriptions) ? Reflect.get(Object(subscriptions[0]), "pending_count") : undefined;
    };
    await session.publish("acks.other", "all acks have been handled");
    expect(await pending()).toBe(2);
    raw.publish(ackInbox, encodeAck("acks", 2), answer.subject);
    await expect.poll(pending).toBe(1);
    raw.publish(ackInbox, encodeAck("acks", 2), answer.subject);
    raw.publish(ackInbox, encodeAck("acks", 1), answer.subject);
    await expect.poll(pending).toBe(0);
    expect(answer.messages.all).toEqual([]);
  });

  it("PROTO-E19, DLV-L1, DLV-L2: a channel above the limit is refused for publish and subscribe, and not created", async () => {
    const { ask, session } = await registered("errors");
    const { server } = await started();
    const missing = MAX_CHANNELS - (await server.monitor.channelNames()).length;
    for (let index = 0; index < missing; index++) {
      expect((await session.publish(`filler.${index}`, "x")).error).toBe("");
    }
    const guid = newGuid();
    const message = encodePubMsg({ clientId: "errors", guid, channel: "above", connectionId: session.connectionId });
    expect(await ask(`${SUBJECTS.publish}.above`, message)).toEqual(answers.publish(guid, "too many channels"));
    expect(await ask(SUBJECTS.subscribe, subscription({ channel: "above" }))).toEqual(
      answers.subscribe("too many channels"),
    );
    const names = await server.monitor.channelNames();
    expect(names).toHaveLength(MAX_CHANNELS);
    expect(names).not.toContain("above");
    expect((await session.publish("filler.0", "y")).error).toBe("");
    expect(decodeSubscriptionResponse(await ask(SUBJECTS.subscribe, subscription({ channel: "filler.0" }))).error).toBe(
      "",
    );
  });
});
