import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { createMailbox, type Mailbox } from "../harness/mailbox.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { launchServer, runServer } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";

/** A syslog server on UDP. */
async function syslogServer(stage: Stage): Promise<{ readonly url: string; readonly messages: Mailbox<string> }> {
  const messages = createMailbox<string>("syslog messages");
  const socket = createSocket("udp4", (message) => messages.push(message.toString()));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  stage.defer(() => {
    socket.close();
  });
  return { url: `udp://127.0.0.1:${socket.address().port}`, messages };
}

async function listenArgs(): Promise<string[]> {
  return ["-a", "127.0.0.1", "-p", String(await freePort())];
}

describe("logging", () => {
  it("OPS 1.2 goes to a remote syslog, with nothing on standard error, up to the last line", async () => {
    const stage = testStage();
    const { url, messages } = await syslogServer(stage);
    const child = await launchServer(stage, "server with syslog", [...(await listenArgs()), "-r", url]);
    const ready = await messages.take({ where: (text) => text.includes("STREAM: Streaming Server is ready") });
    expect(ready).toMatch(/^<5>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S+ nats-streaming-server\[\d+\]: STREAM: /);
    const end = await child.stop();
    expect([end.code, end.stderr, end.stdout]).toEqual([0, "", ""]);
    await messages.take({ where: (text) => text.includes("Server Exiting..") });
  });

  it("OPS 1.2 a start that fails under syslog is logged there, and printed bare on standard output", async () => {
    const stage = testStage();
    const { url, messages } = await syslogServer(stage);
    const end = await runServer(stage, [...(await listenArgs()), "-r", url, "-store", "file"]);
    const text = "for FILE stores, root directory must be specified";
    expect([end.code, end.stdout, end.stderr]).toEqual([1, `${text}\n`, ""]);
    const logged = await messages.take({ where: (message) => message.includes("Failed to start") });
    expect(logged).toMatch(new RegExp(`^<2>.*STREAM: Failed to start: ${text}\n$`));
  });

  it("a syslog that cannot be used is refused before anything is started", async () => {
    const stage = testStage();
    const end = await runServer(stage, [...(await listenArgs()), "-r", "udp://localhost"]);
    expect([end.code, end.stdout]).toEqual([1, ""]);
    expect(end.stderr).toBe("invalid syslog address udp://localhost: it has no port, such as udp://localhost:514\n");
  });

  it("OPS 1.2 a log file beyond its limit is put aside and begun anew", async () => {
    const stage = testStage();
    const folder = await tempDir(stage);
    const path = join(folder, "server.log");
    const args = [...(await listenArgs()), "-l", path, "-log_size_limit", "1000"];
    const child = await launchServer(stage, "server with a log file", args);
    // A file may be put aside between the listing and the reading: then the next look finds it.
    const written = async (): Promise<string> => {
      const names = (await readdir(folder)).toSorted();
      return (await Promise.all(names.map((name) => readFile(join(folder, name), "utf8").catch(() => "")))).join("");
    };
    // The process is told to stop once it runs; its log says when.
    while (!(await written()).includes("Streaming Server is ready"))
      await new Promise((resolve) => setImmediate(resolve));
    await child.stop();
    const backups = (await readdir(folder)).filter((name) => name !== "server.log");
    expect(backups.length).toBeGreaterThan(0);
    for (const name of backups) expect(name).toMatch(/^server\.log\.\d{4}(\.\d\d){5}\.\d{9}$/);
    expect(await readFile(path, "utf8")).toMatch(/\[INF\] Rotated log, backup saved as ".*server\.log\.\d{4}\./);
  });
});
