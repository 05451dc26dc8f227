import { fork } from "node:child_process";
import { once } from "node:events";
import { type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { freePort } from "@nats-streaming/kernel/testing";
import { runServer } from "@nats-streaming/server";
import { formatTable } from "./table.ts";

/*
 * For how long at a stretch a server with 100,000 channels does nothing else while monitoring is asked: the longest turn of its
 * event loop. The server runs in this process; who asks is a thread of its own, and the client another process. What else runs on
 * the machine lengthens stretches: the least of the rounds, and the row without a request, tell what is the server's.
 * `tsx test-e2e/bench/stretches.bench.ts [channels] [rounds]`
 */

const [channelsText = "100000", roundsText = "5"] = process.argv.slice(2);
const CHANNELS = Number(channelsText);
const ROUNDS = Number(roundsText);
/** Beyond the time for which a partition map is kept. */
const PAUSE_MILLIS = 2_100;

const PATHS: readonly string[] = [
  "/metrics",
  "/streaming/serverz",
  "/streaming/storez",
  "/streaming/clientsz?limit=200000&subs=1",
  "/streaming/channelsz",
  "/streaming/channelsz?limit=200000",
  "/streaming/channelsz?limit=200000&subs=1",
  "/streaming/channelsz?limit=200000&details=1",
  "/streaming/channelsz?match=99",
  "/streaming/partitionsz",
  "/streaming/partitionsz?limit=200000",
  "/varz",
  "/connz?subs=1&limit=200000",
  "/connz?subs=detail&limit=200000",
  "/subsz",
  "/subsz?subs=1&limit=200000",
];

/** Asks for what it is sent and throws the answer away; tells its size. */
const READER = `
const { parentPort } = require("node:worker_threads");
parentPort.on("message", async (url) => {
  const response = await fetch(url);
  let bytes = 0;
  for await (const piece of response.body) bytes += piece.length;
  parentPort.postMessage({ status: response.status, bytes });
});
`;

const monitorPort = await freePort();
await using server = await runServer({
  port: -1,
  http_port: monitorPort,
  partitioning: true,
  store_limits: {
    max_channels: 0,
    channels: Object.fromEntries(Array.from({ length: CHANNELS }, (_, i) => [`orders.${i}.created`, {}])),
  },
});
const start = performance.now();
// In a process of its own: the server's has nothing of a client in it then.
const client = fork(fileURLToPath(new URL("./many-channels-client.ts", import.meta.url)), [
  new URL(server.clientUrl).port,
  channelsText,
]);
await once(client, "message");
process.stderr.write(`${CHANNELS} channels made in ${((performance.now() - start) / 1000).toFixed(0)} s\n`);

const reader = new Worker(READER, { eval: true });
const ask = (path: string): Promise<{ readonly status: number; readonly bytes: number }> =>
  new Promise((resolve) => {
    reader.once("message", resolve);
    reader.postMessage(`http://127.0.0.1:${monitorPort}${path}`);
  });

interface Measured {
  readonly millis: number;
  readonly stretch: number;
  /** The longest stretch when the pauses for garbage in each are taken off. */
  readonly ownStretch: number;
  readonly collection: number;
  readonly bytes: number;
}

/** From when to when, in milliseconds. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Shorter turns are not noted one by one. */
const NOTED_MILLIS_MIN = 1;

/** Runs some work elsewhere; tells the longest stretch between two turns here, and the longest pause for garbage. */
async function watch(work: () => Promise<number>): Promise<Measured> {
  const turns: Span[] = [];
  const collections: Span[] = [];
  let isOver = false;
  const note = (entries: PerformanceEntry[]): void => {
    for (const { startTime, duration } of entries) collections.push({ from: startTime, to: startTime + duration });
  };
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ entryTypes: ["gc"] });
  let turn = performance.now();
  const look = (): void => {
    const now = performance.now();
    if (now - turn >= NOTED_MILLIS_MIN) turns.push({ from: turn, to: now });
    turn = now;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  const begun = performance.now();
  const bytes = await work();
  const millis = performance.now() - begun;
  isOver = true;
  await new Promise((resolve) => setTimeout(resolve, 20));
  note(observer.takeRecords());
  observer.disconnect();
  const own = ({ from, to }: Span): number =>
    collections.reduce(
      (left, pause) => left - Math.max(0, Math.min(to, pause.to) - Math.max(from, pause.from)),
      to - from,
    );
  return {
    millis,
    stretch: Math.max(0, ...turns.map(({ from, to }) => to - from)),
    ownStretch: Math.max(0, ...turns.map(own)),
    collection: Math.max(0, ...collections.map(({ from, to }) => to - from)),
    bytes,
  };
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
const rows: string[][] = [
  ["path", "", "ms", "longest stretch", "least", "most", "without GC", "least", "longest GC", "MB"],
];
const measure = async (title: string, work: () => Promise<number>): Promise<void> => {
  const runs: Measured[] = [];
  // What the path before has left behind is not this one's.
  collectGarbage();
  await work();
  for (let round = 0; round < ROUNDS; round++) {
    await new Promise((resolve) => setTimeout(resolve, title.includes("partitionsz") ? PAUSE_MILLIS : 50));
    runs.push(await watch(work));
  }
  const stretches = runs.map(({ stretch }) => stretch);
  rows.push([
    title,
    "",
    median(runs.map(({ millis }) => millis)).toFixed(0),
    median(stretches).toFixed(1),
    Math.min(...stretches).toFixed(1),
    Math.max(...stretches).toFixed(1),
    median(runs.map(({ ownStretch }) => ownStretch)).toFixed(1),
    Math.min(...runs.map(({ ownStretch }) => ownStretch)).toFixed(1),
    Math.max(...runs.map(({ collection }) => collection)).toFixed(1),
    ((runs[0]?.bytes ?? 0) / 1e6).toFixed(1),
  ]);
};
await measure("nothing, for a second", () => new Promise((resolve) => setTimeout(resolve, 1_000, 0)));
for (const path of PATHS) {
  await measure(path, async () => {
    const { status, bytes } = await ask(path);
    if (status !== 200) throw new Error(`${path}: ${status}`);
    return bytes;
  });
}
process.stdout.write(
  `${CHANNELS} channels with a durable each; milliseconds, medians of ${ROUNDS} requests\n\n${formatTable(rows)}\n`,
);
await reader.terminate();
client.kill();
