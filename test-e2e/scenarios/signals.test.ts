import { existsSync } from "node:fs";
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import type { Child } from "../harness/child.ts";
import { leaveOutNatsServer, startNatsServer } from "../harness/nats-server.ts";
import { onBothBuses } from "../harness/networks.ts";
import { numberOf, numberPublisher } from "../harness/published-numbers.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { connectRawStan } from "../harness/raw-stan.ts";
import { readChannel } from "../harness/read-channel.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { startFileServer } from "../harness/store-server.ts";
import { launchServer, runServer, untilReady } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";

async function start(stage: Stage, args: readonly string[] = []): Promise<Child> {
  const child = await launchServer(stage, "server", ["-a", "127.0.0.1", "-p", String(await freePort()), ...args]);
  await untilReady(child);
  return child;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Sends by `--signal`, which says nothing and ends with 0. */
async function send(stage: Stage, text: string): Promise<void> {
  const { code, stdout, stderr } = await runServer(stage, ["--signal", text]);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "" });
}

describe("--signal", () => {
  for (const { command, code, signal } of [
    { command: "quit", code: 0, signal: null },
    { command: "term", code: 143, signal: null },
    { command: "stop", code: null, signal: "SIGKILL" },
  ] as const) {
    it(`OPER 2.1: ${command} ends the server with ${code ?? signal}`, async () => {
      const stage = testStage();
      const child = await start(stage);
      await send(stage, `${command}=${child.pid}`);
      const end = await child.exit();
      expect({ code: end.code, signal: end.signal }).toEqual({ code, signal });
      expect(end.stderr.includes("STREAM: Shutting down.")).toBe(command !== "stop");
    });
  }

  it("OPER 2.1: reopen and reload reach the server by its pid file, and it goes on", async () => {
    const stage = testStage();
    const pidFile = join(await tempDir(stage), "stan.pid");
    const child = await start(stage, ["-P", pidFile]);
    await until(() => existsSync(pidFile));
    expect(await readFile(pidFile, "utf8")).toBe(String(child.pid));
    await send(stage, `reopen=${pidFile}`);
    await child.line("STREAM: File log re-open ignored, not a file logger");
    await send(stage, `reload=${pidFile}`);
    await child.line("STREAM: Reload: can only reload config when a file is provided using -c or --config");
    expect((await child.stop()).code).toBe(0);
    expect(existsSync(pidFile)).toBe(true);
  });

  it("OPER 2.1: ldm sends clients away and ends the server with 0", async () => {
    const stage = testStage();
    const config = 'lame_duck_grace_period: "200ms", lame_duck_duration: "1s"';
    const path = join(await tempDir(stage), "ldm.conf");
    await writeFile(path, config);
    const child = await start(stage, ["-c", path]);
    await send(stage, `ldm=${child.pid}`);
    expect((await child.exit()).code).toBe(0);
    expect(child.stderr).toContain("[INF] Entering lame duck mode, stop accepting new clients");
  });
});

onBothBuses("log reopening", (openNetwork) => {
  it("OPS-02 SIGUSR1 opens a file of the old name, twice in a row", async () => {
    const stage = testStage();
    const log = join(await tempDir(stage), "stan.log");
    const network = await openNetwork(stage);
    const read = async (): Promise<string> => (existsSync(log) ? readFile(log, "utf8") : "");
    const launched = await network.launchServer({ args: ["-l", log] });
    await until(async () => (await read()).includes("Streaming Server is ready"));
    for (const backup of ["one", "two"]) {
      await rename(log, `${log}.${backup}`);
      launched.signal("SIGUSR1");
      await until(async () => (await read()).includes("\n"));
      expect(await read()).toMatch(/^\[\d+\] [\d/]+ [\d:.]+ \[INF\] STREAM: File log re-opened\n$/);
    }
    expect((await launched.stop()).code).toBe(0);
    expect(await read()).toContain("STREAM: Shutting down.");
  });
});

describe("files of a process", () => {
  it.skipIf(leaveOutNatsServer)("OPER 3: the pid file is written with an external NATS server, too", async () => {
    const stage = testStage();
    const nats = await startNatsServer(stage);
    const pidFile = join(await tempDir(stage), "stan.pid");
    const child = await launchServer(stage, "server", ["-ns", nats.url, "-P", pidFile]);
    await untilReady(child);
    await until(() => existsSync(pidFile));
    expect(await readFile(pidFile, "utf8")).toBe(String(child.pid));
    await child.stop();
  });

  it("OPER 3: the ports file says where the server listens, and goes with it", async () => {
    const stage = testStage();
    const folder = await tempDir(stage);
    const args = ["-a", "127.0.0.1", "-p", "-1", "-m", "-1", "-cluster", "nats://127.0.0.1:-1", "-cluster_name", "c"];
    const child = await launchServer(stage, "server", [...args, "--ports_file_dir", folder]);
    await untilReady(child);
    const path = join(folder, `nats-streaming-server_${child.pid}.ports`);
    await until(() => existsSync(path));
    const ports = JSON.parse(await readFile(path, "utf8"));
    expect(Object.keys(ports)).toEqual(["nats", "monitoring", "cluster"]);
    expect(ports.nats).toHaveLength(1);
    const port = Number(/^nats:\/\/127\.0\.0\.1:(\d+)$/.exec(ports.nats[0])?.[1]);
    const client = await connectRaw(stage, { port });
    await client.flush();
    const response = await fetch(`${ports.monitoring[0]}/streaming/serverz`);
    expect(response.status).toBe(200);
    expect(child.stderr).not.toContain("ports_file_dir");
    await child.stop();
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("an orderly end under load", () => {
  it.each(["SIGINT", "SIGTERM"] as const)("OPS-03 OPS-16 %s loses nothing that was acknowledged", async (signal) => {
    const stage = testStage();
    const directory = join(await tempDir(stage), "data");
    const server = await startFileServer(stage, directory);
    const client = await connectRaw(stage, { port: server.port });
    const stan = await connectRawStan(client, "loader");
    const channels = ["one", "two", "three"];
    const publisher = numberPublisher(channels);
    const running = publisher.run(client, stan);
    await publisher.answers(2000);
    const end = await server.child.stop(signal);
    expect([end.code, end.stderr.includes("STREAM: Shutting down.")]).toEqual([signal === "SIGINT" ? 0 : 143, true]);
    await running.catch(() => {});
    const again = await startFileServer(stage, directory);
    const reader = await connectRawStan(await connectRaw(stage, { port: again.port }), "reader");
    for (const channel of channels) {
      const { lastSequence } = await again.monitor.channel(channel);
      const messages = await readChannel(reader, channel, 1, lastSequence);
      const stored = new Set(messages.map(({ data }) => numberOf(data)));
      const lost = (publisher.acknowledged.get(channel) ?? []).filter((number) => !stored.has(number));
      expect(lost).toEqual([]);
    }
  });
});
