import { byteStringBytes } from "@nats-streaming/protocol";
import { decodeMsgProto, decodePubAck, encodePubMsg, type MsgProto } from "@nats-streaming/protocol/stan";
import { describe, expect, it } from "vitest";
import { CLUSTER, decodedValue, type Stage, setStage, type TestClient } from "../test/harness.ts";

const PUB = `_STAN.pub.${CLUSTER}`;

async function ask(
  client: TestClient,
  subject: string,
  payload: Uint8Array,
): Promise<{ guid: string; error: string } | undefined> {
  const answer = await client.ask(subject, payload);
  return answer === undefined ? undefined : decodedValue(decodePubAck(answer));
}

const messages = (stage: Stage, channel: string): number => stage.engine.inspection.channel(channel)?.messages ?? 0;

describe("publishing", () => {
  it("DLV-G9 stores a message, numbers it from 1 and acknowledges it with its guid", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const payload = encodePubMsg({ guid: "g".repeat(300), subject: "foo", connId: client.connId });
    expect(await ask(client, `${PUB}.foo`, payload)).toEqual({ guid: "g".repeat(300), error: "" });
    expect(stage.engine.inspection.channel("foo")).toMatchObject({ firstSequence: 1, lastSequence: 1 });
    expect(stage.logger.lines).toContain('INF Channel "foo" has been created');
  });

  it("PROTO 9.1.1 refuses what cannot be decoded, with the guid that was", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const whole = encodePubMsg({ clientId: "me", guid: "G", subject: "foo", data: Buffer.from("hello") });
    const error = "stan: invalid publish request";
    expect(await ask(client, `${PUB}.foo`, whole.slice(0, whole.length - 1))).toEqual({ guid: "G", error });
    expect(await ask(client, `${PUB}.foo`, byteStringBytes("\xff\xff"))).toEqual({ guid: "", error });
    expect(messages(stage, "foo")).toBe(0);
  });

  it("PROTO 9.1.1 PK4 ignores what is one of the servers' own control messages", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    expect(await ask(client, `${PUB}.foo`, byteStringBytes("\x08\x01\x12\x03abc"))).toBeUndefined();
  });

  it.each([
    ["no guid", { guid: "", subject: "foo" }],
    ["no channel", { guid: "g", subject: "" }],
    ["a wildcard", { guid: "g", subject: "foo.*" }],
    ["a wildcard at the end", { guid: "g", subject: ">" }],
    ["an empty token", { guid: "g", subject: "foo..bar" }],
    ["a slash", { guid: "g", subject: "foo/bar" }],
  ])("PROTO 9.1.2 refuses a message with %s", async (_, message) => {
    const stage = await setStage();
    const client = await stage.client("me");
    const answer = await ask(client, `${PUB}.foo`, encodePubMsg({ ...message, clientId: "me", connId: client.connId }));
    expect(answer).toEqual({ guid: message.guid, error: "stan: invalid publish request" });
  });

  it("PROTO 9.1.3 looks the publisher up by connection ID first, and by client ID only without one", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const send = (message: object): Promise<{ error: string } | undefined> =>
      ask(client, `${PUB}.foo`, encodePubMsg({ guid: "g", subject: "foo", ...message }));
    expect(await send({ clientId: "wrong", connId: client.connId })).toMatchObject({ error: "" });
    expect(await send({ clientId: "me" })).toMatchObject({ error: "" });
    const invalid = { error: "stan: invalid publish request" };
    expect(await send({ clientId: "me", connId: byteStringBytes("stale") })).toMatchObject(invalid);
    expect(await send({ clientId: "nobody" })).toMatchObject(invalid);
  });

  it("PROTO 9.2 PK5 keeps the first spelling of a channel and refuses others", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    expect(await client.publish("foo")).toBe("");
    const error = 'rejecting channel "FOO" because channel "foo" alreay exists (different cases not allowed)';
    expect(await client.publish("FOO")).toBe(error);
    expect((await client.subscribe("Foo")).error).toContain("alreay exists");
    expect(await client.publish("foo")).toBe("");
  });

  it("DLV-L2 refuses a message that would create a channel too many", async () => {
    const stage = await setStage({ limits: { maxChannels: 1 } });
    const client = await stage.client("me");
    expect([await client.publish("one"), await client.publish("two")]).toEqual(["", "too many channels"]);
    expect(stage.engine.inspection.channelNames()).toEqual(["one"]);
  });

  it("PROTO 3.1.6 takes the channel from the message and not from the NATS subject", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const payload = encodePubMsg({ guid: "g", subject: "inside", connId: client.connId });
    await ask(client, `${PUB}.outside`, payload);
    expect(stage.engine.inspection.channelNames()).toEqual(["inside"]);
  });

  it("PROTO 9.1 rule 3 stores the same guid twice, because nothing is de-duplicated", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const payload = encodePubMsg({ guid: "same", subject: "foo", connId: client.connId });
    await ask(client, `${PUB}.foo`, payload);
    await ask(client, `${PUB}.foo`, payload);
    expect(messages(stage, "foo")).toBe(2);
  });

  it("PROTO 9.1 rule 7 PROTO 13.2 sends the messages of a batch to subscribers before their PubAcks, both in order", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    const events: string[] = [];
    client.bus.subscribe(subscription.inbox, () => events.push("message"));
    for (let i = 1; i <= 8; i++) client.publishLater("foo", `${i}`, () => events.push(`ack ${i}`));
    await stage.clock.settle();
    expect(events).toEqual([...new Array(8).fill("message"), ...[1, 2, 3, 4, 5, 6, 7, 8].map((i) => `ack ${i}`)]);
    expect(subscription.seen.map(({ data }) => data)).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
  });

  it.each([0, 1, 50, 1024])("DLV-G4 stores a burst in batches of at most %d", async (batchSize) => {
    const stage = await setStage({ batchSize });
    const client = await stage.client("me");
    const flushes: number[] = [];
    const flush = stage.store.flush.bind(stage.store);
    let before = 0;
    stage.store.flush = () => {
      const now = messages(stage, "foo");
      flushes.push(now - before);
      before = now;
      return flush();
    };
    for (let i = 0; i < 205; i++) client.publishLater("foo", `${i}`);
    await stage.clock.settle();
    expect(messages(stage, "foo")).toBe(205);
    expect(Math.max(...flushes)).toBe(Math.min(205, Math.max(1, batchSize)));
  });

  it("DLV-G4 waits for more when io_sleep_time says so", async () => {
    const stage = await setStage({ batchSleepMillis: 0.5 });
    const client = await stage.client("me");
    const acks: number[] = [];
    client.publishLater("foo", "1", () => acks.push(1));
    await stage.clock.settle();
    client.publishLater("foo", "2", () => acks.push(2));
    await stage.clock.settle();
    expect(acks).toEqual([]);
    await stage.pass(0.5);
    expect(acks).toEqual([1, 2]);
  });

  it("DLV 2.4 gives messages of one turn timestamps that ascend, and never goes back with the clock", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    const stamps: bigint[] = [];
    client.bus.subscribe(subscription.inbox, (message) => {
      stamps.push(decodedValue(decodeMsgProto(message.bytes, message.start, message.end)).timestamp);
    });
    for (let i = 0; i < 3; i++) client.publishLater("foo", "");
    await stage.clock.settle();
    stage.clock.setWall(1_000);
    await client.publish("foo");
    const [first = 0n] = stamps;
    expect(stamps).toEqual([first, first + 1n, first + 2n, first + 2n]);
  });

  it("PROTO 9.1 rule 6 PK7 DK8 refuses a message that no subscriber could ever receive", async () => {
    const stage = await setStage();
    const client = await stage.client("m", { connId: new Uint8Array(0) });
    const overhead =
      encodePubMsg({ clientId: "m", guid: "g", subject: "f", data: new Uint8Array(1_048_000) }).length - 1_048_000;
    const payload = encodePubMsg({
      clientId: "m",
      guid: "g",
      subject: "f",
      data: new Uint8Array(1_048_576 - overhead),
    });
    expect(payload.length).toBe(1_048_576);
    expect((await ask(client, `${PUB}.f`, payload))?.error).toContain("cannot be delivered within the maximum payload");
    expect(await client.publish("f")).toBe("stan: invalid publish request");
    expect(messages(stage, "f")).toBe(0);
  });

  it("PROTO 9.1 rule 5 PROTO 11.1 delivers the reply as it was and drops the checksum", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    const seen: MsgProto[] = [];
    client.bus.subscribe(subscription.inbox, ({ bytes, start, end, reply }) => {
      expect(reply).toBe("");
      seen.push(decodedValue(decodeMsgProto(bytes.slice(start, end))));
    });
    const publish = { guid: "g", subject: "foo", reply: "answer.here\xff", connId: client.connId };
    await ask(
      client,
      `${PUB}.foo`,
      encodePubMsg({ ...publish, sha256: byteStringBytes("\x01\x02"), data: byteStringBytes("\0") }),
    );
    await ask(client, `${PUB}.foo`, encodePubMsg({ ...publish, reply: "" }));
    expect(seen).toMatchObject([
      { sequence: 1n, subject: "foo", reply: "answer.here\xff", redelivered: false, redeliveryCount: 0, crc32: 0 },
      { sequence: 2n, subject: "foo", reply: "", data: new Uint8Array(0) },
    ]);
    expect([...seen[0]!.data]).toEqual([0]);
  });

  it("PROTO 9.1 rule 4 stores what names no subject for the PubAck", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    client.publishQuietly("foo");
    await stage.clock.settle();
    expect(messages(stage, "foo")).toBe(1);
  });

  it("counts what comes in and what goes out", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    await client.subscribe("foo");
    await client.subscribe("foo");
    for (let i = 0; i < 5; i++) await client.publish("foo");
    expect(stage.engine.inspection.statistics).toMatchObject({ inMessages: 5, outMessages: 10 });
    await stage.pass(1000);
    expect(stage.engine.inspection.statistics).toMatchObject({ inMessages: 5, outMessages: 20 });
  });
});
