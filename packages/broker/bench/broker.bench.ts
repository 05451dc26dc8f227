/**
 * What the broker costs: messages per second and CPU seconds of the server process per million messages published. The
 * server is a process of its own; this one makes the load. Run: `tsx packages/broker/bench/broker.bench.ts [name...]`
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { freePort } from "@nats-streaming/kernel/testing";
import { client, encodeBlocks, publish, receive, roundUp } from "./load.ts";
import type { ServerOrder, ServerReport } from "./protocol.ts";

/** Flags of Node for the server process, such as `--cpu-prof`. */
const { BENCH_NODE_FLAGS } = process.env;

const PAYLOAD_BYTES = 128;
const WARM_UP = 300_000;

/** A server under load, whatever it is. */
interface Target {
  readonly name: string;
  readonly port: number;
  /** CPU seconds used since {@link Target.begin}. */
  begin(): Promise<void>;
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

interface Ours extends Target {
  readonly child: ChildProcess;
}

function order(child: ChildProcess, message: ServerOrder): void {
  child.send(message);
}

async function report<K extends ServerReport["kind"]>(
  child: ChildProcess,
  kind: K,
): Promise<Extract<ServerReport, { kind: K }>> {
  for (;;) {
    const [message] = await once(child, "message");
    if (message.kind === kind) return message;
  }
}

async function startBroker(): Promise<Ours> {
  const child = fork(fileURLToPath(new URL("./server.ts", import.meta.url)), {
    execArgv: [...process.execArgv, ...(BENCH_NODE_FLAGS?.split(" ") ?? [])],
  });
  children.push(child);
  const { port } = await report(child, "listening");
  return {
    name: "broker",
    port,
    child,
    async begin(): Promise<void> {
      order(child, { kind: "expect", messages: 0 });
      await report(child, "ready");
    },
    async cpuSeconds(): Promise<number> {
      order(child, { kind: "report" });
      return (await report(child, "done")).cpuMicros / 1e6;
    },
    async stop(): Promise<void> {
      order(child, { kind: "stop" });
      await once(child, "exit");
    },
  };
}

async function startNatsServer(): Promise<Target | undefined> {
  const port = await freePort();
  const child = spawn("nats-server", ["-a", "127.0.0.1", "-p", String(port)], { stdio: ["ignore", "ignore", "pipe"] });
  children.push(child);
  const started = await new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.stderr.on("data", (data) => String(data).includes("Server is ready") && resolve(true));
  });
  if (!started) return undefined;
  let before = 0;
  return {
    name: "nats-server",
    port,
    async begin(): Promise<void> {
      before = cpuSecondsOf(child.pid!);
    },
    cpuSeconds: async () => cpuSecondsOf(child.pid!) - before,
    async stop(): Promise<void> {
      child.kill();
      await once(child, "exit");
    },
  };
}

/** User and system time of another process, on Linux, where the kernel counts in hundredths of a second. */
function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Publishes to a local handler and waits until it has had everything. */
async function toHandler(
  server: Ours,
  what: string,
  subjects: readonly string[],
  reply: string,
  messages: number,
): Promise<void> {
  const socket = await client(server.port);
  if (subjects[0]?.startsWith("reply.")) socket.write(`SUB ${reply} 1\r\n`);
  socket.on("data", () => {});
  const blocks = encodeBlocks({ subjects, reply, size: PAYLOAD_BYTES });
  for (const wanted of [WARM_UP, messages]) {
    const count = roundUp(blocks, wanted);
    order(server.child, { kind: "expect", messages: count });
    await report(server.child, "ready");
    const start = performance.now();
    const done = report(server.child, "done");
    await publish(socket, blocks, wanted);
    const { cpuMicros } = await done;
    if (wanted === messages) print(server.name, what, count, performance.now() - start, cpuMicros / 1e6);
  }
  socket.destroy();
}

/** Relays from one socket to others and waits until all have had everything. */
async function relay(server: Target, receivers: number, messages: number): Promise<void> {
  const publisher = await client(server.port);
  const subscribers: Socket[] = [];
  for (let i = 0; i < receivers; i++) {
    const socket = await client(server.port);
    socket.write("SUB bench.relay 1\r\nPING\r\n");
    await once(socket, "data");
    subscribers.push(socket);
  }
  const blocks = encodeBlocks({ subjects: ["bench.relay"], size: PAYLOAD_BYTES });
  const bytesEach = `MSG bench.relay 1 ${PAYLOAD_BYTES}\r\n`.length + PAYLOAD_BYTES + 2;
  for (const wanted of [Math.ceil(WARM_UP / receivers / 3), messages]) {
    const count = roundUp(blocks, wanted);
    await server.begin();
    const start = performance.now();
    const received = subscribers.map((socket) => receive(socket, count * bytesEach));
    await publish(publisher, blocks, wanted);
    await Promise.all(received);
    if (wanted === messages)
      print(server.name, `relay 1:${receivers}`, count, performance.now() - start, await server.cpuSeconds());
    else await server.cpuSeconds();
  }
  for (const socket of [publisher, ...subscribers]) socket.destroy();
}

function print(server: string, what: string, messages: number, millis: number, cpuSeconds: number): void {
  const rate = Math.round(messages / (millis / 1_000)).toLocaleString("en");
  const cost = ((cpuSeconds / messages) * 1e6).toFixed(2);
  console.log(
    `${what.padEnd(44)} ${server.padEnd(12)} ${rate.padStart(12)} messages/s ${cost.padStart(8)} CPU s/million`,
  );
}

const ACKS = "_STAN.acks.oVq3pOpUaB2WgqZ9kPmXfT";
const CHANNEL = "_STAN.pub.test-cluster.orders";

const only = process.argv.slice(2);
const wanted = (name: string): boolean => only.length === 0 || only.includes(name);

const children: ChildProcess[] = [];
process.on("exit", () => {
  for (const child of children) child.kill();
});

const broker = await startBroker();
if (wanted("handler")) await toHandler(broker, "to a local handler, 1 subject", [CHANNEL], ACKS, 2_000_000);
if (wanted("subjects")) {
  const thousand = Array.from({ length: 1_000 }, (_, i) => `${CHANNEL}.${i}`);
  await toHandler(broker, "to a local handler, 1,000 subjects", thousand, ACKS, 2_000_000);
}
if (wanted("million")) {
  const million = Array.from({ length: 1_000_000 }, (_, i) => `${CHANNEL}.${i}`);
  await toHandler(broker, "to a local handler, 1,000,000 subjects", million, ACKS, 2_000_000);
}
if (wanted("reply")) await toHandler(broker, "to a local handler that replies", ["reply.orders"], ACKS, 2_000_000);
const servers = [broker, await startNatsServer()];
for (const server of servers) {
  if (server === undefined) continue;
  if (wanted("relay")) await relay(server, 1, 1_000_000);
  if (wanted("fanout")) await relay(server, 100, 20_000);
  await server.stop();
}
