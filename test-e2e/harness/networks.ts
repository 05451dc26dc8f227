import { freePort } from "@nats-streaming/kernel/testing";
import { describe } from "vitest";
import type { Child, Exit } from "./child.ts";
import { type Monitor, monitorAt } from "./monitor.ts";
import { leaveOutNatsServer, type NatsServer, startNatsServer } from "./nats-server.ts";
import type { Stage } from "./stage.ts";
import { configFile, launchServer, runServer, type StreamingServer, untilReady } from "./streaming-server.ts";

/** A NATS network with streaming servers on it. Clients use `port` whatever provides the network. */
export interface Network {
  readonly port: number;
  readonly url: string;
  /** Starts a streaming server and waits until it is ready. */
  startServer(options?: ServerOptions): Promise<ServerOnNetwork>;
  /** Starts a streaming server and waits for nothing. */
  launchServer(options?: ServerOptions): Promise<Child>;
  /** Runs a streaming server that is expected to give up by itself. */
  runServer(options?: ServerOptions): Promise<Exit>;
}

export interface ServerOnNetwork extends StreamingServer {
  /** Its HTTP endpoints. */
  readonly monitor: Monitor;
}

export interface ServerOptions {
  /** Text of the streaming configuration file, or the path of one. */
  readonly config?: string | { readonly path: string };
  /** Further flags. */
  readonly args?: readonly string[];
}

export interface NetworkOptions {
  /** NATS options in the form of a configuration file, for whoever provides the network. */
  readonly natsConfig?: string;
}

export type OpenNetwork = (stage: Stage, options?: NetworkOptions) => Promise<Network>;

/** Defines the same scenarios twice: over the server's own broker, and over a real nats-server that it connects to. */
export function onBothBuses(title: string, scenarios: (openNetwork: OpenNetwork) => void): void {
  describe(`${title} (embedded broker)`, () => scenarios(openEmbeddedNetwork));
  describe.skipIf(leaveOutNatsServer)(`${title} (nats-server)`, () => scenarios(openExternalNetwork));
}

/** The first streaming server brings the network with its embedded broker; every further one connects to that broker. */
export async function openEmbeddedNetwork(stage: Stage, options: NetworkOptions = {}): Promise<Network> {
  const port = await freePort();
  const url = `nats://127.0.0.1:${port}`;
  let provided = false;
  return network(stage, port, url, async () => {
    if (provided) return ["-ns", url];
    provided = true;
    const args = ["-a", "127.0.0.1", "-p", String(port)];
    if (options.natsConfig !== undefined) args.push("-c", await configFile(stage, options.natsConfig, "nats.conf"));
    return args;
  });
}

/** A real nats-server is the network. */
export async function openExternalNetwork(stage: Stage, options: NetworkOptions = {}): Promise<Network> {
  const server = await startNatsServer(stage, options.natsConfig === undefined ? {} : { config: options.natsConfig });
  return networkOf(stage, server);
}

/** The network that a nats-server gives. */
export function networkOf(stage: Stage, server: Pick<NatsServer, "port" | "url">): Network {
  return network(stage, server.port, server.url, async () => ["-ns", server.url]);
}

function network(stage: Stage, port: number, url: string, natsArgs: () => Promise<readonly string[]>): Network {
  let count = 0;
  const argsFor = async (options: ServerOptions): Promise<string[]> => {
    const args = ["-store", "memory", ...(await natsArgs())];
    const { config } = options;
    if (typeof config === "string") args.push("-sc", await configFile(stage, config));
    else if (config !== undefined) args.push("-sc", config.path);
    return [...args, ...(options.args ?? [])];
  };
  const launch = async (options: ServerOptions = {}): Promise<Child> => {
    count++;
    return launchServer(stage, `streaming server ${count} on ${url}`, await argsFor(options));
  };
  return {
    port,
    url,
    launchServer: launch,
    async startServer(options: ServerOptions = {}): Promise<ServerOnNetwork> {
      const monitorPort = await freePort();
      const child = await launch({ ...options, args: ["-m", String(monitorPort), ...(options.args ?? [])] });
      const server = await untilReady(child);
      return {
        child,
        serverId: server.serverId,
        get log() {
          return server.log;
        },
        monitor: monitorAt(monitorPort),
      };
    },
    runServer: async (options: ServerOptions = {}) => runServer(stage, await argsFor(options)),
  };
}
