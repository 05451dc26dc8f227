import { durationFromMillis } from "@nats-streaming/kernel";
import { recordingLogger } from "@nats-streaming/kernel/testing";
import { byteStringBytes } from "@nats-streaming/protocol";
import { encodeCloseRequest, encodeConnectRequest, encodePubMsg, StartPosition } from "@nats-streaming/protocol/stan";
import { describe, expect, it } from "vitest";
import { CLUSTER, type Stage, setStage, TestClient } from "../test/harness.ts";

const SUB = `_STAN.sub.${CLUSTER}`;

/** The lines of these levels since the last call. */
function taken(stage: Stage, ...levels: string[]): string[] {
  return stage.logger.lines.splice(0).filter((line) => levels.includes(line.slice(0, 3)));
}

/** Texts that people and their tools know. */
describe("OPS 1.4 log lines", () => {
  it("tell of channels that come and go", async () => {
    const stage = await setStage({ limits: { maxInactivity: durationFromMillis(1500) } });
    const client = await stage.client("me");
    taken(stage);
    await client.publish("foo");
    expect(taken(stage, "INF", "DBG")).toEqual([
      'DBG Channel "foo" delete timer set to fire in 1.5s',
      'INF Channel "foo" has been created',
    ]);
    const subscription = await client.subscribe("foo");
    expect(taken(stage, "DBG")[0]).toBe('DBG Channel "foo" delete timer stopped');
    await subscription.unsubscribe();
    expect(taken(stage, "DBG")).toContain('DBG Channel "foo" delete timer set to fire in 1.5s');
    await stage.pass(500);
    await client.publish("foo");
    taken(stage);
    await stage.pass(1000);
    expect(taken(stage, "DBG")).toEqual(['DBG Channel "foo" cannot be deleted now, reset timer to fire in 500ms']);
    await stage.pass(500);
    expect(taken(stage, "DBG", "INF")).toEqual([
      'DBG Channel "foo" is being deleted',
      'INF Channel "foo" has been deleted',
    ]);
  });

  it("tell of clients", async () => {
    const stage = await setStage({ heartbeatIntervalMillis: 1000, heartbeatTimeoutMillis: 100, heartbeatFailCount: 0 });
    taken(stage);
    const first = await stage.client("me");
    expect(taken(stage, "DBG")).toEqual([`DBG [Client:me] Connected (Inbox=${first.heartbeatInbox})`]);
    const second = new TestClient("me", stage.network.connect(), stage.clock);
    await second.connect();
    expect(taken(stage, "DBG")).toEqual(["DBG [Client:me] Connect failed; already connected"]);
    first.crash();
    await second.connect();
    expect(taken(stage, "DBG")).toEqual([
      `DBG [Client:me] Closed (Inbox=${first.heartbeatInbox})`,
      `DBG [Client:me] Replaced old client (Inbox=${second.heartbeatInbox})`,
    ]);
    second.crash();
    await stage.pass(1100);
    expect(taken(stage, "DBG", "ERR")).toEqual([
      "ERR [Client:me] Timed out on heartbeats",
      `DBG [Client:me] Closed (Inbox=${second.heartbeatInbox})`,
    ]);
  });

  it("tell of requests that make no sense", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    taken(stage);
    const send = async (subject: string, payload: Uint8Array): Promise<string[]> => {
      await client.ask(subject, payload);
      return taken(stage, "ERR");
    };
    const connect = `_STAN.discover.${CLUSTER}`;
    expect(await send(connect, encodeConnectRequest({ clientId: "a.b", heartbeatInbox: "in" }))).toEqual([
      "ERR [Client:a.b] Invalid ClientID, only alphanumeric and `-` or `_` characters allowed",
    ]);
    expect((await send(connect, encodeConnectRequest({ clientId: "id" })))[0]).toMatch(
      /^ERR \[Client:\?\] Invalid conn request: ClientID=id, Inbox=, err=./,
    );
    const close = `_STAN.close.${CLUSTER}`;
    expect(await send(close, encodeCloseRequest({ clientId: "who" }))).toEqual([
      'ERR Unknown client "who" in close request',
    ]);
    expect(await send(close, byteStringBytes("\xff"))).toEqual([
      `ERR Received invalid close request, subject=${close}`,
    ]);
    const publish = `_STAN.pub.${CLUSTER}.foo`;
    expect((await send(publish, byteStringBytes("\xff")))[0]).toMatch(/^ERR Unable to unmarshal PubMsg: ./);
    const secret = encodePubMsg({ clientId: "who", guid: "g1", subject: "foo", data: Buffer.from("secret") });
    const [line] = await send(publish, secret);
    expect(line).toMatch(/^ERR Received invalid client publish message .*"who".*"g1".*"foo"/);
    expect(line).not.toContain("secret");
    expect((await send(SUB, byteStringBytes("\xff")))[0]).toMatch(
      new RegExp(`^ERR Invalid Subscription request from ${SUB}: .`),
    );
  });

  it("tell of subscription requests that are refused", async () => {
    const stage = await setStage({ limits: { maxSubscriptions: 1, maxChannels: 1 } });
    const client = await stage.client("me");
    taken(stage);
    const refused = async (channel: string, request: object): Promise<string[]> => {
      expect((await client.subscribe(channel, request)).error).not.toBe("");
      return taken(stage, "ERR");
    };
    expect(await refused("foo", { clientId: "" })).toEqual([
      `ERR Missing ClientID in subscription request from ${SUB}`,
    ]);
    expect(await refused("foo", { ackWaitInSecs: 0 })).toEqual([
      `ERR [Client:me] Invalid AckWait (0) in subscription request from ${SUB}`,
    ]);
    expect(await refused("foo", { maxInFlight: -1 })).toEqual([
      `ERR [Client:me] Invalid MaxInflight (-1) in subscription request from ${SUB}`,
    ]);
    expect(await refused("foo", { startPosition: 5 })).toEqual([
      `ERR [Client:me] Invalid StartPosition (5) in subscription request from ${SUB}`,
    ]);
    expect(await refused("foo.*", {})).toEqual([
      `ERR [Client:me] Invalid channel "foo.*" in subscription request from ${SUB}`,
    ]);
    expect(await refused("foo", { durableName: "a:b", qGroup: "g" })).toEqual([
      'ERR [Client:me] Invalid DurableName ("a:b") for queue subscriber from foo',
    ]);
    await client.subscribe("foo", { durableName: "dur" });
    expect(await refused("foo", { durableName: "dur" })).toEqual([
      "ERR [Client:me] Duplicate durable subscription registration",
    ]);
    expect(await refused("foo", {})).toEqual([
      'ERR Unable to create subscription on "foo": too many subscriptions per channel',
    ]);
    expect(await refused("bar", {})).toEqual(['ERR Creating channel "bar" failed: too many channels']);
    await client.publish("bar");
    expect(taken(stage, "ERR")).toEqual([
      'ERR Creating channel "bar" failed: too many channels',
      `ERR [Client:me] Error processing message for subject "_STAN.pub.${CLUSTER}.bar": too many channels`,
    ]);
  });

  it("tell of unsubscribe requests that find nothing", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const other = await stage.client("other");
    const subscription = await client.subscribe("foo");
    taken(stage);
    for (const [how, action] of [
      ["unsubscribe", "unsub"],
      ["close", "sub close"],
    ] as const) {
      const ended = async (change: object): Promise<string[]> => {
        const strange = await other.subscribe("foo");
        Object.assign(strange, change);
        await strange[how]();
        return taken(stage, "ERR");
      };
      expect(await ended({ channel: "nope" })).toEqual([
        `ERR [Client:other] ${action} request for unknown channel nope`,
      ]);
      expect(await ended({ ackInbox: "nope" })).toEqual([
        `ERR [Client:other] ${action} request for unknown inbox nope`,
      ]);
      expect(await ended({ ackInbox: subscription.ackInbox })).toEqual([
        `ERR [Client:other] ${action} request for unknown client`,
      ]);
    }
  });

  it("tell of the life of subscriptions", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    await client.publish("foo");
    await client.publish("foo");
    const lines: string[] = [];
    const note = (): void => {
      lines.push(...taken(stage, "DBG").map((line) => line.replace(/inbox=[^,]+/, "inbox=in")));
    };
    taken(stage);
    const day = 86_400_000_000_000n;
    const starts = [
      { startPosition: StartPosition.newOnly },
      { startPosition: StartPosition.first },
      { startPosition: StartPosition.lastReceived },
      { startPosition: StartPosition.sequenceStart, startSequence: 9n },
      { startPosition: StartPosition.timeDeltaStart, startTimeDelta: day },
    ];
    for (const start of starts) {
      await client.subscribe("foo", start);
      note();
    }
    const kinds = [{ durableName: "dur" }, { qGroup: "grp" }, { durableName: "dur", qGroup: "grp" }];
    for (const kind of kinds) {
      const first = await client.subscribe("foo", { ...kind, startPosition: StartPosition.newOnly });
      note();
      if ("qGroup" in kind) {
        const second = await client.subscribe("foo", kind);
        note();
        await second.close();
        note();
      }
      if ("durableName" in kind) {
        await first.close();
        note();
        const resumed = await client.subscribe("foo", kind);
        note();
        await resumed.unsubscribe();
      } else await first.close();
      note();
    }
    const plain = await client.subscribe("foo");
    taken(stage);
    await plain.unsubscribe();
    note();
    const at = (what: string): string => `DBG [Client:me] ${what}`;
    const foo = "subscription, subject=foo, inbox=in,";
    expect(lines).toEqual([
      at(`Started new ${foo} subid=1, sending new-only, seq=3`),
      at(`Started new ${foo} subid=2, sending from beginning, seq=1`),
      at(`Started new ${foo} subid=3, sending last message, seq=2`),
      at(`Started new ${foo} subid=4, sending from sequence, asked_seq=9 actual_seq=3`),
      at(`Started new ${foo} subid=5, sending from time time='2023-11-13T22:13:20.000Z' seq=1`),
      at(`Started new durable ${foo} durable=dur, subid=6, sending new-only, seq=3`),
      at(`Suspended durable ${foo} durable=dur, subid=6`),
      at(`Resumed durable ${foo} durable=dur, subid=6`),
      at(`Removed durable ${foo} durable=dur, subid=6`),
      at(`Started new queue ${foo} queue=grp, subid=7, sending new-only, seq=3`),
      at(`Added member to queue ${foo} queue=grp, subid=8`),
      at(`Removed member from queue ${foo} queue=grp, subid=8`),
      at(`Removed queue ${foo} queue=grp, subid=7`),
      at(`Started new durable queue ${foo} queue=dur:grp, subid=9, sending new-only, seq=3`),
      at(`Added member to durable queue ${foo} queue=dur:grp, subid=10`),
      at(`Removed member from durable queue ${foo} queue=dur:grp, subid=10`),
      at(`Suspended durable queue ${foo} queue=dur:grp, subid=9`),
      at(`Resumed durable queue ${foo} queue=dur:grp, subid=9`),
      at(`Removed durable queue ${foo} queue=dur:grp, subid=9`),
      at(`Removed ${foo} subid=11`),
    ]);
  });

  it("trace each message from its publisher to its acknowledgement", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    taken(stage);
    const guids: string[] = [];
    client.publishLater("foo", "", (_, guid) => guids.push(guid));
    client.publishQuietly("foo");
    await stage.pass(10);
    subscription.ack(1);
    expect(taken(stage, "TRC")).toEqual([
      `TRC [Client:me] Received message from publisher subj=foo guid=${guids[0]}`,
      "TRC [Client:me] Received message from publisher subj=foo guid=quiet",
      "TRC [Client:me] Delivering msg to subid=1, subject=foo, seq=1",
      "TRC [Client:me] Delivering msg to subid=1, subject=foo, seq=2",
      `TRC [Client:me] Acking Publisher subj=foo guid=${guids[0]}`,
      "TRC [Client:me] Processing ack for subid=1, subject=foo, seq=1",
    ]);
  });

  it("trace redeliveries", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const durable = await client.subscribe("foo", { durableName: "dur" });
    await client.publish("foo");
    await stage.pass(500);
    await client.publish("foo");
    taken(stage);
    await stage.pass(500);
    expect(taken(stage, "TRC", "DBG")).toEqual([
      "TRC [Client:me] Redelivery for subid=1, skipping seq=2",
      "TRC [Client:me] Redelivering msg to subid=1, subject=foo, seq=1",
    ]);
    await durable.close();
    taken(stage);
    await client.subscribe("foo", { durableName: "dur" });
    expect(taken(stage, "TRC", "DBG").slice(1)).toEqual([
      "DBG [Client:me] Redelivering to subid=1, durable=dur",
      "TRC [Client:me] Redelivering to subid=1, seq=1",
      "TRC [Client:me] Redelivering msg to subid=1, subject=foo, seq=1",
      "TRC [Client:me] Redelivering to subid=1, seq=2",
      "TRC [Client:me] Redelivering msg to subid=1, subject=foo, seq=2",
    ]);
    const member = await client.subscribe("foo", { durableName: "dur", qGroup: "grp" });
    await member.close();
    taken(stage);
    await client.subscribe("foo", { durableName: "dur", qGroup: "grp" });
    expect(taken(stage, "DBG")).toContain("DBG [Client:me] Redelivering to subid=2, durable=dur:grp");
  });

  it("of debug and trace level are not made unless they are asked for", async () => {
    const logger = recordingLogger({ debug: false, trace: false });
    const stage = await setStage({ logger, limits: { maxInactivity: durationFromMillis(1000) } });
    logger.lines.length = 0;
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { durableName: "dur" });
    await client.publish("foo");
    await stage.pass(1100);
    await subscription.close();
    await (await client.subscribe("foo", { durableName: "dur" })).unsubscribe();
    await stage.pass(1100);
    await client.close();
    expect(logger.lines).toEqual(['INF Channel "foo" has been created', 'INF Channel "foo" has been deleted']);
  });
});
