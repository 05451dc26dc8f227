import { StartPosition, type SubscriptionRequest } from "@nats-streaming/protocol/stan";
import { describe, expect, it } from "vitest";
import { type Stage, setStage, type TestClient, type TestSubscription } from "../test/harness.ts";
import { setPersistentStage } from "../test/persistent-stage.ts";

const grp = { qGroup: "grp" };
const durGrp = { durableName: "dur", qGroup: "grp" };

const publish = async (client: TestClient, count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await client.publish("foo");
};

const orders = (...members: TestSubscription[]): string[] => members.map(({ order }) => order);

/** As many members of one group as requests, all of one client. */
async function membersOf(
  client: TestClient,
  requests: readonly Partial<SubscriptionRequest>[],
  options: { readonly autoAck?: boolean } = {},
): Promise<TestSubscription[]> {
  const members: TestSubscription[] = [];
  for (const request of requests) members.push(await client.subscribe("foo", { ...grp, ...request }, options));
  return members;
}

const inspected = (stage: Stage) => stage.engine.inspection.channel("foo")?.subscriptions() ?? [];

describe("who gets a message", () => {
  it("PROTO 10.5.4 DLV 8.2 rotates strictly between members that acknowledge at once", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const members = await membersOf(client, [{}, {}, {}], { autoAck: true });
    await publish(client, 12);
    expect(orders(...members)).toEqual(["1 4 7 10", "2 5 8 11", "3 6 9 12"]);
  });

  it("DLV 8.2 gives most to the member that has fewest pending, and DLV 8.5 hands over in two steps", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const requests = new Array(3).fill({ ackWaitInSecs: 30 });
    const [a, b, c] = (await membersOf(client, requests)) as [TestSubscription, TestSubscription, TestSubscription];
    await publish(client, 9);
    expect(orders(a, b, c)).toEqual(["1 4 7", "2 5 8", "3 6 9"]);
    b.ack(2, 5, 8);
    await publish(client, 6);
    expect(orders(a, b, c)).toEqual(["1 4 7 13", "2 5 8 10 11 12 14", "3 6 9 15"]);
    for (const member of [a, b, c]) member.seen.length = 0;
    await b.close();
    await stage.pass(99);
    expect(orders(a, c)).toEqual(["", ""]);
    await stage.pass(1);
    // Who gets which depends on whose timer is served first; that the load is even does not.
    expect([...a.sequences, ...c.sequences].sort()).toEqual([10, 11, 12, 14]);
    expect([a, c].map(({ seen }) => seen.map(({ count }) => count))).toEqual([
      [1, 1],
      [1, 1],
    ]);
    const moved = a.sequences;
    c.seen.length = 0;
    await a.unsubscribe();
    await stage.pass(100);
    const counted = [1, 4, 7, 10, 11, 12, 13].filter(
      (sequence) => sequence < 10 || sequence === 13 || moved.includes(sequence),
    );
    expect(c.order).toBe(counted.map((sequence) => `${sequence}R${moved.includes(sequence) ? 2 : 1}`).join(" "));
  });

  it("DLV-S9 goes on with the group's next message when a member joins, whatever its start position", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo", grp, { autoAck: true });
    await publish(client, 3);
    const positions = [StartPosition.first, StartPosition.newOnly, StartPosition.lastReceived];
    const members = await membersOf(
      client,
      positions.map((startPosition) => ({ startPosition })),
      { autoAck: true },
    );
    await publish(client, 4);
    expect([...first.sequences, ...members.flatMap(({ sequences }) => sequences)].sort()).toEqual([
      1, 2, 3, 4, 5, 6, 7,
    ]);
    expect(members.map(({ sequences }) => sequences.length)).toEqual([1, 1, 1]);
  });

  it("DLV-S8 goes on after what was sent when a durable group is rejoined, whatever the start position", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo", durGrp, { autoAck: true });
    await publish(client, 3);
    await first.close();
    const requests: Partial<SubscriptionRequest>[] = [
      { startPosition: StartPosition.sequenceStart, startSequence: 2n ** 63n },
      { startPosition: StartPosition.timeDeltaStart, startTimeDelta: -60_000_000_000n },
      { startPosition: StartPosition.first },
    ];
    for (const [i, request] of requests.entries()) {
      const member = await client.subscribe("foo", { ...durGrp, ...request }, { autoAck: true });
      expect(member.error).toBe("");
      await publish(client, 1);
      expect(member.order).toBe(`${4 + i}`);
      await member.close();
    }
  });

  it("DLV-Q2 keeps at most max in flight unacknowledged and loses nothing", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const member = await client.subscribe("foo", { ...grp, maxInFlight: 5 });
    await publish(client, 100);
    for (let acked = 0; acked < 100; acked++) {
      expect(member.seen.length - acked).toBeLessThanOrEqual(5);
      member.ack(acked + 1);
    }
    expect(member.sequences).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  it("PROTO 10.5.3 DLV-Q8 keeps a durable group and a plain one of the same name apart", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const pub = await stage.client("pub");
    const plain = await client.subscribe("foo", grp);
    const durable = await client.subscribe("foo", durGrp);
    await publish(pub, 2);
    expect(orders(plain, durable)).toEqual(["1 2", "1 2"]);
    await client.close();
    expect(inspected(stage)).toMatchObject([{ queueName: "dur:grp", isOffline: true, pendingCount: 2 }]);
  });

  it("PROTO 10.5.2 makes one durable group of members from different clients", async () => {
    const stage = await setStage();
    const clients = [await stage.client("one"), await stage.client("two")];
    const members: TestSubscription[] = [];
    for (const client of clients) members.push(await client.subscribe("foo", durGrp, { autoAck: true }));
    await publish(clients[0]!, 4);
    expect(orders(...members)).toEqual(["1 3", "2 4"]);
  });

  it("PROTO 10.5.1 allows any group name, a colon included, in any channel apart", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const colon = await client.subscribe("foo", { qGroup: "a:b" }, { autoAck: true });
    const elsewhere = await client.subscribe("bar", { qGroup: "a:b" }, { autoAck: true });
    const inDurable = await client.subscribe("foo", { qGroup: "a:b", durableName: "d" }, { autoAck: true });
    await publish(client, 2);
    expect(orders(colon, elsewhere, inDurable)).toEqual(["1 2", "", "1 2"]);
    expect(inspected(stage).map(({ queueName }) => queueName)).toEqual(["a:b", "d:a:b"]);
  });

  it("PROTO 10.5.3 PK3 lets a plain group whose name is a durable group's key join it", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const durable = await client.subscribe("foo", durGrp, { autoAck: true });
    const plain = await client.subscribe("foo", { qGroup: "dur:grp" }, { autoAck: true });
    await publish(client, 4);
    expect(orders(durable, plain)).toEqual(["1 3", "2 4"]);
  });
});

