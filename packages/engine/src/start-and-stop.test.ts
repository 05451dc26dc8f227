import { encodeCloseResponse, encodeConnectResponse } from "@nats-streaming/protocol/stan";
import { describe, expect, it } from "vitest";
import { CLUSTER, type Stage, setStage, TestClient } from "../test/harness.ts";
import { setPersistentStage } from "../test/persistent-stage.ts";
import type { ChannelScope } from "./scope.ts";

const DISCOVER = `_STAN.discover.${CLUSTER}`;

const close = async (stage: Stage): Promise<void> => {
  const closing = stage.engine.close();
  await stage.clock.settle();
  await closing;
};

describe("a start", () => {
  it("DLV-X13 writes a new server record when it is missing beside channels, with a warning, and recovers them", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    await client.publish("foo");
    await stage.stop();
    stage.store.disk.serverInfo = undefined;
    stage = await stage.start();
    expect(stage.logger.lines).toContain(
      "WRN Server information was not recovered, however channels are present. Will initialize server and restart recovery!",
    );
    expect(stage.engine.inspection.channel("foo")?.messages).toBe(1);
    expect(stage.store.disk.serverInfo).toMatchObject({ clusterId: CLUSTER, publish: `_STAN.pub.${CLUSTER}` });
  });

  it("DLV-X14 PROTO 15.1.1 fails with another cluster ID than the recorded one", async () => {
    const stage = await setPersistentStage();
    await stage.stop();
    await expect(stage.start({ clusterId: "other" })).rejects.toThrow(
      `cluster ID "other" does not match recovered value of "${CLUSTER}"`,
    );
    expect(stage.store.late).toEqual([]);
    await stage.start();
  });

  it("PK9 PROTO 3.1.2 keeps the recorded discover prefix, with a warning", async () => {
    let stage = await setPersistentStage();
    stage = await stage.restart({ discoverPrefix: "_ELSE.where" });
    expect(stage.logger.lines.filter((line) => line.startsWith("WRN"))).toEqual([
      `WRN Discover subject "_ELSE.where.${CLUSTER}" is not used: the store was made with "${DISCOVER}"`,
    ]);
    await stage.client("me");
  });

  it("PROTO 3.1.1 uses a configured discover prefix for connects and pings", async () => {
    const stage = await setStage({ discoverPrefix: "_ELSE.where" });
    const client = new TestClient("me", stage.network.connect(), stage.clock);
    expect(await client.connect()).toBe("no answer");
    const answer = await client.ask(`_ELSE.where.${CLUSTER}`, client.connectRequest());
    expect(Buffer.from(answer!).toString()).toContain(`_ELSE.where.${CLUSTER}.pings`);
  });

  it("DLV-X15 PROTO 15.1.2 fails beside another server of the same cluster ID, whose client table stays as it was", async () => {
    const first = await setStage();
    await expect(setStage({ beside: first, probe: true })).rejects.toThrow(
      `discovered another streaming server with cluster ID "${CLUSTER}"`,
    );
    expect(first.engine.inspection.clientCount).toBe(0);
  });

  it("DLV-X15 PROTO 15.1.2 fails, too, when the other one refuses the probe, as for a cluster ID with dots", async () => {
    const first = await setStage({ clusterId: "my.cluster" });
    await expect(setStage({ beside: first, probe: true, clusterId: "my.cluster" })).rejects.toThrow(
      'discovered another streaming server with cluster ID "my.cluster"',
    );
    await setStage({ beside: first, probe: true, clusterId: "your.cluster" });
  });

  it("PROTO 15.1.2 fails when something that is no streaming server answers the probe", async () => {
    const { beside, bus } = await emptyNetwork();
    bus.subscribe(DISCOVER, ({ reply }) => bus.publish(reply, Buffer.from("\x0a\xff", "latin1")));
    await expect(setStage({ beside, probe: true })).rejects.toThrow();
  });

  it("PROTO 15.1.2 closes the connection that its probe made at the other server", async () => {
    const { beside, bus } = await emptyNetwork();
    const closed: string[] = [];
    bus.subscribe(DISCOVER, ({ reply }) =>
      bus.publish(reply, encodeConnectResponse({ closeRequests: "please.close" })),
    );
    bus.subscribe("please.close", ({ bytes, start, end, reply }) => {
      closed.push(Buffer.from(bytes.slice(start, end)).toString());
      if (reply !== "") bus.publish(reply, encodeCloseResponse({}));
    });
    await expect(setStage({ beside, probe: true })).rejects.toThrow("discovered another streaming server");
    expect(closed).toEqual([`\n\f${CLUSTER}`]);
  });

  it("PROTO 3.1.3 takes a cluster ID with dots", async () => {
    const stage = await setStage({ clusterId: "my.cluster" });
    const client = new TestClient("me", stage.network.connect(), stage.clock);
    const answer = await client.ask("_STAN.discover.my.cluster", client.connectRequest());
    expect(Buffer.from(answer!).toString()).toContain("_STAN.pub.my.cluster");
  });

  it("DLV-X18 drops durable queue members of clients that do not exist, with one warning, once", async () => {
    let stage = await setPersistentStage();
    const client = await stage.client("me");
    const member = await client.subscribe("foo", { durableName: "dur", qGroup: "grp" });
    await stage.stop();
    stage.store.disk.clients.delete("me");
    stage = await stage.start();
    const warnings = (): string[] => stage.logger.lines.filter((line) => line.startsWith("WRN"));
    expect(warnings()).toEqual([
      `WRN Not recovering ghost durable queue subscriber: [me]:[dur:grp] subject=foo inbox=${member.inbox}`,
    ]);
    expect(stage.engine.inspection.subscriptionCount()).toBe(0);
    stage = await stage.restart();
    expect(warnings()).toEqual([]);
  });

  it("DLV-P9 lets two partitions answer a client's connect, pings and close", async () => {
    const scopeOf = (entry: string): ChannelScope => ({
      entries: [entry],
      selfOverlaps: false,
      firstMatch: (channel) => (channel === entry ? 0 : -1),
    });
    const one = await setStage({ scope: scopeOf("foo") });
    const two = await setStage({ beside: one, scope: scopeOf("bar") });
    const client = await one.client("me");
    expect([one.engine.inspection.clientCount, two.engine.inspection.clientCount]).toEqual([1, 1]);
    expect([await client.ping(), await client.publish("foo"), await client.publish("bar")]).toEqual(["", "", ""]);
    expect((await client.subscribe("foo")).order).toBe("1");
    expect((await client.subscribe("bar")).order).toBe("1");
    expect([one.engine.inspection.channelNames(), two.engine.inspection.channelNames()]).toEqual([["foo"], ["bar"]]);
    await two.pass(31_000);
    expect([one.engine.inspection.clientCount, two.engine.inspection.clientCount]).toEqual([1, 1]);
    expect(await client.close()).toBe("");
    expect([one.engine.inspection.clientCount, two.engine.inspection.clientCount]).toEqual([0, 0]);
  });
});

