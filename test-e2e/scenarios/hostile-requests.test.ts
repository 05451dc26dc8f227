import { expect, it } from "vitest";
import type { ServerOnNetwork } from "../harness/networks.ts";
import { onBothBuses } from "../harness/networks.ts";
import { decodeFields } from "../harness/protobuf.ts";
import { connectRaw, newInbox, type RawClient } from "../harness/raw-client.ts";
import { connectRawStan, newGuid, SUBJECTS } from "../harness/raw-stan.ts";
import {
  decodePubAck,
  encodeAck,
  encodeCloseRequest,
  encodeConnectRequest,
  encodePubMsg,
  encodeSubscriptionRequest,
  encodeUnsubscribeRequest,
} from "../harness/stan-wire.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";

onBothBuses("hostile requests", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    return { network, server: await network.startServer({ args: ["-mc", "0"] }) };
  });

  it("PROTO 4.2: a truncated publish is refused with the guid that came before the cut, at every cut", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(raw, "truncated");
    const inbox = await raw.subscribe(newInbox());
    const guid = newGuid();
    const { clientId, connectionId } = session;
    const whole = encodePubMsg({ clientId, guid, channel: "cut", data: "data", connectionId });
    const cuts = Array.from({ length: whole.length }, (_, cut) => whole.subarray(0, cut));
    const guidEnds = whole.indexOf(guid) + guid.length;
    for (const cut of cuts.filter((bytes) => bytes.length > guidEnds && !isWhole(bytes))) {
      raw.publish(`${SUBJECTS.publish}.cut`, cut, inbox.subject);
      expect(decodePubAck((await inbox.messages.take()).payload)).toEqual({
        guid,
        error: "stan: invalid publish request",
      });
    }
    expect(await server.monitor.channelNames()).not.toContain("cut");
    await session.close();
  });

  it("PROTO 4.2: fields in any order, repeated, unknown or with long varints are accepted", async () => {
    const stage = testStage();
    const { network } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(raw, "odd");
    const inbox = await raw.subscribe(newInbox());
    const text = (field: number, value: string): Buffer =>
      Buffer.concat([Buffer.from([(field << 3) | 2, value.length | 0x80, 0x00]), Buffer.from(value)]);
    const message = Buffer.concat([
      text(6, session.connectionId),
      text(5, "first"),
      text(3, "odd"),
      Buffer.from([0x98, 0x06, 0x01]), // field 99, a varint that nobody knows
      Buffer.from([0xf3, 0x06, 0xf4, 0x06]), // field 110, an empty group
      text(2, "the-guid"),
      text(5, "last"),
    ]);
    raw.publish(`${SUBJECTS.publish}.odd`, message, inbox.subject);
    expect(decodePubAck((await inbox.messages.take()).payload)).toEqual({ guid: "the-guid", error: "" });
    const subscription = await session.subscribe("odd");
    expect((await subscription.messages.take()).data.toString()).toBe("last");
    await session.close();
  });

  it("HOSTILE: ten thousand mutilated and random requests harm no other client and forge no line of the log", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const steady = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(steady, "unharmed");
    const subscription = await session.subscribe("unharmed", { maxInFlight: 10_000 });
    const offender = await connectRaw(stage, { port: network.port });
    const inbox = await offender.subscribe(newInbox());
    const random = generator(20_240_613);

    let published = 0;
    for (let round = 0; round < 20; round++) {
      for (let index = 0; index < 500; index++) {
        const [subject, sample] = samples(session.connectionId, subscription.response.ackInbox)[index % 8] ?? never();
        offender.publish(subject, mutilate(sample, random), index % 3 === 0 ? "" : inbox.subject);
      }
      await offender.flush();
      expect((await session.publish("unharmed", String(published++))).error).toBe("");
    }
    const received = await subscription.messages.takeMany(published);
    expect(received.map(({ sequence, data }) => [sequence, data.toString()])).toEqual(
      Array.from({ length: published }, (_, index) => [index + 1, String(index)]),
    );
    expect(offender.errors.all).toEqual([]);
    await expectServing(server, steady);
    await session.close();
  });

  it("HOSTILE: a client that vanishes without a word leaves its durable and harms no other client", async () => {
    const stage = testStage();
    const { network } = await started();
    const steady = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(steady, "stays");
    const subscription = await session.subscribe("left");
    const gone = await connectRaw(stage, { port: network.port });
    const other = await connectRawStan(gone, "goes");
    await other.subscribe("left", { durableName: "place" });
    gone.vanish();
    for (let index = 0; index < 10; index++) expect((await session.publish("left", String(index))).error).toBe("");
    expect((await subscription.messages.takeMany(10)).map(({ sequence }) => sequence)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);

    // Nobody answers the check for the old connection: the newcomer takes its place, and its durable.
    const back = await connectRaw(stage, { port: network.port });
    const again = await connectRawStan(back, "goes", { connectionId: "CONN-again" });
    expect(again.response.error).toBe("");
    const resumed = await again.subscribe("left", { durableName: "place" });
    expect((await resumed.messages.takeMany(10)).map(({ sequence }) => sequence)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
    await again.close();
    await session.close();
  });
});

/** One good request for each subject, to be spoilt. */
function samples(connectionId: string, ackInbox: string): readonly (readonly [subject: string, payload: Buffer])[] {
  return [
    [SUBJECTS.connect, encodeConnectRequest({ clientId: "x", heartbeatInbox: "_INBOX.none", protocol: 1 })],
    [SUBJECTS.pings, Buffer.from(connectionId)],
    [`${SUBJECTS.publish}.noise`, encodePubMsg({ clientId: "x", guid: "g", channel: "noise", data: "x".repeat(20) })],
    [SUBJECTS.subscribe, encodeSubscriptionRequest({ clientId: "x", channel: "noise", inbox: "_INBOX.none" })],
    [SUBJECTS.unsubscribe, encodeUnsubscribeRequest("x", "noise", "_INBOX.none")],
    [SUBJECTS.subscriptionClose, encodeUnsubscribeRequest("x", "noise", "_INBOX.none")],
    [SUBJECTS.close, encodeCloseRequest("x")],
    [ackInbox, encodeAck("unharmed", 1)],
  ];
}

/** Random bytes, or the message cut short, or with one byte changed, or with bytes put in; never what names a client. */
function mutilate(message: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * message.length);
  const noise = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 40) }, () => Math.floor(random() * 256)));
  switch (Math.floor(random() * 4)) {
    case 0:
      return noise;
    case 1:
      return message.subarray(0, at);
    case 2: {
      const changed = Buffer.from(message);
      changed[at] = Math.floor(random() * 256);
      return changed;
    }
    default:
      return Buffer.concat([message.subarray(0, at), noise, message.subarray(at)]);
  }
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

async function expectServing(server: ServerOnNetwork, client: RawClient): Promise<void> {
  await client.flush();
  expect((await server.monitor.get("serverz"))["state"]).toBe("STANDALONE");
  expect(server.log.filter(({ level }) => level === "FTL")).toEqual([]);
}

/** Whether the bytes end where a field ends. */
function isWhole(bytes: Uint8Array): boolean {
  try {
    decodeFields(bytes);
    return true;
  } catch {
    return false;
  }
}

function never(): never {
  throw new Error("no sample");
}
