import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "@nats-streaming/kernel/testing";
import { type Monitor, monitorAt } from "./monitor.ts";
import { type Stage, tempDir } from "./stage.ts";
import { launchServer, runServer, type StreamingServer, untilReady } from "./streaming-server.ts";

/** A server with a store that persists and a broker of its own. */
export interface StoreServer extends StreamingServer {
  readonly port: number;
  readonly monitor: Monitor;
}

/** Starts a server with these flags of a store and waits until it is ready. */
export async function startStoreServer(stage: Stage, storeArgs: readonly string[]): Promise<StoreServer> {
  const [port, monitorPort] = [await freePort(), await freePort()];
  const listen = ["-a", "127.0.0.1", "-p", String(port), "-m", String(monitorPort)];
  const child = await launchServer(stage, `server with ${storeArgs.join(" ")}`, [...storeArgs, ...listen]);
  const server = await untilReady(child);
  return {
    child,
    port,
    serverId: server.serverId,
    get log() {
      return server.log;
    },
    monitor: monitorAt(monitorPort),
  };
}

/** The same on a file store's directory. */
export function startFileServer(stage: Stage, directory: string, args: readonly string[] = []): Promise<StoreServer> {
  return startStoreServer(stage, [...fileStore(directory), ...args]);
}

/** Runs a server on a store's directory that is expected to end by itself. */
export async function runFileServer(
  stage: Stage,
  directory: string,
  args: readonly string[] = [],
): ReturnType<typeof runServer> {
  const port = String(await freePort());
  return runServer(stage, [...fileStore(directory), "-a", "127.0.0.1", "-p", port, ...args]);
}

function fileStore(directory: string): string[] {
  return ["-store", "file", "-dir", directory];
}

/** A copy of a directory that the Go server wrote. */
export async function fixtureDirectory(stage: Stage, name: string): Promise<string> {
  const directory = join(await tempDir(stage), "data");
  const source = fileURLToPath(new URL(`../fixtures/file-store/${name}`, import.meta.url));
  await cp(source, directory, { recursive: true, filter: (path) => !path.endsWith("expected.json") });
  return directory;
}
