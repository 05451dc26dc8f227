import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@nats-streaming/kernel/testing";

/** A real NATS server, started by a test on a free port of this machine. */
export interface NatsServer {
  readonly port: number;
  readonly url: string;
  /** Everything it has logged. */
  readonly log: string;
  /** Stops it without a farewell. Starting again takes the same port and configuration. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops it for good and clears away its files. */
  close(): Promise<void>;
}

/** Debian keeps the program where only root's search path looks. */
const { PATH = "" } = process.env;
const SEARCH_PATH = `${PATH}:/usr/sbin:/usr/local/sbin:/usr/local/bin`;

/** What even a test run that broke off has to clear away. */
const leftovers: (() => void)[] = [];
process.once("exit", () => {
  for (const clear of leftovers) clear();
});

/** @param config lines of its configuration file, besides the port */
export async function startNatsServer(config = ""): Promise<NatsServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "nats-bus-"));
  const file = join(folder, "nats.conf");
  writeFileSync(file, `listen: "127.0.0.1:${port}"\n${config}\n`);
  let child: ChildProcess | undefined;
  let log = "";

  const server: NatsServer = {
    port,
    url: `nats://127.0.0.1:${port}`,
    get log(): string {
      return log;
    },
    async start(): Promise<void> {
      const started = spawn("nats-server", ["-c", file], {
        env: { ...process.env, PATH: SEARCH_PATH },
        stdio: ["ignore", "ignore", "pipe"],
      });
      child = started;
      await new Promise<void>((resolve, reject) => {
        let lines = "";
        started.once("error", (cause) => {
          reject(
            new Error("these tests need the program nats-server: install Debian's package nats-server", { cause }),
          );
        });
        started.once("exit", (code) => reject(new Error(`nats-server ended with ${code}:\n${lines}`)));
        started.stderr?.on("data", (chunk: Buffer) => {
          log += chunk.toString();
          lines += chunk.toString();
          if (lines.includes("Server is ready")) resolve();
        });
      });
    },
    async stop(): Promise<void> {
      const running = child;
      child = undefined;
      if (running !== undefined && running.exitCode === null) {
        const exited = once(running, "exit");
        running.kill("SIGKILL");
        await exited;
      }
      log = "";
    },
    async close(): Promise<void> {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  leftovers.push(() => {
    child?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  await server.start();
  return server;
}