describe("a stop", () => {
  it("DLV-X17 finishes the publishes under way and is harmless a second time", async () => {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    stage.store.isAsync = true;
    const errors: string[] = [];
    for (let i = 0; i < 500; i++) client.publishLater("foo", "", (error) => errors.push(error));
    await close(stage);
    await close(stage);
    expect(errors).toEqual(new Array(500).fill(""));
    client.publishLater("foo", "", (error) => errors.push(error));
    await stage.clock.settle();
    expect(errors).toHaveLength(500);
    expect(stage.store.late).toEqual([]);
  });

  it("DLV-X17 leaves no timer behind and touches the store no more", async () => {
    const stage = await setPersistentStage({
      heartbeatIntervalMillis: 1000,
      heartbeatTimeoutMillis: 500,
      scope: { entries: [">"], selfOverlaps: false, firstMatch: () => 0 },
    });
    const client = await stage.client("me");
    const silent = await stage.client("silent");
    await client.subscribe("foo");
    await client.subscribe("foo", { durableName: "dur" });
    const members = [await client.subscribe("foo", { qGroup: "g" }), await client.subscribe("foo", { qGroup: "g" })];
    await client.publish("foo");
    await members[0]!.close();
    silent.isAlive = false;
    // A heartbeat, a duplicate check, an early request, a flush and a read are under way.
    await stage.pass(1100);
    const ghost = new TestClient("ghost", stage.network.connect(), stage.clock);
    ghost.publishQuietly("foo");
    const second = new TestClient("silent", stage.network.connect(), stage.clock);
    second.send(DISCOVER, second.connectRequest());
    stage.store.isAsync = true;
    client.publishQuietly("foo");
    stage.store.isCold = () => true;
    await close(stage);
    await stage.serverBus.close();
    await stage.pass(120_000);
    expect(stage.clock.timerCount).toBe(0);
    expect(stage.store.late).toEqual([]);
  });
});

/** A network on which no engine runs yet. */
async function emptyNetwork(): Promise<{ beside: Stage; bus: ReturnType<Stage["network"]["connect"]> }> {
  const beside = await setStage();
  await close(beside);
  await beside.serverBus.close();
  return { beside, bus: beside.network.connect() };
}
