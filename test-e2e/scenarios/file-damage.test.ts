import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Stage } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { fixtureDirectory, runFileServer, startFileServer } from "../harness/store-server.ts";
import { testStage } from "../harness/test-stage.ts";

/** The Go server's directory, with a flipped byte in the middle of the data of this channel and no index to hide it. */
const DAMAGED = "foo";

function damagedDirectory(stage: Stage): Promise<string> {
  return fixtureDirectory(stage, "corrupted-crc-no-idx");
}

async function filesOf(directory: string, channel: string): Promise<Map<string, string>> {
  const names = (await readdir(join(directory, channel))).toSorted();
  const contents = await Promise.all(names.map((name) => readFile(join(directory, channel, name), "latin1")));
  return new Map(names.map((name, index) => [name, contents[index] ?? ""]));
}

describe("a damaged directory", () => {
  it("strict: is refused with the original's text", async () => {
    const stage = testStage();
    const directory = await damagedDirectory(stage);
    const end = await runFileServer(stage, directory, ["-file_recovery", "strict"]);
    expect(end.code).toBe(1);
    expect(end.stderr).toMatch(
      /Failed to start: unable to recover message store for \[\w+\]\(file: "\w+\/msgs\.1\.idx"\): corrupted data, expected crc to be 0x/,
    );
  });

  it("quarantine, the default: serves every other channel, answers for the damaged one, and says so everywhere", async () => {
    const stage = testStage();
    const directory = await damagedDirectory(stage);
    const before = await filesOf(directory, DAMAGED);
    const server = await startFileServer(stage, directory);
    await server.child.line(`channel ${DAMAGED} is in quarantine: `);
    const client = await connectStan(stage, "client", { port: server.port });
    await expect(client.publish(DAMAGED, "no")).rejects.toThrow(`channel ${DAMAGED} is in quarantine: `);
    await expect(client.subscribe(DAMAGED)).rejects.toThrow(`channel ${DAMAGED} is in quarantine: `);
    await client.publish("healthy", "yes");
    const healthy = await client.subscribe("healthy");
    expect((await healthy.messages.take()).text).toBe("yes");
    const store = await server.monitor.get("storez");
    expect(store["quarantined"]).toEqual([{ name: DAMAGED, reason: expect.stringContaining("expected crc to be") }]);
    await client.close();
    const end = await server.child.stop();
    expect(end.stderr).toContain(`1 channel(s) in quarantine were not served: ${DAMAGED}`);
    expect(await filesOf(directory, DAMAGED)).toEqual(before);

    const only = await runFileServer(stage, directory, ["-recover_only"]);
    expect([only.code, only.stderr]).toEqual([
      1,
      expect.stringContaining(`1 channel(s) cannot be recovered: ${DAMAGED}`),
    ]);
  });

  it("salvage: keeps what can be read and a copy of the rest, reports it, and is healthy from then on", async () => {
    const stage = testStage();
    const directory = await damagedDirectory(stage);
    const original = await readFile(join(directory, DAMAGED, "msgs.1.dat"));
    const server = await startFileServer(stage, directory, ["-file_recovery", "salvage"]);
    const warning = server.log.find(({ level }) => level === "WRN")?.text ?? "";
    expect(warning).toContain(join(directory, DAMAGED, "msgs.1.dat"));
    const state = await server.monitor.channel(DAMAGED);
    expect(state.msgs).toBeGreaterThan(0);
    const client = await connectStan(stage, "client", { port: server.port });
    await client.publish(DAMAGED, "afterwards");
    const subscription = await client.subscribe(DAMAGED);
    const messages = await subscription.messages.takeMany(state.msgs + 1);
    expect(messages.at(-1)?.text).toBe("afterwards");
    expect(messages.at(-1)?.sequence).toBe(state.lastSequence + 1);
    await client.close();
    await server.child.stop();
    const kept = await Promise.all(
      (await readdir(directory, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => readFile(join(entry.parentPath, entry.name))),
    );
    expect(kept.some((bytes) => bytes.equals(original))).toBe(true);
    await (await startFileServer(stage, directory, ["-file_recovery", "strict"])).child.stop();
  });

  it("mends a torn end and damaged client records by itself, with a warning", async () => {
    const stage = testStage();
    const directory = await fixtureDirectory(stage, "basic-channels");
    const clients = join(directory, "clients.dat");
    const bytes = await readFile(clients);
    bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 0xff;
    await writeFile(clients, bytes);
    const data = join(directory, "foo", "msgs.1.dat");
    await writeFile(data, Buffer.concat([await readFile(data), Buffer.from([9, 0, 0, 0, 1])]));
    await writeFile(join(directory, "foo", "msgs.1.idx"), Buffer.from([1, 0, 0, 0]));
    const server = await startFileServer(stage, directory);
    expect((await server.monitor.channel("foo")).msgs).toBe(5);
    const warnings = server.log.filter(({ level }) => level === "WRN").map(({ text }) => text);
    expect(warnings.some((text) => text.includes("clients.dat"))).toBe(true);
    expect(warnings.some((text) => text.includes("msgs.1.dat"))).toBe(true);
    await server.child.stop();
    await (await startFileServer(stage, directory, ["-file_recovery", "strict"])).child.stop();
  });
});
