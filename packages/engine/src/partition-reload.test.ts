import { beforeEach, describe, expect, it } from "vitest";
import { type Cluster, createCluster, type Member } from "../test/cluster.ts";

let cluster: Cluster;
beforeEach(() => {
  cluster = createCluster();
});

/** Changes a member's list and gives it the time that takes. */
async function reload(member: Member, ...entries: string[]): ReturnType<Member["partition"]["reload"]> {
  const outcome = member.partition.reload(entries);
  await cluster.pass(1_500);
  return outcome;
}

describe("a changed channel list", () => {
  it("serves what is new in it, without any client reconnecting", async () => {
    const server = await cluster.start(["foo"]);
    const client = await cluster.client("me");
    expect(await client.publish("bar.x")).toBe("no answer");
    expect(await reload(server, "foo", "bar.*")).toEqual({ kind: "applied", added: ["bar.*"], removed: [] });
    expect([await client.publish("foo"), await client.publish("bar.x")]).toEqual(["", ""]);
    expect((await client.subscribe("bar.x")).order).toBe("1");
  });

  it("is in force when it is said to be, however long the NATS server takes to learn of it", async () => {
    const server = await cluster.start(["foo"]);
    const client = await cluster.client("me");
    const arrive = server.stage.serverBus.delayInterest();
    let isApplied = false;
    const outcome = server.partition.reload(["foo", "bar"]).finally(() => {
      isApplied = true;
    });
    await cluster.pass(1_500);
    expect([isApplied, await client.publish("bar")]).toEqual([false, "no answer"]);
    expect(await server.partition.reload(["foo"])).toEqual({
      kind: "refused",
      reason: "another change of the channel list is under way; try again when it is done",
    });
    arrive();
    expect((await outcome).kind).toBe("applied");
    expect(await client.publish("bar")).toBe("");
  });

  it("counts at once while the connection is down, and says that the NATS server does not know yet", async () => {
    const server = await cluster.start(["foo", "bar"]);
    const client = await cluster.client("me");
    server.stage.serverBus.disconnect();
    expect((await reload(server, "foo")).kind).toBe("applied");
    expect(server.stage.logger.lines).toContain(
      "WRN The changed channel list reaches the NATS server when it is connected again: bus is disconnected",
    );
    server.stage.serverBus.reconnect();
    expect([await client.publish("foo"), await client.publish("bar")]).toEqual(["", "no answer"]);
  });

  it("no longer serves what is not in it; subscribers are told by their next request, and durables keep their place", async () => {
    const server = await cluster.start(["foo", "bar"]);
    const client = await cluster.client("me");
    const plain = await client.subscribe("bar");
    const durable = await client.subscribe("bar", { durableName: "dur" });
    for (const data of ["1", "2"]) await client.publish("bar", data);
    durable.ack(1);
    expect(await reload(server, "foo")).toEqual({ kind: "applied", added: [], removed: ["bar"] });
    expect(await client.publish("bar")).toBe("no answer");
    const told = 'stan: channel "bar" is no longer served by this server; subscribe again';
    expect([await plain.unsubscribe(), await durable.close()]).toEqual([told, told]);
    expect((await client.subscribe("bar")).error).toBe("no answer");
    expect(server.stage.engine.inspection.channel("bar")?.subscriptionCount).toBe(1);
    expect(server.stage.logger.lines).toContain(
      'WRN Channel "bar" is no longer served by this partition: 2 subscription(s) ended',
    );
    await cluster.pass(5_000);
    const before = plain.seen.length;
    await cluster.pass(5_000);
    expect(plain.seen).toHaveLength(before);

    expect((await reload(server, "foo", "bar")).kind).toBe("applied");
    expect((await client.subscribe("bar", { durableName: "dur" })).sequences).toEqual([2]);
  });

  it("moves a channel from one server to another", async () => {
    const [from, to] = [await cluster.start(["foo", "bar"]), await cluster.start(["baz"])];
    const client = await cluster.client("me");
    expect(await reload(to, "baz", "bar")).toEqual({
      kind: "refused",
      reason: `channel "bar" causes conflict with channels on server "${from.serverId}"`,
    });
    expect((await reload(from, "foo")).kind).toBe("applied");
    expect((await reload(to, "baz", "bar")).kind).toBe("applied");
    expect(await client.publish("bar")).toBe("");
    expect(to.stage.engine.inspection.channelNames()).toEqual(["bar"]);
  });

  it("is refused as a whole when one of its channels is taken, and everything goes on as before", async () => {
    await cluster.start(["foo.>"]);
    const server = await cluster.start(["bar"]);
    const client = await cluster.client("me");
    const subscription = await client.subscribe("bar");
    const outcome = await reload(server, "baz", "*.x");
    expect(outcome.kind).toBe("refused");
    expect(server.partition.scope.entries).toEqual(["bar"]);
    expect([await client.publish("bar"), await client.publish("baz")]).toEqual(["", "no answer"]);
    expect(subscription.order).toBe("1");
  });

  it("PART-D1 stores a publish once, whatever the order of overlapping entries becomes", async () => {
    const server = await cluster.start(["foo.*", "foo.bar"]);
    const client = await cluster.client("me");
    await client.publish("foo.bar");
    for (const entries of [["foo.bar", "foo.*"], ["foo.>", "foo.bar"], ["foo.bar"]]) {
      expect((await reload(server, ...entries)).kind).toBe("applied");
      expect(await client.publish("foo.bar")).toBe("");
    }
    expect(server.stage.engine.inspection.channel("foo.bar")?.lastSequence).toBe(4);
  });

  it("says at the start which stored channels no entry covers", async () => {
    const first = await cluster.start(["foo", "bar"]);
    const client = await cluster.client("me");
    await client.publish("bar");
    await reload(first, "foo");
    expect(first.stage.logger.lines.join("\n")).not.toContain('Channel "bar" is stored here');
    expect((await first.partition.map()).unowned).toEqual([{ channel: "bar", serverIds: [first.serverId] }]);
  });
});
