import { expect, it } from "vitest";
import { onBothBuses } from "../harness/networks.ts";
import { connectRaw, newInbox, pub } from "../harness/raw-client.ts";
import { connectRawStan, newGuid, SUBJECTS } from "../harness/raw-stan.ts";
import {
  decodeChannelNames,
  decodeCtrlMsg,
  decodePubAck,
  decodeSubscriptionResponse,
  encodeChannelNames,
  encodeConnectRequest,
  encodeCtrlMsg,
  encodePubMsg,
  encodeSubscriptionRequest,
  PARTITIONING,
} from "../harness/stan-wire.ts";
import { readLog } from "../harness/streaming-server.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";
import { partitionConfig } from "./examples.ts";

const PEER = "PEERPEERPEERPEERPEER01";

onBothBuses("the exchange of channel lists", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    return { network, server: await network.startServer({ config: partitionConfig(["foo", "bar.*"]) }) };
  });

  it("PART-03: requests without reply, without body, undecodable or cut short get no reply and do no harm", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const inbox = await raw.subscribe(newInbox());
    const list = encodeCtrlMsg(PARTITIONING, PEER, encodeChannelNames(["foo"]));
    raw.publish(SUBJECTS.partition, list);
    raw.publish(SUBJECTS.partition, "", inbox.subject);
    raw.publish(SUBJECTS.partition, "hello", inbox.subject);
    await server.child.line("[ERR] STREAM: Error processing partitioning request: ");
    const cutShort = encodeCtrlMsg(PARTITIONING, PEER, encodeChannelNames(["foo"]).subarray(0, 4));
    raw.publish(SUBJECTS.partition, cutShort, inbox.subject);
    await server.child.line("[ERR] STREAM: Error processing partitioning request: unable to decode channel, pos=");
    const noSize = encodeCtrlMsg(PARTITIONING, PEER, Buffer.concat([encodeChannelNames(["foo"]), Buffer.from([1])]));
    raw.publish(SUBJECTS.partition, noSize, inbox.subject);
    await server.child.line("[ERR] STREAM: Error processing partitioning request: unable to decode size, pos=5 len=6");

    raw.publish(SUBJECTS.partition, list, inbox.subject);
    const reply = await inbox.messages.take();
    expect(decodeCtrlMsg(reply.payload)).toEqual({
      type: PARTITIONING,
      serverId: server.serverId,
      data: Buffer.from("foo"),
    });
    expect(inbox.messages.all).toHaveLength(1);
  });

  for (const { names, objection } of [
    { names: ["qux", "foo.bar"], objection: "" },
    { names: ["Foo"], objection: "" },
    { names: ["qux", "bar.baz"], objection: "bar.baz" },
    { names: [">"], objection: "foo" },
    { names: ["*.baz"], objection: "*.baz" },
    { names: [], objection: "" },
  ]) {
    it(`PART 7: a list request with [${names.join(", ")}] is answered with "${objection}"`, async () => {
      const stage = testStage();
      const { network, server } = await started();
      const raw = await connectRaw(stage, { port: network.port });
      const reply = await raw.request(SUBJECTS.partition, encodeCtrlMsg(PARTITIONING, PEER, encodeChannelNames(names)));
      expect(decodeCtrlMsg(reply.payload)).toEqual({
        type: PARTITIONING,
        serverId: server.serverId,
        data: Buffer.from(objection),
      });
    });
  }
});

onBothBuses("the exchange of channel lists under a small max_payload", (openNetwork) => {
  const names = Array.from({ length: 100 }, (_, index) => `channel.number.${String(index).padStart(3, "0")}`);

  it("PART-04: splits the list so that every name arrives once, and sees a conflict in any part", async () => {
    const stage = testStage();
    const network = await openNetwork(stage, { natsConfig: "max_payload: 100\n" });
    await network.startServer({ config: partitionConfig(["channel.number.077"]) });
    const watcher = await connectRaw(stage, { port: network.port });
    const requests = await watcher.subscribe(SUBJECTS.partition);

    const end = await network.runServer({ config: partitionConfig(names) });

    expect(end.code).toBe(1);
    expect(readLog(end.stderr.trimEnd().split("\n")).at(-1)?.text).toContain(
      'Failed to start: channel "channel.number.077" causes conflict with channels on server ',
    );
    await watcher.flush();
    const arrived = requests.messages.all.flatMap(({ payload }) => decodeChannelNames(decodeCtrlMsg(payload).data));
    expect(arrived.toSorted()).toEqual(names);
    for (const { payload } of requests.messages.all) expect(payload.length).toBeLessThanOrEqual(100);
    expect(new Set(requests.messages.all.map(({ reply }) => reply)).size).toBe(1);
  });

  it("PART-04, error 7: fails when one name cannot fit", async () => {
    const stage = testStage();
    const network = await openNetwork(stage, { natsConfig: "max_payload: 50\n" });
    const end = await network.runServer({ config: partitionConfig(["channel.number.077"]) });
    expect(end.code).toBe(1);
    expect(readLog(end.stderr.trimEnd().split("\n")).at(-1)).toMatchObject({
      level: "FTL",
      text: "STREAM: Failed to start: unable to send channels list: message payload too small to send channels list",
    });
  });

  it("PART 6.2: a name of 13 bytes still fits a limit of 50", async () => {
    const stage = testStage();
    const network = await openNetwork(stage, { natsConfig: "max_payload: 50\n" });
    await network.startServer({ config: partitionConfig(["channel.is.13"]) });
  });
});

