import { durationFromMillis } from "@nats-streaming/kernel";
import { StartPosition } from "@nats-streaming/protocol/stan";
import { StoreError } from "@nats-streaming/store";
import { describe, expect, it } from "vitest";
import type { Stage, TestClient, TestSubscription } from "../test/harness.ts";
import { type PersistentStage, setPersistentStage } from "../test/persistent-stage.ts";

const grp = { qGroup: "grp" };
const dur = { durableName: "dur" };
const unreadable = new StoreError("read_failed", "input/output error");

const publish = async (client: TestClient, count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await client.publish("foo");
};

const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

const inspected = (stage: Stage) => stage.engine.inspection.channel("foo")?.subscriptions() ?? [];

/** A stage on which nothing is in memory, and loads wait for the test. */
async function coldStage(messages: number): Promise<{ stage: PersistentStage; client: TestClient }> {
  const stage = await setPersistentStage();
  const client = await stage.client("me");
  await publish(client, messages);
  stage.store.isCold = () => true;
  stage.store.holding.add("load");
  return { stage, client };
}

/** Lets all loads end that are held, and those that follow. */
async function releaseLoads(stage: PersistentStage): Promise<void> {
  while (stage.store.heldCount("load") > 0) {
    stage.store.release("load");
    await stage.clock.settle();
  }
}

describe("new messages that have to be read first", () => {
  it.each([
    ["plain", {}],
    ["queue", grp],
    ["durable", dur],
  ])("DLV-V5 arrive in order and once, with publishes going on (%s)", async (_, kind) => {
    const { stage, client } = await coldStage(600);
    const subscription = await client.subscribe("foo", kind, { autoAck: true });
    await publish(client, 3);
    stage.store.release("load");
    await stage.clock.settle();
    expect(subscription.sequences).toEqual(upTo(256));
    client.publishQuietly("foo");
    await releaseLoads(stage);
    expect(subscription.sequences).toEqual(upTo(604));
  });

  it("DLV-V5 are not skipped when they are stored while the look-up runs", async () => {
    const { stage, client } = await coldStage(1);
    const subscription = await client.subscribe("foo");
    stage.store.isAsync = true;
    client.publishQuietly("foo");
    stage.store.release("load");
    client.publishQuietly("foo");
    await stage.clock.settle();
    client.publishQuietly("foo");
    await stage.clock.settle();
    await releaseLoads(stage);
    expect(subscription.sequences).toEqual([1, 2, 3, 4]);
  });

  it("are asked for once, however many batches are published meanwhile", async () => {
    const { stage, client } = await coldStage(1);
    const plain = await client.subscribe("foo");
    const member = await client.subscribe("foo", grp);
    await publish(client, 5);
    expect(stage.store.heldCount("load")).toBe(2);
    await releaseLoads(stage);
    expect([plain.sequences, member.sequences]).toEqual([upTo(6), upTo(6)]);
  });

  it("DLV-X7 are delivered at the next trigger after they could not be read", async () => {
    const { stage, client } = await coldStage(3);
    const plain = await client.subscribe("foo");
    const member = await client.subscribe("foo", grp);
    stage.store.refuse("load", unreadable);
    stage.store.refuse("load", unreadable);
    await stage.clock.settle();
    const line = "ERR Error looking up message foo:1 (input/output error)";
    expect(stage.logger.lines.filter((text) => text === line)).toHaveLength(2);
    await publish(client, 1);
    await releaseLoads(stage);
    expect([plain.sequences, member.sequences]).toEqual([upTo(4), upTo(4)]);
  });

  it.each(["close", "unsubscribe"] as const)("DLV-V6 are not sent after a %s, nor does a timer run", async (how) => {
    const { stage, client } = await coldStage(3);
    const quiet = stage.clock.timerCount;
    for (const kind of [{}, dur, grp]) {
      const subscription = await client.subscribe("foo", kind);
      expect(await subscription[how]()).toBe("");
      await releaseLoads(stage);
      expect([subscription.seen, stage.clock.timerCount]).toEqual([[], quiet]);
    }
  });

  it("go to a durable that was closed and resumed meanwhile, once and after its response", async () => {
    const { stage, client } = await coldStage(3);
    const first = await client.subscribe("foo", dur);
    await first.close();
    stage.store.holding.add("flush");
    const second = client.subscribeLater("foo", dur);
    await stage.clock.settle();
    await releaseLoads(stage);
    expect([first.order, second.order]).toEqual(["", ""]);
    stage.store.holding.delete("flush");
    stage.store.release("flush");
    await stage.clock.settle();
    await releaseLoads(stage);
    expect([first.order, second.order, second.early]).toEqual(["", "1 2 3", 0]);
  });

  it("go to the members that a queue group then has", async () => {
    const { stage, client } = await coldStage(4);
    const first = await client.subscribe("foo", grp);
    const second = await client.subscribe("foo", grp);
    await first.close();
    await releaseLoads(stage);
    expect([first.order, second.order]).toEqual(["", "1 2 3 4"]);
  });

  it("do not go to a later group of the same name from the former one's position", async () => {
    const { stage, client } = await coldStage(4);
    const first = await client.subscribe("foo", grp);
    await first.close();
    const second = await client.subscribe("foo", { ...grp, startPosition: StartPosition.lastReceived });
    await releaseLoads(stage);
    expect([first.order, second.order]).toEqual(["", "4"]);
  });

  it("are skipped when limits remove them meanwhile", async () => {
    const stage = await setPersistentStage({ limits: { maxMessages: 2 } });
    const client = await stage.client("me");
    await publish(client, 2);
    stage.store.isCold = () => true;
    stage.store.holding.add("load");
    const subscription = await client.subscribe("foo");
    await publish(client, 2);
    await releaseLoads(stage);
    expect(subscription.order).toBe("3 4");
  });

  it("DLV 5.1 of one subscription do not hold up the response or the messages of another", async () => {
    const { stage, client } = await coldStage(3);
    stage.store.isCold = (_, sequence) => sequence === 1;
    const slow = await client.subscribe("foo");
    const quick = await client.subscribe("foo", { startPosition: StartPosition.lastReceived });
    expect([slow.error, slow.order, quick.order]).toEqual(["", "", "3"]);
  });
});