describe("one client", () => {
  it("PROTO 10.5.4 may have several members of a group, and several groups", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const members = await membersOf(client, [{}, {}, { qGroup: "other" }, { durableName: "dur" }], { autoAck: true });
    await publish(client, 4);
    expect(orders(...members)).toEqual(["1 3", "2 4", "1 2 3 4", "1 2 3 4"]);
    expect(stage.engine.inspection.client("me")?.subscriptionCount).toBe(4);
  });
});

describe("stalling of a group", () => {
  it("DLV-Q12 leaves the others their messages when one member is stalled", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const slow = await client.subscribe("foo", { ...grp, maxInFlight: 1, ackWaitInSecs: 30 });
    const quick = await client.subscribe("foo", grp, { autoAck: true });
    await publish(client, 10);
    expect(orders(slow, quick)).toEqual(["1", "2 3 4 5 6 7 8 9 10"]);
  });

  it("DLV-Q13 is over as soon as a member with room joins, and costs no look-ups", async () => {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    const requests = new Array(2).fill({ maxInFlight: 1, ackWaitInSecs: 30 });
    const members = await membersOf(client, requests);
    await publish(client, 2);
    const { lookups } = stage.store;
    await publish(client, 3);
    expect(stage.store.lookups).toBe(lookups);
    const third = await client.subscribe("foo", { ...grp, maxInFlight: 10, ackWaitInSecs: 30 });
    expect(orders(...members, third)).toEqual(["1", "2", "3 4 5"]);
  });

  it("DLV-V1 holds the third message of two members with max in flight 1 until an ack", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const [a, b] = await membersOf(client, new Array(2).fill({ maxInFlight: 1, ackWaitInSecs: 30 }));
    await publish(client, 3);
    await stage.pass(20_000);
    expect(orders(a!, b!)).toEqual(["1", "2"]);
    b!.ack(2);
    expect(orders(a!, b!)).toEqual(["1", "2 3"]);
  });

  it("DLV-Q17 does not count a stalled member that left", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const slow = await client.subscribe("foo", { ...grp, maxInFlight: 1, ackWaitInSecs: 30 });
    const quick = await client.subscribe("foo", { ...grp, maxInFlight: 2, ackWaitInSecs: 30 });
    await publish(client, 20);
    expect(orders(slow, quick)).toEqual(["1", "2 3"]);
    await slow.close();
    quick.autoAck = true;
    quick.ack(2, 3);
    await stage.pass(200);
    expect(new Set(quick.sequences)).toEqual(new Set(Array.from({ length: 20 }, (_, i) => i + 1)));
  });

  it("DK12 releases the member that had the message when another one acknowledges it", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const [a, b] = await membersOf(client, new Array(2).fill({ maxInFlight: 1, ackWaitInSecs: 30 }));
    await publish(client, 4);
    expect(orders(a!, b!)).toEqual(["1", "2"]);
    a!.ack(2);
    expect(orders(a!, b!)).toEqual(["1", "2 3"]);
    b!.ack(1);
    expect(orders(a!, b!)).toEqual(["1 4", "2 3"]);
  });

  it("DLV-Q14 loses no wake-up over ten thousand messages and four members", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const members = await membersOf(client, new Array(4).fill({ maxInFlight: 4 }), { autoAck: true });
    for (let i = 0; i < 10_000; i++) {
      client.publishQuietly("foo");
      if (i % 97 === 0) await stage.clock.settle();
    }
    await stage.clock.settle();
    const all = members.flatMap(({ sequences }) => sequences).sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1));
    expect(inspected(stage).map(({ pendingCount }) => pendingCount)).toEqual([0, 0, 0, 0]);
  });
});