onBothBuses("requests of clients that a partition does not know yet", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    return { network, server: await network.startServer({ config: partitionConfig(["foo"]) }) };
  });

  it("PART-11: a publish by an unknown client fails after the grace time and then at once", async () => {
    const stage = testStage();
    const { network } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const inbox = await raw.subscribe(newInbox());
    const publishAs = (clientId: string): string => {
      const guid = newGuid();
      const message = encodePubMsg({ clientId, guid, channel: "foo", data: "x", connectionId: `CONN-${clientId}` });
      raw.publish("_STAN.pub.test-cluster.foo", message, inbox.subject);
      return guid;
    };
    const first = publishAs("ghost");
    expect(decodePubAck((await inbox.messages.take()).payload)).toEqual({
      guid: first,
      error: "stan: invalid publish request",
    });
    // Sent after it, answered before it: the other one has its grace time, the known one has none.
    const fresh = publishAs("another-ghost");
    const known = publishAs("ghost");
    const acks = (await inbox.messages.takeMany(2)).map(({ payload }) => decodePubAck(payload));
    expect(acks).toEqual([
      { guid: known, error: "stan: invalid publish request" },
      { guid: fresh, error: "stan: invalid publish request" },
    ]);

    const session = await connectRawStan(raw, "ghost", { connectionId: "CONN-ghost" });
    expect((await session.publish("foo", "x")).error).toBe("");
    await session.close();
  });

  it("PART-11, PART-D8: publishes that overtake the connect request are stored, all of them", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const inbox = await raw.subscribe(newInbox());
    const heartbeats = await raw.subscribe(newInbox());
    const connectionId = "CONN-early";
    const guids = Array.from({ length: 5 }, () => newGuid());
    const publishes = guids.map((guid) =>
      pub(
        "_STAN.pub.test-cluster.foo",
        encodePubMsg({ clientId: "early", guid, channel: "foo", data: "early", connectionId }),
        inbox.subject,
      ),
    );
    const request = encodeConnectRequest({
      clientId: "early",
      heartbeatInbox: heartbeats.subject,
      protocol: 1,
      connectionId,
    });
    raw.write(Buffer.concat([...publishes, pub(SUBJECTS.connect, request)]));
    const acks = (await inbox.messages.takeMany(guids.length)).map(({ payload }) => decodePubAck(payload));
    expect(acks).toEqual(guids.map((guid) => ({ guid, error: "" })));
    expect(await server.monitor.clientIds()).toContain("early");
  });

  it("PART-12: a subscription of an unknown client is refused after the grace time", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const request = encodeSubscriptionRequest({ clientId: "phantom", channel: "foo", inbox: newInbox() });
    const answer = await raw.request(SUBJECTS.subscribe, request);
    expect(decodeSubscriptionResponse(answer.payload).error).toBe("stan: invalid subscription request");
    await server.child.line('[Client:phantom] Rejecting subscription on "foo": connection not created yet');
  });

  it("PART-D8: an unknown client's grace time does not hold up others", async () => {
    const stage = testStage();
    const { network } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(raw, "not-held-up");
    const ghosts = await raw.subscribe(newInbox());
    const message = encodePubMsg({ clientId: "holder", guid: newGuid(), channel: "foo", connectionId: "CONN-holder" });
    raw.publish("_STAN.pub.test-cluster.foo", message, ghosts.subject);
    const request = encodeSubscriptionRequest({ clientId: "holder-too", channel: "foo", inbox: newInbox() });
    raw.publish(SUBJECTS.subscribe, request, ghosts.subject);
    expect((await session.publish("foo", "x")).error).toBe("");
    expect((await session.subscribe("foo")).response.error).toBe("");
    expect(ghosts.messages.all).toHaveLength(0);
    await ghosts.messages.takeMany(2);
    await session.close();
  });
});

onBothBuses("entries of one list that overlap", (openNetwork) => {
  it("PART-D1: one publish is stored and counted once however many entries match it", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    const server = await network.startServer({ config: partitionConfig(["foo.*", "foo.bar", "foo.>", "*.bar"]) });
    const raw = await connectRaw(stage, { port: network.port });
    const acks = await raw.subscribe(newInbox());
    const session = await connectRawStan(raw, "overlap");
    const guids = ["foo.bar", "foo.baz", "foo.bar.baz"].map((channel) => {
      const guid = newGuid();
      const message = encodePubMsg({ clientId: "overlap", guid, channel, connectionId: session.connectionId });
      raw.publish(`_STAN.pub.test-cluster.${channel}`, message, acks.subject);
      return guid;
    });
    const first = await acks.messages.takeMany(3);
    expect(first.map(({ payload }) => decodePubAck(payload).guid).toSorted()).toEqual(guids);
    const last = await session.publish("foo.bar", "the second");
    expect(last.error).toBe("");
    expect(acks.messages.all).toHaveLength(3);
    expect((await server.monitor.channel("foo.bar")).msgs).toBe(2);
    expect((await server.monitor.channel("foo.baz")).msgs).toBe(1);
    expect((await server.monitor.get("serverz"))["in_msgs"]).toBe(4);
    await session.close();
  });
});