describe("pending messages that have to be read first", () => {
  /** A subscription with three pending messages, whose redelivery has to read them. */
  async function due(
    kind: object,
    others: readonly object[] = [],
  ): Promise<{ stage: PersistentStage; client: TestClient; all: TestSubscription[] }> {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    const all = [await client.subscribe("foo", kind)];
    await publish(client, 3);
    for (const other of others) all.push(await client.subscribe("foo", other));
    stage.store.isCold = () => true;
    stage.store.holding.add("load");
    await stage.pass(1000);
    expect(stage.store.heldCount("load")).toBe(1);
    return { stage, client, all };
  }

  it.each([
    ["plain", {}],
    ["queue", grp],
  ])("DLV-R21 are not redelivered when acknowledged meanwhile (%s)", async (_, kind) => {
    const { stage, all } = await due(kind);
    all[0]!.ack(1, 3);
    await releaseLoads(stage);
    expect(all[0]!.order).toBe("1 2 3 2R1");
    all[0]!.ack(2);
    await stage.pass(5000);
    expect(all[0]!.order).toBe("1 2 3 2R1");
  });

  it("DLV-R21 are not redelivered to another member when acknowledged meanwhile on its inbox", async () => {
    const { stage, all } = await due(grp, [grp]);
    all[1]!.ack(1, 2);
    all[0]!.ack(3);
    await releaseLoads(stage);
    await stage.pass(3000);
    expect(all.map(({ order }) => order)).toEqual(["1 2 3", ""]);
    expect(inspected(stage).map(({ pendingCount }) => pendingCount)).toEqual([0, 0]);
  });

  it.each([
    ["plain", {}, "close"],
    ["plain", {}, "unsubscribe"],
    ["durable", dur, "close"],
    ["durable", dur, "unsubscribe"],
    ["queue", grp, "close"],
  ] as const)("DLV-R3 DLV-V7 are not sent to a %s subscription after its end (%o, %s)", async (_, kind, how) => {
    const { stage, all } = await due(kind);
    expect(await all[0]![how]()).toBe("");
    await releaseLoads(stage);
    await stage.pass(5000);
    expect(all[0]!.order).toBe("1 2 3");
    expect(stage.store.heldCount("load")).toBe(0);
  });

  it("DLV-R3 are sent once, by the member that inherits them", async () => {
    const { stage, all } = await due({ ...grp, ackWaitInSecs: 1 }, [{ ...grp, ackWaitInSecs: 30 }]);
    await all[0]!.close();
    await stage.pass(50);
    await releaseLoads(stage);
    expect(all.map(({ order }) => order)).toEqual(["1 2 3", ""]);
    await stage.pass(50);
    await releaseLoads(stage);
    await stage.pass(5000);
    expect(all.map(({ order }) => order)).toEqual(["1 2 3", "1R1 2R1 3R1"]);
  });

  it("are not sent to a durable that is resumed meanwhile before its response, and then once", async () => {
    const { stage, client, all } = await due(dur);
    await all[0]!.close();
    stage.store.holding.add("flush");
    const resumed = client.subscribeLater("foo", { ...dur, ackWaitInSecs: 30 });
    await stage.clock.settle();
    await releaseLoads(stage);
    expect(resumed.order).toBe("");
    stage.store.holding.delete("flush");
    stage.store.release("flush");
    await stage.clock.settle();
    await releaseLoads(stage);
    await stage.pass(5000);
    expect([resumed.order, resumed.early]).toEqual(["1R1 2R1 3R1", 0]);
  });

  it("of a resume are not sent to the next resume before its response, and then once", async () => {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    await publish(client, 3);
    await first.close();
    stage.store.isCold = () => true;
    stage.store.holding.add("load");
    const second = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    expect([second.error, second.order]).toEqual(["", ""]);
    expect(await second.close()).toBe("");
    stage.store.holding.add("flush");
    const third = client.subscribeLater("foo", { ...dur, ackWaitInSecs: 30 });
    await stage.clock.settle();
    await releaseLoads(stage);
    client.publishQuietly("foo");
    await stage.clock.settle();
    expect([second.order, third.order]).toEqual(["", ""]);
    stage.store.holding.delete("flush");
    while (stage.store.heldCount("flush") > 0) {
      stage.store.release("flush");
      await stage.clock.settle();
    }
    await releaseLoads(stage);
    expect([second.order, third.order, third.early]).toEqual(["", "1R1 2R1 3R1 4", 0]);
  });

  it("of a durable that is replaced meanwhile go to the new inbox only, after its response", async () => {
    const stage = await setPersistentStage({ replaceDurable: true });
    const client = await stage.client("me");
    const first = await client.subscribe("foo", dur);
    await publish(client, 2);
    stage.store.isCold = () => true;
    stage.store.holding.add("load");
    await stage.pass(1000);
    const second = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    await releaseLoads(stage);
    expect([first.order, second.order, second.early]).toEqual(["1 2", "1R1 2R1", 0]);
  });

  it("DLV-D9 come before new messages when a durable resumes, though they take time to read", async () => {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    await publish(client, 3);
    await first.close();
    stage.store.isCold = () => true;
    stage.store.holding.add("load");
    const second = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30, maxInFlight: 2 });
    await publish(client, 2);
    second.ack(2);
    expect(second.order).toBe("");
    await releaseLoads(stage);
    expect(second.order).toBe("1R1 3R1");
    second.ack(1);
    await releaseLoads(stage);
    expect(second.order).toBe("1R1 3R1 4");
  });

  it("DLV-X7 stay pending when they cannot be read, and come when that is over", async () => {
    const { stage, all } = await due({});
    stage.store.holding.delete("load");
    stage.store.failing.set("load", unreadable);
    stage.store.refuse("load", unreadable);
    await stage.clock.settle();
    const line = (sequence: number): string =>
      `ERR Error getting message for redelivery subid=1, seq=${sequence}, err=input/output error`;
    for (const sequence of [1, 2, 3]) expect(stage.logger.lines).toContain(line(sequence));
    expect(all[0]!.order).toBe("1 2 3");
    stage.store.failing.delete("load");
    await stage.pass(1000);
    expect(all[0]!.trace()).toBe("1@0.00 2@0.00 3@0.00 1R1@2.00 2R1@2.00 3R1@2.00");
  });

  it("DLV-X7 hold up neither the resume of a durable nor its new messages when they cannot be read", async () => {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo", dur);
    await publish(client, 2);
    await first.close();
    stage.store.isCold = (_, sequence) => sequence <= 2;
    stage.store.failing.set("load", unreadable);
    const second = await client.subscribe("foo", dur);
    await publish(client, 1);
    expect(second.order).toBe("3");
    stage.store.failing.delete("load");
    await stage.pass(1100);
    expect(second.order).toBe("3 1R1 2R1 3R1");
  });

  it("are redelivered once when reading takes longer than the ack wait", async () => {
    const { stage, client, all } = await due({});
    client.publishQuietly("foo");
    await stage.pass(3500);
    stage.store.holding.delete("load");
    await releaseLoads(stage);
    expect(all[0]!.order).toBe("1 2 3 1R1 2R1 3R1 4");
    await stage.pass(1000);
    const second = all[0]!.seen.filter(({ count }) => count === 2);
    expect(second.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });

  it("are dropped when limits remove them meanwhile", async () => {
    const stage = await setPersistentStage({ limits: { maxAge: durationFromMillis(1500) } });
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { maxInFlight: 2 });
    await publish(client, 2);
    stage.store.isCold = () => true;
    stage.store.holding.add("load");
    await stage.pass(1400);
    await publish(client, 1);
    await stage.pass(200);
    await releaseLoads(stage);
    expect(subscription.order).toBe("1 2 3");
    expect(stage.store.disk.recorded("foo")).toMatchObject([{ pending: [3] }]);
  });

  it("DLV 11.2 are read, after a restart, before their deadline is known; acks meanwhile count", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { ackWaitInSecs: 2 });
    await publish(client, 3);
    await stage.stop();
    stage = await stage.start({
      prepare(store) {
        store.isCold = () => true;
        store.holding.add("load");
      },
    });
    subscription.ack(1, 2);
    await publish(client, 1);
    expect(subscription.order).toBe("1 2 3");
    await releaseLoads(stage);
    expect(subscription.order).toBe("1 2 3 4");
    stage.store.isCold = () => false;
    await stage.pass(2000);
    expect(subscription.order).toBe("1 2 3 4 3R1 4R1");
  });

  it.each([
    ["plain", {}],
    ["queue", grp],
    ["durable", dur],
  ])("DLV 11.2 are not sent, after a restart, to a %s subscription that ends meanwhile", async (_, kind) => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", kind);
    await publish(client, 3);
    await stage.stop();
    await stage.pass(5000);
    stage = await stage.start({
      prepare(store) {
        store.isCold = () => true;
        store.holding.add("load");
      },
    });
    expect(await subscription.close()).toBe("");
    await releaseLoads(stage);
    await stage.pass(5000);
    expect(subscription.order).toBe("1 2 3");
  });

  it("DLV 11.2 are not sent, after a restart, to a durable that is closed and resumed meanwhile before its response", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const before = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    await publish(client, 2);
    await stage.stop();
    await stage.pass(31_000);
    stage = await stage.start({
      prepare(store) {
        store.isCold = () => true;
        store.holding.add("load");
      },
    });
    await before.close();
    stage.store.holding.add("flush");
    const after = client.subscribeLater("foo", { ...dur, ackWaitInSecs: 30 });
    await stage.clock.settle();
    await releaseLoads(stage);
    expect([before.order, after.order]).toEqual(["1 2", ""]);
    stage.store.holding.delete("flush");
    stage.store.release("flush");
    await stage.clock.settle();
    await releaseLoads(stage);
    expect([before.order, after.order, after.early]).toEqual(["1 2", "1R1 2R1", 0]);
  });
});