describe("a member that leaves", () => {
  it("PROTO 12.2 DLV-S14 removes only itself, or as the last one the group", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    for (const how of ["close", "unsubscribe"] as const) {
      const [a, b] = await membersOf(client, [{}, {}]);
      expect(await a![how]()).toBe("");
      expect(inspected(stage)).toMatchObject([{ queueName: "grp", isOffline: false }]);
      expect(await b![how]()).toBe("");
      expect(inspected(stage)).toEqual([]);
    }
  });

  it("PROTO 12.2 DLV-S15 suspends a durable group by close and removes it by unsubscribe of the last member", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    let [a, b] = await membersOf(client, [durGrp, durGrp]);
    expect([await a!.unsubscribe(), inspected(stage).length]).toEqual(["", 1]);
    expect(await b!.close()).toBe("");
    expect(inspected(stage)).toMatchObject([{ queueName: "dur:grp", isOffline: true }]);
    [a, b] = await membersOf(client, [durGrp, durGrp]);
    expect([await a!.close(), inspected(stage).length]).toEqual(["", 1]);
    expect(inspected(stage)).toMatchObject([{ isOffline: false }]);
    expect(await b!.unsubscribe()).toBe("");
    expect(inspected(stage)).toEqual([]);
  });

  it("DLV-Q1 has its message redelivered promptly, whichever of the ack waits is the long one", async () => {
    for (const waits of [
      [30, 1],
      [1, 30],
      [30, 30],
    ]) {
      const stage = await setStage();
      const client = await stage.client("me");
      const [leaving, staying] = await membersOf(
        client,
        waits.map((ackWaitInSecs) => ({ ackWaitInSecs })),
      );
      await publish(client, 2);
      staying!.ack(2);
      await leaving!.close();
      await stage.pass(100);
      expect(staying!.order).toBe("2 1R1");
    }
  });

  it("DLV-Q3 takes the plain group along as its last one; a new group begins at its own start position", async () => {
    const stage = await setStage();
    const pub = await stage.client("pub");
    for (const how of ["connection", "unsubscribe"]) {
      const client = await stage.client("me");
      const member = await client.subscribe("foo", grp);
      await publish(pub, 1);
      if (how === "connection") await client.close();
      else await member.unsubscribe();
      expect(inspected(stage)).toEqual([]);
      const next = how === "connection" ? await stage.client("me") : client;
      const renewed = await next.subscribe("foo", { ...grp, startPosition: StartPosition.newOnly });
      await publish(pub, 1);
      expect(renewed.seen).toHaveLength(1);
      expect(renewed.seen[0]).toMatchObject({ count: 0 });
      await next.close();
    }
  });

  it.each(["close", "unsubscribe"] as const)(
    "DLV-Q4 leaves its pending message to the remaining one, marked redelivered (%s)",
    async (how) => {
      const stage = await setStage();
      const client = await stage.client("me");
      const [a, b] = await membersOf(client, new Array(2).fill({ ackWaitInSecs: 30 }));
      await publish(client, 2);
      await a![how]();
      await stage.pass(100);
      expect(b!.order).toBe("2 1R1");
    },
  );

  it("DLV-Q6 leaves a durable group's position to the member that comes next, whose unsubscribe ends the group", async () => {
    const stage = await setStage();
    const pub = await stage.client("pub");
    const one = await stage.client("one");
    const two = await stage.client("two");
    await one.subscribe("foo", durGrp, { autoAck: true });
    await publish(pub, 2);
    await one.close();
    await publish(pub, 1);
    const member = await two.subscribe("foo", durGrp, { autoAck: true });
    expect(member.order).toBe("3");
    await member.unsubscribe();
    expect(inspected(stage)).toEqual([]);
    expect((await two.subscribe("foo", durGrp)).order).toBe("1 2 3");
  });

  it.each([grp, durGrp])("DLV-Q15 runs no timer any more, even as the last one (%o)", async (kind) => {
    const stage = await setStage();
    const client = await stage.client("me");
    const quiet = stage.clock.timerCount;
    const [a, b] = await membersOf(client, [kind, kind]);
    await publish(client, 2);
    expect(stage.clock.timerCount).toBe(quiet + 2);
    await a!.close();
    expect(stage.clock.timerCount).toBe(quiet + 1);
    await b!.close();
    expect(stage.clock.timerCount).toBe(quiet);
    await stage.pass(10_000);
    expect(orders(a!, b!)).toEqual(["1", "2"]);
  });

  it("DLV-Q18 causes no look-up and no send inside its close", async () => {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    const [a, b] = await membersOf(client, new Array(2).fill({ ackWaitInSecs: 30 }));
    await publish(client, 4);
    const { lookups } = stage.store;
    await a!.close();
    expect([stage.store.lookups, b!.order]).toEqual([lookups, "2 4"]);
    await stage.pass(100);
    expect(b!.order).toBe("2 4 1R1 3R1");
  });

  it("DLV-R11 leaves all of its many pending messages of a durable group to the other one, which has newer ones", async () => {
    const stage = await setStage();
    const pub = await stage.client("pub");
    const one = await stage.client("one");
    const two = await stage.client("two");
    await one.subscribe("foo", { ...durGrp, ackWaitInSecs: 30 });
    await publish(pub, 200);
    const member = await two.subscribe("foo", { ...durGrp, ackWaitInSecs: 30 }, { autoAck: true });
    await publish(pub, 10);
    expect(member.sequences).toEqual(Array.from({ length: 10 }, (_, i) => 201 + i));
    await one.close();
    await stage.pass(100);
    const redelivered = member.seen.filter(({ count }) => count === 1).map(({ sequence }) => sequence);
    expect(redelivered).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  });

  it.each(["lower", "higher"])(
    "DLV-R19 passes on messages %s than what the other has, in spite of its later timer",
    async (which) => {
      const stage = await setStage();
      const client = await stage.client("me");
      const first = await client.subscribe("foo", { ...grp, ackWaitInSecs: 30 });
      await publish(client, 3);
      const second = await client.subscribe("foo", { ...grp, ackWaitInSecs: 30 });
      await publish(client, 3);
      const [leaving, staying] = which === "lower" ? [first, second] : [second, first];
      await leaving.close();
      await stage.pass(100);
      expect(staying.order).toBe(which === "lower" ? "4 5 6 1R1 2R1 3R1" : "1 2 3 4R1 5R1 6R1");
    },
  );

  it("DLV-R18 brings back everything at once when all members crashed and reconnect with their client IDs", async () => {
    const stage = await setStage();
    const pub = await stage.client("pub");
    const ids = ["a", "b", "c"];
    for (const id of ids) {
      const client = await stage.client(id);
      await client.subscribe("foo", { ...durGrp, ackWaitInSecs: 30 });
      client.crash();
    }
    await publish(pub, 9);
    const members: TestSubscription[] = [];
    for (const id of ids) {
      const client = await stage.client(id);
      members.push(await client.subscribe("foo", { ...durGrp, ackWaitInSecs: 30 }, { autoAck: true }));
    }
    await stage.pass(500);
    const all = new Set(members.flatMap(({ sequences }) => sequences));
    expect(all).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });
});

