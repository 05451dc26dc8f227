import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@nats-streaming/kernel/testing";

/** Whether the reference is installed, in the version that the expectations were taken from. */
export function hasNatsServer(): boolean {
  const result = spawnSync("nats-server", ["--version"], { encoding: "utf8" });
  return result.status === 0 && result.stdout.includes("v2.9.");
}

export interface NatsServer {
  readonly port: number;
  stop(): Promise<void>;
  /** Has it read other lines of its configuration; settles when it has, one way or the other. */
  reload(configuration: string): Promise<void>;
  /** What it has logged. */
  log(): string;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

/** Runs the reference with lines of its own configuration language. `files` are put beside them and can be named there. */
export async function startNatsServer(
  configuration: string,
  files: Readonly<Record<string, string>> = {},
): Promise<NatsServer> {
  const folder = mkdtempSync(join(tmpdir(), "broker-conformance-"));
  const port = await freePort();
  const file = join(folder, "server.conf");
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const write = (lines: string): void => writeFileSync(file, `listen: 127.0.0.1:${port}\n${lines}\n`);
  write(configuration);
  const child: ChildProcess = spawn("nats-server", ["-c", file], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  const logged = new Promise<void>((resolve, reject) => {
    child.stderr?.on("data", (data: Buffer) => {
      log += data.toString();
      if (log.includes("Server is ready")) resolve();
    });
    child.once("exit", () => reject(new Error(`nats-server did not start: ${log}`)));
  });
  await logged;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const reload = async (lines: string): Promise<void> => {
    write(lines);
    const from = log.length;
    child.kill("SIGHUP");
    while (!/Reloaded server configuration|Failed to reload/.test(log.slice(from))) {
      if (child.stderr === null) throw new Error("no log");
      await once(child.stderr, "data");
    }
  };
  return { port, reload, log: () => log, stop: () => end("SIGTERM"), kill: () => end("SIGKILL") };
}
