import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { freePort } from "@nats-streaming/kernel/testing";
import { type Child, type Exit, startChild } from "./child.ts";
import { type Stage, tempFile } from "./stage.ts";

/** A streaming server that is ready. */
export interface StreamingServer {
  readonly child: Child;
  /** The 22 characters it printed at its start. */
  readonly serverId: string;
  /** The lines of its log so far. */
  readonly log: readonly LogLine[];
}

export interface LogLine {
  readonly pid: number;
  readonly level: string;
  /** What follows the level, such as `STREAM: Streaming Server is ready`. */
  readonly text: string;
}

const MAIN = fileURLToPath(new URL("../../apps/server/dist/main.js", import.meta.url));
const MANIFEST = new URL("../../apps/server/package.json", import.meta.url);
const MISSING = `the server is not built: ${MAIN} is missing; run "pnpm build" first`;

/** What a server that serves has said. */
export const READY = "STREAM: Streaming Server is ready";

/** A partitioned start waits a second for its peers, and a slow machine is slow to load. */
const READY_MILLIS = 20_000;

/** The version that the server under test says it has. */
export const SERVER_VERSION: string = readVersion();

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(MANIFEST, "utf8"));
  const version = typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, "version") : undefined;
  if (typeof version !== "string") throw new Error(`no version in ${MANIFEST.pathname}`);
  return version;
}

/** The command line of the server under test. `E2E_SERVER_COMMAND` (words separated by blanks) names another one. */
export function serverCommand(): readonly [string, ...string[]] {
  const [command, ...args] = (process.env["E2E_SERVER_COMMAND"] ?? "").split(" ").filter((word) => word !== "");
  if (command !== undefined) return [command, ...args];
  if (!existsSync(MAIN)) throw new Error(MISSING);
  return [process.execPath, MAIN];
}

/** Starts the server with these arguments and waits for nothing. */
export function launchServer(stage: Stage, name: string, args: readonly string[]): Promise<Child> {
  const [command, ...first] = serverCommand();
  return startChild(stage, { name, command, args: [...first, ...args], missing: MISSING });
}

/** Runs the server with these arguments until it ends by itself: for refusals, help, versions. */
export async function runServer(stage: Stage, args: readonly string[]): Promise<Exit> {
  const child = await launchServer(stage, `streaming server ${args.join(" ")}`, args);
  return child.exit(READY_MILLIS);
}

/** Waits until a launched server serves. */
export async function untilReady(child: Child): Promise<StreamingServer> {
  await child.line(READY, READY_MILLIS);
  return {
    child,
    serverId: serverIdOf(child.lines),
    get log() {
      return readLog(child.lines);
    },
  };
}

/** A server that is ready, and where its own broker listens. */
export interface ListeningServer {
  readonly port: number;
  readonly child: Child;
}

/** Starts a server on a free port, with these flags and, if it is not empty, this text of a configuration file of NATS. */
export async function startListening(stage: Stage, args: readonly string[], natsConfig = ""): Promise<ListeningServer> {
  const port = await freePort();
  const file = natsConfig === "" ? [] : ["-c", await configFile(stage, natsConfig, "nats.conf")];
  const listen = ["-a", "127.0.0.1", "-p", String(port)];
  const child = await launchServer(stage, `server ${port}`, [...listen, ...file, ...args]);
  await untilReady(child);
  return { port, child };
}

/** The identity in the `ServerID:` line. */
export function serverIdOf(lines: readonly string[]): string {
  for (const { text } of readLog(lines)) {
    const id = /^STREAM: ServerID: ([0-9A-Za-z]{22})$/.exec(text)?.[1];
    if (id !== undefined) return id;
  }
  throw new Error(`no line with a server ID of 22 characters among:\n${lines.join("\n")}`);
}

const LOG_LINE = /^\[(\d+)\] \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} \[([A-Z]{3})\] (.*)$/;

/** Takes log lines apart. A line of another form fails. @see operations.md 1.2 */
export function readLog(lines: readonly string[]): LogLine[] {
  return lines.map((line) => {
    const [, pid, level, text] = LOG_LINE.exec(line) ?? [];
    if (pid === undefined || level === undefined || text === undefined) throw new Error(`not a log line: ${line}`);
    return { pid: Number(pid), level, text };
  });
}

/** Writes a configuration file for one server and returns its path. */
export function configFile(stage: Stage, text: string, name = "streaming.conf"): Promise<string> {
  return tempFile(stage, name, text);
}
