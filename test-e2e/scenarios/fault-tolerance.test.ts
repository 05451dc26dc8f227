import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { ACTIVE, FT_SUBJECT, GROUP, STANDBY } from "../harness/fault-tolerance-group.ts";
import { monitorAt } from "../harness/monitor.ts";
import { leaveOutNatsServer } from "../harness/nats-server.ts";
import { type Network, openExternalNetwork, type ServerOnNetwork } from "../harness/networks.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { encodeCtrlMsg } from "../harness/stan-wire.ts";
import { runFileServer } from "../harness/store-server.ts";
import { READY, readLog, serverIdOf } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";

const HEARTBEAT = 3;

/** A member on its way: whether it becomes active is up to the test. */
async function startMember(
  stage: Stage,
  network: Network,
  directory: string,
  more: readonly string[] = [],
): Promise<Pick<ServerOnNetwork, "child" | "monitor"> & { readonly monitorPort: number; readonly serverId: string }> {
  const monitorPort = await freePort();
  const child = await network.launchServer({
    args: ["-store", "file", "-dir", directory, "-ft_group_name", GROUP, "-m", String(monitorPort), ...more],
  });
  await child.line(STANDBY);
  stage.onFailure(() => child.stderr);
  return { child, monitor: monitorAt(monitorPort), monitorPort, serverId: serverIdOf(child.lines) };
}

