import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { freePort } from "@nats-streaming/kernel/testing";
import { type Child, startChild } from "./child.ts";
import { type Stage, tempFile } from "./stage.ts";

export interface NatsServer {
  readonly port: number;
  readonly url: string;
  readonly child: Child;
}

export interface NatsServerOptions {
  readonly port?: number;
  /** Text of a configuration file. */
  readonly config?: string;
  readonly args?: readonly string[];
}

const MISSING =
  "the end-to-end tests need the real nats-server and do not run without it: install it (Debian and Ubuntu: " +
  "apt-get install nats-server) or name its path in NATS_SERVER";

/** Starts a real nats-server on a free port and waits until it takes connections. */
export async function startNatsServer(stage: Stage, options: NatsServerOptions = {}): Promise<NatsServer> {
  const port = options.port ?? (await freePort());
  const args = ["-a", "127.0.0.1", "-p", String(port), ...(options.args ?? [])];
  if (options.config !== undefined) args.push("-c", await tempFile(stage, "nats-server.conf", options.config));
  const child = await startChild(stage, {
    name: `nats-server:${port}`,
    command: natsServerPath() ?? "nats-server",
    args,
    missing: MISSING,
  });
  await child.line("Server is ready");
  return { port, url: `nats://127.0.0.1:${port}`, child };
}

/**
 * Whether scenarios that need a real nats-server are to be left out: it is not installed, and whoever runs the tests allows
 * that (`npm test` does, and prints what it means; CI does not).
 */
export const leaveOutNatsServer: boolean = process.env["LEAVE_OUT_NATS_SERVER"] === "1";

/** Where nats-server is, or undefined. Debian puts it where only root's PATH looks. */
export function natsServerPath(): string | undefined {
  const named = process.env["NATS_SERVER"];
  if (named !== undefined && named !== "") return named;
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/bin"];
  return folders.map((folder) => join(folder, "nats-server")).find((path) => existsSync(path));
}