describe("redelivery within a group", () => {
  it("DLV-R1 and DLV-R4 goes on until the member acknowledges, then the timer is off", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const quiet = stage.clock.timerCount;
    const member = await client.subscribe("foo", grp);
    await publish(client, 2);
    await stage.pass(1000);
    expect(member.order).toBe("1 2 1R1 2R1");
    member.ack(1, 2);
    await stage.pass(5000);
    expect(member.order).toBe("1 2 1R1 2R1");
    expect(stage.clock.timerCount).toBe(quiet);
  });

  it("DLV-Q20 shares one count, which rises by one however members alternate and is dropped by an ack", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const [a, b] = await membersOf(client, [{}, {}]);
    await publish(client, 1);
    await stage.pass(5000);
    const counts = [...a!.seen, ...b!.seen].sort((one, two) => one.at - two.at).map(({ count }) => count);
    expect(counts).toEqual([0, 1, 2, 3, 4, 5]);
    expect([a!.seen.length, b!.seen.length]).toEqual([3, 3]);
    a!.ack(1);
    b!.ack(1);
    await publish(client, 1);
    await stage.pass(1000);
    const later = [...a!.seen, ...b!.seen].filter(({ sequence }) => sequence === 2).map(({ count }) => count);
    expect(later.sort()).toEqual([0, 1]);
  });

  it("DLV-R14 takes what is pending at a failing client to a healthy one", async () => {
    const stage = await setStage({
      heartbeatIntervalMillis: 1000,
      heartbeatTimeoutMillis: 100,
      heartbeatFailCount: 50,
    });
    const ill = await stage.client("ill");
    const well = await stage.client("well");
    const a = await ill.subscribe("foo", { ...grp, ackWaitInSecs: 2 });
    const b = await well.subscribe("foo", { ...grp, ackWaitInSecs: 2 }, { autoAck: true });
    ill.isAlive = false;
    await publish(well, 2);
    expect(orders(a, b)).toEqual(["1", "2"]);
    await stage.pass(1200);
    await publish(well, 4);
    expect(orders(a, b)).toEqual(["1", "2 3 4 5 6"]);
    await stage.pass(1000);
    expect(orders(a, b)).toEqual(["1", "2 3 4 5 6 1R1"]);
  });

  it("DLV 8.2.2 gives a failing member new messages when nobody else has room", async () => {
    const stage = await setStage({
      heartbeatIntervalMillis: 1000,
      heartbeatTimeoutMillis: 100,
      heartbeatFailCount: 50,
    });
    const ill = await stage.client("ill");
    const well = await stage.client("well");
    const a = await ill.subscribe("foo", { ...grp, ackWaitInSecs: 30 });
    const b = await well.subscribe("foo", { ...grp, ackWaitInSecs: 30, maxInFlight: 1 });
    ill.isAlive = false;
    await stage.pass(1200);
    await publish(well, 3);
    expect(orders(a, b)).toEqual(["2 3", "1"]);
  });

  it("DLV-D12 works right after a durable group was rejoined, though its client had failed heartbeats", async () => {
    const stage = await setStage({
      heartbeatIntervalMillis: 1000,
      heartbeatTimeoutMillis: 100,
      heartbeatFailCount: 50,
    });
    const old = await stage.client("me");
    const pub = await stage.client("pub");
    const durable = await old.subscribe("foo", { durableName: "dur" });
    const member = await old.subscribe("foo", durGrp);
    await publish(pub, 1);
    old.crash();
    await stage.pass(1200);
    const now = await stage.client("me");
    const resumed = [await now.subscribe("foo", { durableName: "dur" }), await now.subscribe("foo", durGrp)];
    await stage.pass(2100);
    expect(resumed.map(({ order }) => order.split(" ").length)).toEqual([3, 3]);
    expect(orders(durable, member)).toEqual(["1", "1 1R1"]);
  });
});
