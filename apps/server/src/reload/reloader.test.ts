import type { FileRead } from "@nats-streaming/config";
import { FakeClock } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { createLogger, type ServerLogger } from "../logging/logger.ts";
import type { NatsOptions } from "../options/nats-options.ts";
import { resolveOptions } from "../options/resolve-options.ts";
import { ProcessFiles } from "./process-files.ts";
import type { LimitsOutcome, ReloadTarget } from "./reload-target.ts";
import { Reloader } from "./reloader.ts";

class FakeServer implements ReloadTarget {
  readonly ports = { nats: undefined, monitoring: undefined, cluster: undefined, isEncrypted: false };
  readonly brokers: NatsOptions[] = [];
  limits: LimitsOutcome = { kind: "applied", added: [], removed: [] };
  brokerFault: Error | undefined;
  /** Told when a change of the broker begins, which takes as long as what it returns. */
  onBroker: () => Promise<void> | undefined = () => undefined;

  async reloadBroker(nats: NatsOptions): Promise<void> {
    if (this.brokerFault !== undefined) throw this.brokerFault;
    this.brokers.push(nats);
    await this.onBroker();
  }

  async reloadLimits(): Promise<LimitsOutcome> {
    return this.limits;
  }

  async lameDuck(): Promise<void> {}
}

interface Stage {
  readonly server: FakeServer;
  readonly reloader: Reloader;
  readonly lines: string[];
  /** Reloads with this text in the file, and returns the lines of the log since. */
  reload(text: string): Promise<readonly string[]>;
  write(text: string): void;
}

function stage(text: string, args: readonly string[] = ["-c", "stan.conf"]): Stage {
  let file = text;
  const readFile = (): FileRead => ({ kind: "text", text: file });
  const resolve = () => resolveOptions(args, {}, { readFile });
  const request = resolve();
  if (request.kind !== "run") throw new Error(JSON.stringify(request));
  const lines: string[] = [];
  const target = {
    write: (level: string, line: string) => lines.push(`${level} ${line}`),
    reopen: () => false,
    close: async () => {},
  };
  const clock = new FakeClock();
  const loggerOf = (prefix: string): ServerLogger =>
    createLogger({ sink: { target }, clock, prefix, verbosity: { debug: false, trace: false } });
  const reloader = new Reloader({
    request,
    resolve,
    clock,
    sink: { target },
    logger: loggerOf("STREAM: "),
    natsLogger: loggerOf(""),
    files: new ProcessFiles(1),
    isTerminal: false,
  });
  const server = new FakeServer();
  return {
    server,
    reloader,
    lines,
    write: (next) => {
      file = next;
    },
    reload: async (next) => {
      file = next;
      const known = lines.length;
      await reloader.reload(server);
      return lines.slice(known);
    },
  };
}

describe("Reloader", () => {
  it("hands the broker what is in force, without what needs a restart", async () => {
    const { reload, server, reloader } = stage("max_payload: 1000, port: 1");
    await reload("max_payload: 2000, port: 2");
    expect(server.brokers.map(({ maxPayloadBytes, port }) => [maxPayloadBytes, port])).toEqual([[2000, 1]]);
    expect(reloader.current.nats.maxPayloadBytes).toBe(2000);
  });

  it("leaves an area as it was that could not be changed, and tries again with the next reload", async () => {
    const { reload, server, reloader } = stage("max_payload: 1000");
    server.brokerFault = new Error("certificate unusable");
    expect(await reload("max_payload: 2000, debug: true")).toEqual([
      "INF Reloaded: debug = true",
      "ERR Failed to reload server configuration: certificate unusable",
      "WRN Reloaded server configuration in part: what failed is as it was before",
    ]);
    expect(reloader.current.nats).toMatchObject({ maxPayloadBytes: 1000, debug: true });
    server.brokerFault = undefined;
    expect(await reload("max_payload: 2000, debug: true")).toEqual([
      "INF Reloaded: max_payload = 2000 (a higher one: connections from now on)",
      "INF Reloaded server configuration",
    ]);
  });

  it("tells of a list of channels that another server refuses, and of one that has grown and shrunk", async () => {
    const { reload, server } = stage("streaming { partitioning: true, store_limits { channels { foo {} } } }");
    const next = "streaming { partitioning: true, store_limits { channels { foo {}, bar {} } } }";
    server.limits = { kind: "refused", reason: "bar is served by another" };
    expect(await reload(next)).toContain("ERR Failed to reload server configuration: bar is served by another");
    server.limits = { kind: "applied", added: ["bar"], removed: ["old"] };
    expect(await reload(next)).toEqual([
      "INF STREAM: Reloaded: channels added: bar",
      "INF STREAM: Reloaded: channels removed: old",
      "INF STREAM: Reloaded: store_limits.channels (limits: channels created from now on)",
      "INF Reloaded server configuration",
    ]);
    expect(await reload(next)).toEqual(["INF Reloaded server configuration"]);
  });

  it("lets connections that are there know of changed tracing", async () => {
    const { reload, server } = stage("max_payload: 1000");
    await reload("max_payload: 1000, trace: true");
    expect(server.brokers).toHaveLength(1);
    await reload("max_payload: 1000, trace: true, lame_duck_duration: 5s");
    expect(server.brokers).toHaveLength(1);
  });

  it("reads the file once more for a signal that comes meanwhile, and only once for several", async () => {
    const { reloader, server, write, lines } = stage("max_payload: 1000");
    const others: Promise<void>[] = [];
    // Both come while the first change is being made.
    server.onBroker = async () => {
      server.onBroker = () => undefined;
      write("max_payload: 3000");
      others.push(reloader.reload(server), reloader.reload(server));
    };
    write("max_payload: 2000");
    await reloader.reload(server);
    await Promise.all(others);
    expect(others).toHaveLength(2);
    expect(server.brokers.map(({ maxPayloadBytes }) => maxPayloadBytes)).toEqual([2000, 3000]);
    expect(lines.filter((line) => line === "INF Reloaded server configuration")).toHaveLength(2);
  });

  it("shows the place of a fault in the file, without the secret beside it", async () => {
    const { reload, reloader } = stage("debug: false");
    const lines = await reload("debug: true\nauthorization { user: a, password: hidden, unknown: 1 }");
    expect(lines[0]).toMatch(/^ERR Failed to reload server configuration: stan\.conf:2:/);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.join("\n")).not.toContain("hidden");
    expect(reloader.current.nats.debug).toBe(false);
  });

  it("says that there is nothing to reload without a file", async () => {
    const { reload } = stage("", []);
    expect(await reload("debug: true")).toEqual([
      "ERR STREAM: Reload: can only reload config when a file is provided using -c or --config",
    ]);
  });
});
