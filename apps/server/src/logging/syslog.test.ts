import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "@nats-streaming/kernel/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { defaultNatsOptions } from "../options/nats-options.ts";
import { openLogTarget } from "./open-target.ts";
import { localSyslogMessage, remoteSyslogMessage } from "./syslog-message.ts";
import { syslogTarget } from "./syslog-target.ts";
import { connectLocalSyslog, connectRemoteSyslog } from "./syslog-transport.ts";

const SENDER = { tag: "nats-streaming-server", pid: 7120, host: "host" };
const NOW = { millis: Date.UTC(2026, 10, 22, 14, 56, 20), nanos: 0 };

/** A TCP server that collects what it gets. */
async function listener(): Promise<{
  url: string;
  text: () => string;
  sockets: Socket[];
  untilText: (part: string) => Promise<void>;
}> {
  const sockets: Socket[] = [];
  let text = "";
  let arrived = (): void => {};
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      text += chunk.toString();
      arrived();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `tcp://127.0.0.1:${port}`,
    text: () => text,
    sockets,
    async untilText(part) {
      while (!text.includes(part)) {
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
      }
    },
  };
}

describe("syslog messages", () => {
  it.each([
    ["INF", "<5>"],
    ["WRN", "<4>"],
    ["ERR", "<3>"],
    ["FTL", "<2>"],
    ["DBG", "<7>"],
    ["TRC", "<5>"],
  ] as const)("OPS 1.2 for another machine: %s has priority %s, time stamp, host and tag", (level, priority) => {
    expect(remoteSyslogMessage(SENDER, level, "STREAM: ServerID: VxLQ", NOW.millis)).toBe(
      `${priority}2026-11-22T14:56:20Z host nats-streaming-server[7120]: STREAM: ServerID: VxLQ\n`,
    );
  });

  it("OPS 1.2 for this machine: facility daemon, local time, no host, one line whatever the text", () => {
    expect(localSyslogMessage(SENDER, "WRN", "a\nb", NOW.millis)).toMatch(
      /^<28>Nov [ \d]\d \d\d:56:20 nats-streaming-server\[7120\]: a\\nb\n$/,
    );
  });
});

describe("a syslog server", () => {
  it("gets datagrams over UDP", async () => {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    onTestFinished(() => {
      socket.close();
    });
    const url = `udp://127.0.0.1:${socket.address().port}`;
    const target = await openLogTarget({
      nats: { ...defaultNatsOptions, remoteSyslog: url },
      clock: new FakeClock(),
      pid: 7,
      isTerminal: false,
    });
    const received = once(socket, "message");
    target.write("INF", "hello", NOW);
    expect(String((await received)[0])).toMatch(/^<5>2026-11-22T14:56:20Z \S+ nats-streaming-server\[7\]: hello\n$/);
    expect(target.reopen()).toBe(false);
    await target.close();
  });

  it("that goes away is connected to again, and gets what waited", async () => {
    const server = await listener();
    const clock = new FakeClock();
    const connect = () => connectRemoteSyslog(server.url);
    const target = syslogTarget({ sender: SENDER, clock, transport: await connect(), connect, kind: "remote" });
    target.write("INF", "before", NOW);
    await server.untilText("before");
    const [first] = server.sockets;
    const lost = once(first ?? server.sockets[0]!, "close");
    first?.destroy();
    await lost;
    // The other end hears of it in its own time.
    while (clock.timerCount === 0) {
      target.write("INF", "meanwhile", NOW);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    target.write("INF", "while away", NOW);
    clock.advance(1000);
    await server.untilText("while away");
    await target.close();
  });

  it("keeps the last thousand lines for one that is away, and says how many are lost", async () => {
    const clock = new FakeClock();
    const sent: string[] = [];
    let lose = (): void => {};
    const transport = (): Parameters<typeof syslogTarget>[0]["transport"] => ({
      send: (message) => void sent.push(message),
      onLost: (listener) => {
        lose = listener;
      },
      close: async () => {},
    });
    const target = syslogTarget({
      sender: SENDER,
      clock,
      transport: transport(),
      connect: async () => transport(),
      kind: "remote",
    });
    lose();
    for (let i = 0; i < 1200; i++) target.write("INF", `line ${i}`, NOW);
    expect(sent).toEqual([]);
    await clock.advanceAsync(1000);
    expect(sent).toHaveLength(1001);
    expect(sent[0]).toContain("line 200\n");
    expect(sent.at(-1)).toContain("200 log lines were lost while syslog was away");
    await target.close();
  });

  it.each([
    ["http://host:1", "write udp://host:port, tcp://host:port or unix:///path"],
    ["udp://localhost", "it has no port"],
    ["udp://localhost:0", "it has no port"],
    ["unix:///nonexistent/socket", "unable to connect to syslog at unix:///nonexistent/socket: "],
  ])("%s cannot be used, and it says why", async (url, reason) => {
    await expect(connectRemoteSyslog(url)).rejects.toThrow(reason);
  });
});

describe("the syslog of this machine", () => {
  it("is written to over its socket", async () => {
    // It brings no types.
    const name: string = "unix-dgram";
    const { default: unix } = await import(name);
    const folder = mkdtempSync(join(tmpdir(), "syslog-"));
    const path = join(folder, "log");
    const received = new Promise<string>((resolve) => {
      const server = unix.createSocket("unix_dgram", (message: Buffer) => resolve(message.toString()));
      server.bind(path);
      onTestFinished(() => {
        server.close();
        rmSync(folder, { recursive: true });
      });
    });
    const transport = await connectLocalSyslog(undefined, [join(folder, "none"), path]);
    const connect = () => connectLocalSyslog(undefined, [path]);
    const target = syslogTarget({ sender: SENDER, clock: new FakeClock(), transport, connect, kind: "local" });
    target.write("ERR", "trouble", NOW);
    expect(await received).toMatch(/^<27>Nov [ \d]\d .* nats-streaming-server\[7120\]: trouble\n$/);
    await target.close();
  });

  it("that is not there is said to be missing, and so is the package", async () => {
    await expect(connectLocalSyslog(undefined, ["/nonexistent/log"])).rejects.toThrow(
      "there is no syslog daemon on this machine (/nonexistent/log): ",
    );
    await expect(connectLocalSyslog(() => Promise.reject(new Error("missing")))).rejects.toThrow(
      "needs the optional package unix-dgram, which cannot be loaded: log to a file (-l)",
    );
  });
});