describe("a durable that is resumed while a restart still reads for it", () => {
  it("DLV 11.2 gets everything that is pending at its resume", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const before = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    await publish(client, 2);
    stage = await stage.restart({
      prepare(store) {
        store.isCold = () => true;
        store.holding.add("load");
      },
    });
    await before.close();
    const after = await client.subscribe("foo", { ...dur, ackWaitInSecs: 30 });
    expect([after.error, after.order]).toEqual(["", ""]);
    await releaseLoads(stage);
    await stage.pass(29_000);
    expect([before.order, after.order]).toEqual(["1 2", "1R1 2R1"]);
  });
});

describe("a start position that takes time to find", () => {
  const fromTime = { startPosition: StartPosition.timeDeltaStart, startTimeDelta: 60_000_000_000n };

  it("PROTO 10.1.12 DLV-X6 refuses the subscription with the store's own text, and leaves nothing of it", async () => {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    await publish(client, 1);
    stage.store.failing.set("sequenceFromTimestamp", unreadable);
    for (const kind of [{}, dur, grp, { ...dur, ...grp }]) {
      expect((await client.subscribe("foo", { ...kind, ...fromTime })).error).toBe("input/output error");
    }
    expect(stage.engine.inspection.subscriptionCount()).toBe(0);
    expect(stage.engine.inspection.client("me")?.subscriptionCount).toBe(0);
    expect(stage.logger.lines).toContain('ERR Unable to create subscription on "foo": input/output error');
    stage.store.failing.clear();
    expect((await client.subscribe("foo", { ...dur, ...fromTime })).order).toBe("1");
  });

  it("PROTO 10.1.13 DLV-S22 refuses the request when its client is closed meanwhile", async () => {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    await publish(client, 1);
    stage.store.holding.add("sequenceFromTimestamp");
    const subscription = client.subscribeLater("foo", { ...dur, ...fromTime });
    await stage.clock.settle();
    expect(await client.close()).toBe("");
    stage.store.release("sequenceFromTimestamp");
    await stage.clock.settle();
    expect(subscription.error).toBe("stan: unknown clientID");
    expect(stage.engine.inspection.subscriptionCount()).toBe(0);
  });

  it("DLV-S22 refuses the request when its client is closed before its record is flushed", async () => {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    stage.store.holding.add("flush");
    const subscriptions = [{}, dur, grp].map((kind) => client.subscribeLater("foo", kind));
    await stage.clock.settle();
    const closing = client.close();
    await stage.clock.settle();
    stage.store.holding.clear();
    stage.store.release("flush");
    await stage.clock.settle();
    await closing;
    expect(subscriptions.map(({ error }) => error)).toEqual(new Array(3).fill("stan: unknown clientID"));
    expect(inspected(stage)).toMatchObject([{ durableName: "dur", isOffline: true }]);
  });

  it("lets the second of two requests for one durable fail, and both members join one group", async () => {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    await publish(client, 2);
    stage.store.holding.add("sequenceFromTimestamp");
    const durables = [dur, dur].map((kind) => client.subscribeLater("foo", { ...kind, ...fromTime }));
    const members = [grp, grp].map((kind) => client.subscribeLater("foo", { ...kind, ...fromTime }));
    await stage.clock.settle();
    stage.store.holding.clear();
    while (stage.store.held.length > 0) stage.store.release("sequenceFromTimestamp");
    await stage.clock.settle();
    expect(durables.map(({ error }) => error)).toEqual(["", "stan: duplicate durable registration"]);
    expect(members.flatMap(({ sequences }) => sequences).sort()).toEqual([1, 2]);
    expect(inspected(stage)).toHaveLength(3);
  });

  it("DLV 13.7 keeps the channel from being deleted for inactivity", async () => {
    const stage = await setPersistentStage({ limits: { maxInactivity: durationFromMillis(1000) } });
    const client = await stage.client("me");
    await publish(client, 1);
    await stage.pass(900);
    stage.store.holding.add("sequenceFromTimestamp");
    const subscription = client.subscribeLater("foo", fromTime);
    await stage.pass(5000);
    stage.store.release("sequenceFromTimestamp");
    await stage.clock.settle();
    expect([subscription.error, subscription.order]).toEqual(["", "1"]);
  });
});
