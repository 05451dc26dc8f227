import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import type { Child } from "../harness/child.ts";
import { monitorAt } from "../harness/monitor.ts";
import { leaveOutNatsServer, startNatsServer } from "../harness/nats-server.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { configFile, launchServer, untilReady } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";

interface Reloadable {
  readonly child: Child;
  readonly port: number;
  readonly monitorPort: number;
  /** Of its file. */
  readonly path: string;
  /** Writes other lines into its file and sends SIGHUP; settles when it has answered, with the lines of the log since. */
  reload(config: string, answer?: RegExp): Promise<readonly string[]>;
}

const IN_PART = "[WRN] Reloaded server configuration in part: what failed is as it was before";

/** The last line of a reload, or of one that was given up. */
const ANSWER = /Reloaded server configuration|Reload: can only reload/;
const REFUSED = /\[ERR\] [ |]*\^/;

async function startReloadable(stage: Stage, config: string, args: readonly string[] = []): Promise<Reloadable> {
  const path = await configFile(stage, config);
  const [port, monitorPort] = [await freePort(), await freePort()];
  const listen = ["-a", "127.0.0.1", "-p", String(port), "-m", String(monitorPort)];
  const child = await launchServer(stage, "server to reload", ["-c", path, ...listen, ...args]);
  await untilReady(child);
  return {
    child,
    port,
    monitorPort,
    path,
    reload: async (next, answer = ANSWER) => {
      await writeFile(path, next);
      return answerTo(child, "SIGHUP", answer);
    },
  };
}

/** Sends a signal, and waits for a new line that answers it; the texts since. */
async function answerTo(child: Child, signal: NodeJS.Signals, answer: RegExp): Promise<readonly string[]> {
  const known = child.lines.length;
  child.signal(signal);
  await until(() => child.lines.slice(known).some((line) => answer.test(line)));
  return child.lines.slice(known).map(textOf);
}

/** A line without process and time. */
function textOf(line: string): string {
  return line.replace(/^\[\d+\] (\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} )?/, "");
}