async function isActive(monitorPort: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${monitorPort}/streaming/isFTActive`);
  return response.status;
}

describe.skipIf(leaveOutNatsServer)("a fault tolerance group on a shared directory", () => {
  it("FT-02 FT-14 has one active; the other takes over with everything, and is ready only then", async () => {
    const stage = testStage();
    const network = await openExternalNetwork(stage);
    const directory = await tempDir(stage);
    const first = await startMember(stage, network, directory);
    await first.child.line(READY);
    const second = await startMember(stage, network, directory);
    expect((await first.monitor.get("serverz"))["state"]).toBe("FT_ACTIVE");
    expect((await second.monitor.get("serverz"))["state"]).toBe("FT_STANDBY");
    expect((await second.monitor.get("serverz"))["cluster_id"]).toBe("");

    const client = await connectStan(stage, "client", { port: network.port });
    const subscription = await client.subscribe("foo", { durableName: "place" });
    await client.publish("foo", "before");
    expect((await subscription.messages.take()).text).toBe("before");
    expect(second.child.lines.some((line) => line.includes(READY))).toBe(false);

    first.child.signal("SIGKILL");
    await first.child.exit();
    await second.child.line(READY);
    // The connection goes on: the same subscription gets what is published now.
    await client.publish("foo", "after");
    expect((await subscription.messages.take({ where: ({ text }) => text === "after" })).sequence).toBe(2);
    const texts = readLog(second.child.lines).map(({ text }) => text);
    const order = [STANDBY, ACTIVE, "STREAM: Recovering the state...", "STREAM: Recovered 1 channel(s)", READY];
    expect(texts.filter((text) => order.includes(text))).toEqual(order);
    await client.close();
  });

  it("FT-13 answers isFTActive with 200 and 204, without content type", async () => {
    const stage = testStage();
    const network = await openExternalNetwork(stage);
    const directory = await tempDir(stage);
    const first = await startMember(stage, network, directory);
    await first.child.line(READY);
    const second = await startMember(stage, network, directory);
    expect([await isActive(first.monitorPort), await isActive(second.monitorPort)]).toEqual([200, 204]);
    const response = await fetch(`http://127.0.0.1:${first.monitorPort}/streaming/isFTActive`);
    expect(response.headers.get("content-type") ?? "").toBe("");
  });

  it("FT-03 FT-09 stands by while the lock is busy, and can be stopped at once", async () => {
    const stage = testStage();
    const network = await openExternalNetwork(stage);
    const directory = await tempDir(stage);
    const first = await startMember(stage, network, directory);
    await first.child.line(READY);
    const second = await startMember(stage, network, directory);
    const end = await second.child.stop();
    expect([end.code, end.stderr.includes(ACTIVE)]).toEqual([0, false]);
    expect((await first.monitor.get("serverz"))["state"]).toBe("FT_ACTIVE");
  });

  it("FT-06 ends with status 1 and lets go of the lock when its activation fails", async () => {
    const stage = testStage();
    const network = await openExternalNetwork(stage);
    const directory = await tempDir(stage);
    const first = await startMember(stage, network, directory);
    await first.child.line(READY);
    await first.child.stop();
    const other = await startMember(stage, network, directory, ["-cid", "other"]);
    const end = await other.child.exit();
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('[FTL] STREAM: cluster ID "other" does not match recovered value of "test-cluster"');
    await (await startMember(stage, network, directory)).child.line(READY);
  });

  it("FT-07 can be stopped right after its start", async () => {
    const stage = testStage();
    const network = await openExternalNetwork(stage);
    const member = await startMember(stage, network, await tempDir(stage));
    expect((await member.child.stop()).code).toBe(0);
  });

  it("FT-08 stays in standby while the lock cannot be asked for, and says why", async () => {
    const stage = testStage();
    const network = await openExternalNetwork(stage);
    const directory = await tempDir(stage);
    const { mkdir, rmdir } = await import("node:fs/promises");
    await mkdir(`${directory}/.rootdir.lck`);
    const member = await startMember(stage, network, directory);
    await member.child.line("ft: error attempting to get the store lock: ");
    expect((await member.monitor.get("serverz"))["state"]).toBe("FT_STANDBY");
    await rmdir(`${directory}/.rootdir.lck`);
    await member.child.line(READY);
  });

  it("FT-12 is not impressed by what is no heartbeat", async () => {
    const stage = testStage();
    const network = await openExternalNetwork(stage);
    const member = await startMember(stage, network, await tempDir(stage));
    await member.child.line(READY);
    const raw = await connectRaw(stage, { port: network.port });
    raw.publish(FT_SUBJECT, "");
    raw.publish(FT_SUBJECT, "not a protocol buffer");
    raw.publish(FT_SUBJECT, encodeCtrlMsg(HEARTBEAT, "PEERSERVERID0123456789", Buffer.from("no time")));
    await member.child.line("Error decoding activation time: ");
    expect((await member.monitor.get("serverz"))["state"]).toBe("FT_ACTIVE");
  });

  it("FT-10 gives way to a member that became active earlier, with status 2 and without touching the store", async () => {
    const stage = testStage();
    const network = await openExternalNetwork(stage);
    const member = await startMember(stage, network, await tempDir(stage));
    await member.child.line(READY);
    const raw = await connectRaw(stage, { port: network.port });
    const heartbeats = await raw.subscribe(FT_SUBJECT);
    await heartbeats.messages.take();
    // One heartbeat after the takeover has settled, as an earlier active sends it.
    const earlier = Buffer.concat([Buffer.from([1]), seconds(1_700_000_000n), Buffer.from([0, 0, 0, 0, 0xff, 0xff])]);
    raw.publish(FT_SUBJECT, encodeCtrlMsg(HEARTBEAT, "PEERSERVERID0123456789", earlier));
    const end = await member.child.exit();
    expect(end.code).toBe(2);
    expect(end.stderr).toContain('[FTL] STREAM: ft: serverID "PEERSERVERID0123456789" claims to be active, aborting');
  });

  it("FT-01 is refused without a store that can be shared", async () => {
    const stage = testStage();
    const network = await openExternalNetwork(stage);
    const memory = await network.runServer({ args: ["-ft_group", GROUP] });
    expect([memory.code, memory.stderr]).toEqual([
      1,
      expect.stringContaining("Failed to start: ft: only FILE or SQL stores supported in FT mode"),
    ]);
    const nowhere = await runFileServer(stage, "", ["-ft_group", GROUP]);
    expect([nowhere.code, nowhere.stderr]).toEqual([
      1,
      expect.stringContaining("Failed to start: for FILE stores, root directory must be specified"),
    ]);
  });
});

/** Seconds since the year 1, as an activation time has them. */
function seconds(unix: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(unix + 62_135_596_800n);
  return bytes;
}
