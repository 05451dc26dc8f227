import { spawnSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { numberOf, numberPublisher } from "../harness/published-numbers.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { connectRawStan } from "../harness/raw-stan.ts";
import { readChannel } from "../harness/read-channel.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { startFileServer } from "../harness/store-server.ts";
import { testStage } from "../harness/test-stage.ts";

/** Room for the commit log's segments and some data, and as much again. */
const DISK_MIB = 240;
const BALLAST_MIB = 140;

/** A small disk of its own, where the machine lets us mount one. */
async function smallDisk(stage: Stage): Promise<string> {
  const directory = await tempDir(stage);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "none", directory]);
  if (mounted.status !== 0) throw new Error(`cannot mount: ${mounted.stderr}`);
  stage.defer(() => {
    spawnSync("umount", [directory]);
  });
  return directory;
}

function mayMount(): boolean {
  const probe = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]);
  const may = probe.status === 0 && process.getuid?.() === 0;
  if (!may) process.stderr.write("left out: a disk that is full (mounting one is not permitted here)\n");
  return may;
}

describe.runIf(mayMount())("a disk that is full", () => {
  it("refuses publishes with the reason, delivers nothing refused, and heals by itself", async () => {
    const stage = testStage();
    const disk = await smallDisk(stage);
    const server = await startFileServer(stage, join(disk, "data"));
    const ballast = join(disk, "ballast");
    await writeFile(ballast, Buffer.alloc(BALLAST_MIB * 1024 * 1024));
    const client = await connectRaw(stage, { port: server.port });
    const stan = await connectRawStan(client, "filler");
    const publisher = numberPublisher(["full"], 4000);
    const running = publisher.run(client, stan);
    const refusals = publisher.refused.get("full") ?? new Map<number, string>();
    while (refusals.size === 0) await publisher.answers(1);
    expect([...refusals.values()][0]).toMatch(/ENOSPC|no space/i);
    // It still serves what it has, and takes what comes once there is room.
    const atFull = publisher.acknowledged.get("full")?.length ?? 0;
    expect(atFull).toBeGreaterThan(0);
    await rm(ballast);
    const acknowledged = publisher.acknowledged.get("full") ?? [];
    while (acknowledged.length < atFull + 500) await publisher.answers(1);
    publisher.stop();
    client.vanish();
    await running;

    const check = async (port: number, name: string, lastSequence: number): Promise<void> => {
      const reader = await connectRawStan(await connectRaw(stage, { port }), name);
      const messages = await readChannel(reader, "full", 1, lastSequence);
      const numbers = messages.map(({ data }) => numberOf(data));
      expect(numbers.filter((number) => refusals.has(number))).toEqual([]);
      expect(messages.map(({ sequence }) => sequence)).toEqual(messages.map((_, index) => index + 1));
      const stored = new Set(numbers);
      expect(acknowledged.filter((number) => !stored.has(number))).toEqual([]);
      expect(stored.size).toBe(numbers.length);
    };
    await check(server.port, "reader", (await server.monitor.channel("full")).lastSequence);
    await server.child.stop();
    const again = await startFileServer(stage, join(disk, "data"), ["-file_recovery", "strict"]);
    await check(again.port, "reader-2", (await again.monitor.channel("full")).lastSequence);
  }, 120_000);
});
