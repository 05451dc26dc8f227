import { writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ACTIVE, type Member, startMember } from "../harness/fault-tolerance-group.ts";
import { leaveOutNatsServer } from "../harness/nats-server.ts";
import { type Network, openExternalNetwork } from "../harness/networks.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { configFile, READY, serverIdOf } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { partitionConfig } from "./examples.ts";

const GOOD = partitionConfig(["foo.>"]);
const WRONG = partitionConfig(["foo.>", "bar.x"]);
/** The second of silence after a standby's question, with what precedes it and time for a busy machine. */
const ASKED_MILLIS = 2_500;

describe.skipIf(leaveOutNatsServer)("the channel list of a standby", () => {
  it("W7, PART-D11: a wrong one is warned of beforehand, and ends the standby when it becomes active", async () => {
    const stage = testStage();
    const { network, flags, active } = await startPartitionGroup(stage);
    const bar = await network.startServer({ config: partitionConfig(["bar.>"]) });
    const standby = await startMember(network, flags, { config: WRONG });
    const conflict = `channel "bar.x" causes conflict with channels on server "${bar.serverId}"`;
    await standby.child.line(
      `[WRN] STREAM: Partitioning: ${conflict}; this standby will not be able to serve when it becomes active`,
    );
    // Its own active, which lists foo.> as well, is none of the objectors, and nobody was disturbed by the question.
    expect(standby.child.stderr).not.toContain(active.serverId);
    for (const { child } of [active, bar]) expect(child.stderr).not.toContain(serverIdOf(standby.child.lines));

    active.child.signal("SIGKILL");
    await active.child.exit();
    const end = await standby.child.exit();
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(ACTIVE);
    expect(end.stderr).toContain(`[FTL] STREAM: ${conflict}\n`);
    // The lock is free again: one with the right list serves.
    const again = await startMember(network, flags, { config: GOOD });
    await again.child.line(READY);
    const client = await connectStan(stage, "client", { port: network.port });
    await client.publish("foo.a", "served");
    await client.close();
  }, 60_000);

  it("PART-13: an unchanged one needs no second check: the standby serves at once when the active has died", async () => {
    const stage = testStage();
    const { network, flags, active } = await startPartitionGroup(stage);
    await network.startServer({ config: partitionConfig(["bar.>"]) });
    const standby = await startMember(network, flags, { config: GOOD });
    const client = await connectStan(stage, "client", { port: network.port });
    await client.publish("foo.a", "before");
    // Nothing that could be awaited happens: its question to the others is answered once nobody has said anything for a second.
    await new Promise((resolve) => setTimeout(resolve, ASKED_MILLIS));

    const start = performance.now();
    active.child.signal("SIGKILL");
    await standby.child.line(READY);
    const gap = performance.now() - start;
    await active.child.exit();
    const checked = timeOf(standby, READY) - timeOf(standby, ACTIVE);
    process.stdout.write(
      `a standby with an unchanged list: ${gap.toFixed(0)} ms from the kill, ${checked.toFixed(0)} ms from its activation to serving\n`,
    );
    const subscription = await client.subscribe("foo.a");
    expect((await subscription.messages.take()).text).toBe("before");
    await client.publish("foo.a", "after");
    await client.close();
  }, 60_000);

  it("a reload changes it: the standby takes over with the new one, and keeps the former one where it cannot be served", async () => {
    const stage = testStage();
    const { network, flags, active } = await startPartitionGroup(stage);
    const bar = await network.startServer({ config: partitionConfig(["bar.>"]) });
    const path = await configFile(stage, GOOD);
    const standby = await startMember(network, flags, { config: { path } });
    await writeFile(path, WRONG);
    standby.child.signal("SIGHUP");
    await standby.child.line("Reloaded server configuration in part");
    expect(standby.child.stderr).toContain(
      `Failed to reload server configuration: channel "bar.x" causes conflict with channels on server "${bar.serverId}"`,
    );
    await writeFile(path, partitionConfig(["foo.>", "baz"]));
    standby.child.signal("SIGHUP");
    await standby.child.line("[INF] STREAM: Reloaded: channels added: baz");

    active.child.signal("SIGKILL");
    await active.child.exit();
    await standby.child.line(READY);
    const client = await connectStan(stage, "client", { port: network.port });
    await client.publish("baz", "new");
    await client.publish("foo.a", "as before");
    await client.publish("bar.x", "of the other");
    await client.close();
  }, 60_000);
});

async function startPartitionGroup(
  stage: Stage,
): Promise<{ readonly network: Network; readonly flags: readonly string[]; readonly active: Member }> {
  const network = await openExternalNetwork(stage);
  const flags = ["-store", "file", "-dir", await tempDir(stage)];
  const active = await startMember(network, flags, { config: GOOD });
  await active.child.line(READY);
  return { network, flags, active };
}

/** Milliseconds since midnight of the first line with a text. */
function timeOf({ child }: Member, text: string): number {
  const line = child.lines.find((each) => each.includes(text)) ?? "";
  const [, hours, minutes, seconds] = /(\d\d):(\d\d):(\d\d\.\d+)/.exec(line) ?? [];
  return (Number(hours) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000;
}