/** Resolves once `condition` holds, which is looked at turn by turn. The test's own time limit is the limit. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function textsOf(path: string): Promise<string[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "");
}

describe("reload", () => {
  it("OPS-04 SIGHUP with a changed debug says so, as nats-server does", async () => {
    const server = await startReloadable(testStage(), "debug: false");
    expect(await server.reload("debug: true")).toEqual([
      "[INF] Reloaded: debug = true",
      "[INF] Reloaded server configuration",
    ]);
    await connectRaw(testStage(), { port: server.port });
    await server.child.line("Client connection created");
    expect(await server.reload("debug: true")).toEqual(["[INF] Reloaded server configuration"]);
  });

  it("OPS-05 trace and time stamps of a reload are in effect after the log is reopened", async () => {
    const stage = testStage();
    const log = join(await tempDir(stage), "stan.log");
    const path = await configFile(stage, `logfile: "${log}"`);
    const port = await freePort();
    const child = await launchServer(stage, "server", ["-c", path, "-a", "127.0.0.1", "-p", String(port)]);
    await until(async () => (await textsOf(log)).some((line) => line.includes("Streaming Server is ready")));
    await writeFile(path, `logfile: "${log}", trace: true, logtime: false`);
    child.signal("SIGHUP");
    await until(async () => (await textsOf(log)).some((line) => line.includes("Reloaded server configuration")));
    expect((await textsOf(log)).slice(-3)).toEqual([
      `[${child.pid}] [INF] Reloaded: logtime = false`,
      `[${child.pid}] [INF] Reloaded: trace = true`,
      `[${child.pid}] [INF] Reloaded server configuration`,
    ]);
    await rename(log, `${log}.1`);
    child.signal("SIGUSR1");
    await until(async () => (await textsOf(log)).length > 0);
    expect((await textsOf(log))[0]).toBe(`[${child.pid}] [INF] STREAM: File log re-opened`);
    const client = await connectRaw(stage, { port });
    client.publish("traced", "x");
    await client.flush();
    expect((await textsOf(log)).join("\n")).toMatch(/\[TRC\] 127.* <<- \[PUB traced 1\]/);
    await child.stop();
  });

  it("OPS-07 NATS debug and trace without the streaming ones stay exactly so when the log is reopened", async () => {
    const stage = testStage();
    const log = join(await tempDir(stage), "stan.log");
    const port = await freePort();
    const args = ["-a", "127.0.0.1", "-p", String(port), "-DV", "-l", log];
    const child = await launchServer(stage, "server", args);
    await until(async () => (await textsOf(log)).some((line) => line.includes("Streaming Server is ready")));
    await rename(log, `${log}.1`);
    child.signal("SIGUSR1");
    await until(async () => (await textsOf(log)).length > 0);
    const client = await connectStan(stage, "quiet", { port });
    await client.publish("foo", "x");
    await client.close();
    const lines = (await textsOf(log)).map(textOf);
    expect(lines.some((line) => /^\[DBG\] 127.* Client connection created$/.test(line))).toBe(true);
    expect(lines.some((line) => /^\[TRC\] 127.* <<- \[PUB _STAN\.pub\./.test(line))).toBe(true);
    expect(lines.filter((line) => /^\[(DBG|TRC)\] STREAM: /.test(line))).toEqual([]);
    await child.stop();
  });

  it("a changed stan_debug speaks at once, and what a flag says stays", async () => {
    const server = await startReloadable(testStage(), "streaming { sd: false, id: test-cluster }", ["-SV"]);
    const lines = await server.reload("streaming { sd: true, sv: false, id: test-cluster }");
    expect(lines).toEqual(["[INF] STREAM: Reloaded: stan_debug = true", "[INF] Reloaded server configuration"]);
    const stage = testStage();
    await connectStan(stage, "seen", { port: server.port });
    await server.child.line("[DBG] STREAM: [Client:seen] Connected (Inbox=");
  });

  it("a file that cannot be read leaves everything as it was, and the log shows the place", async () => {
    const server = await startReloadable(testStage(), "debug: false");
    const lines = await server.reload("debug: true\nmax_payload: [\n", REFUSED);
    expect(lines[0]).toMatch(/^\[ERR\] Failed to reload server configuration: .+/);
    expect(lines.join("\n")).toMatch(/streaming\.conf:\d+/);
    expect(lines.some((line) => /^\[ERR\] [ |]*\^/.test(line))).toBe(true);
    const typo = await server.reload("debug: true\nmax_connections: many\n", REFUSED);
    expect(typo[0]).toContain("streaming.conf:2");
    expect(await server.reload("debug: false")).toEqual(["[INF] Reloaded server configuration"]);
  });

  it("names what needs a restart, and why, and applies the rest", async () => {
    const server = await startReloadable(testStage(), "streaming { id: test-cluster }");
    const lines = await server.reload("max_payload: 2000, streaming { id: other, hb_interval: 5s }");
    expect(lines).toEqual([
      "[WRN] STREAM: Reload: cluster_id cannot become other without a restart: clients and other servers know this one by it",
      "[WRN] STREAM: Reload: hb_interval cannot become 5s without a restart: the heartbeats of connected clients run by it",
      "[INF] Reloaded: max_payload = 2000 (a higher one: connections from now on)",
      "[INF] Reloaded server configuration",
    ]);
    const raw = await connectRaw(testStage(), { port: server.port });
    expect(raw.info["max_payload"]).toBe(2000);
  });

  it("closes clients that would not be let in any more, and the streaming server stays", async () => {
    const stage = testStage();
    const user = (password: string): string => `authorization { user: ada, password: ${password} }`;
    const server = await startReloadable(stage, user("one"));
    const client = await connectRaw(stage, { port: server.port, connect: { user: "ada", pass: "one" } });
    const lines = await server.reload(user("two"));
    expect(lines).toContain("[INF] Reloaded: authorization password");
    await client.errors.take({ where: (text) => text === "'Authorization Violation'" });
    await client.untilClosed();
    const next = await connectRaw(stage, { port: server.port, connect: { user: "ada", pass: "two" } });
    await next.flush();
    expect(server.child.stderr).not.toMatch(/"one"|"two"|password: /);
  });

  it("limits hold for channels that are created afterwards", async () => {
    const stage = testStage();
    const limits = (text: string): string => `streaming { store_limits { ${text} } }`;
    const server = await startReloadable(stage, limits("max_msgs: 10"));
    const monitor = monitorAt(server.monitorPort);
    const client = await connectStan(stage, "limits", { port: server.port });
    for (const text of ["1", "2", "3"]) await client.publish("before", text);
    expect(await server.reload(limits("max_msgs: 2, channels { special { max_msgs: 1 } }"))).toEqual([
      "[INF] STREAM: Reloaded: store_limits.max_msgs = 2 (channels created from now on)",
      "[INF] STREAM: Reloaded: store_limits.channels (limits: channels created from now on)",
      "[INF] Reloaded server configuration",
    ]);
    for (const channel of ["before", "after", "special"]) {
      for (const text of ["4", "5", "6"]) await client.publish(channel, text);
    }
    expect((await monitor.channel("before")).msgs).toBe(6);
    expect((await monitor.channel("after")).msgs).toBe(2);
    expect((await monitor.channel("special")).msgs).toBe(1);
    const wrong = await server.reload(limits("max_channels: 1, channels { a {}, b {} }"));
    expect(wrong[0]).toMatch(/^\[ERR\] Failed to reload server configuration: /);
    expect(wrong.at(-1)).toBe(IN_PART);
    await client.publish("still", "served");
  });

  it.skipIf(leaveOutNatsServer)(
    "the partition list grows and shrinks, and a conflict leaves it as it was",
    async () => {
      const stage = testStage();
      const partition = (...channels: readonly string[]): string =>
        `streaming { partitioning: true, store_limits { channels { ${channels.map((name) => `"${name}": {}`).join(", ")} } } }`;
      const nats = await startNatsServer(stage);
      const first = await startReloadable(stage, partition("foo"), ["-ns", nats.url]);
      const second = await startReloadable(stage, partition("bar"), ["-ns", nats.url]);
      expect(second.child.pid).not.toBe(first.child.pid);
      const client = await connectStan(stage, "grower", { port: nats.port });
      const grown = await first.reload(partition("foo", "baz.*"));
      expect(grown).toContain("[INF] STREAM: Reloaded: channels added: baz.*");
      await client.publish("baz.1", "new");
      const refused = await first.reload(partition("foo", "baz.*", "bar"));
      expect(refused.some((line) => /^\[ERR\] STREAM: Failed to reload server configuration: .*bar/.test(line))).toBe(
        true,
      );
      await client.publish("bar", "served by the other");
      const shrunk = await first.reload(partition("foo"));
      expect(shrunk).toContain("[INF] STREAM: Reloaded: channels removed: baz.*");
      await client.publish("foo", "still served");
      await client.close();
    },
  );

  it("a log file that changes takes the next line, and one that cannot be opened changes nothing", async () => {
    const stage = testStage();
    const folder = await tempDir(stage);
    const server = await startReloadable(stage, "debug: false");
    const path = join(folder, "new.log");
    const failed = await server.reload(`logfile: "${join(folder, "missing", "x.log")}", debug: true`);
    expect(failed[0]).toMatch(/^\[ERR\] Failed to reload server configuration: error opening file: /);
    expect(failed).toContain("[INF] Reloaded: debug = true");
    await writeFile(server.path, `logfile: "${path}", debug: true`);
    server.child.signal("SIGHUP");
    await until(async () => (await textsOf(path)).some((line) => line.includes("Reloaded server configuration")));
    expect((await textsOf(path)).map(textOf)[0]).toBe(`[INF] Reloaded: log_file = ${path}`);
  });

  it("without a file says that there is nothing to reload", async () => {
    const stage = testStage();
    const child = await launchServer(stage, "server", ["-a", "127.0.0.1", "-p", String(await freePort())]);
    await untilReady(child);
    expect(await answerTo(child, "SIGHUP", ANSWER)).toEqual([
      "[ERR] STREAM: Reload: can only reload config when a file is provided using -c or --config",
    ]);
  });

  it.skipIf(leaveOutNatsServer)("with an external NATS server, that server's options are its own affair", async () => {
    const stage = testStage();
    const nats = await startNatsServer(stage);
    const server = await startReloadable(stage, "max_payload: 1000", ["-ns", nats.url]);
    const lines = await server.reload("max_payload: 2000, streaming { sd: true }");
    expect(lines).toEqual([
      "[WRN] STREAM: Reload supported only for embedded NATS Server's configuration",
      "[INF] STREAM: Reloaded: stan_debug = true",
      "[INF] STREAM: Reloaded server configuration",
    ]);
  });
});
