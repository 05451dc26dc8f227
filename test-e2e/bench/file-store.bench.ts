import { parseArgs } from "node:util";
import { type ManualStage, tempDir } from "../harness/stage.ts";
import { serverCommand } from "../harness/streaming-server.ts";
import { generate } from "./generate.ts";
import { type Job, WINDOW } from "./job.ts";
import { type Measurable, measureWarm, median, onStage, roundTo, startStreaming } from "./measure.ts";
import { memory } from "./process-usage.ts";
import { rawSyncedWrites } from "./raw-disk.ts";
import { STORE_RUNS, type StoreRun, SYNCHRONOUS } from "./store-runs.ts";
import { formatCount, formatMiB, formatTable } from "./table.ts";

const USAGE = `usage: pnpm bench test-e2e/bench/file-store [options]

  --messages=N      messages per run (default 1000000)
  --only=NAME,NAME  only these: ${STORE_RUNS.map(({ name }) => name).join(", ")}, sync, recovery
  --size=BYTES      data of each message (default 128)
  --runs=N          repeat each run and print the median (default 1)
  --encrypt         encrypt the payloads
`;

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "1000000" },
    only: { type: "string", default: "" },
    size: { type: "string", default: "128" },
    runs: { type: "string", default: "1" },
    encrypt: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
const messages = Number(values.messages);
const only = values.only.split(",").filter((name) => name !== "");
const wanted = (name: string): boolean => only.length === 0 || only.includes(name);
const encryption = values.encrypt ? ["-encrypt", "-encryption_key", "bench"] : [];

const SYNCHRONOUS_ROUNDS = 6;

if (values.help) process.stdout.write(USAGE);
else await main();

async function main(): Promise<void> {
  process.stdout.write(`file store, sync on; messages of ${values.size} bytes; median of ${values.runs}\n\n`);
  const rows = [["run", "", "published/s", "delivered/s", "CPU s/million", "target", "max memory", "generator busy"]];
  for (const run of STORE_RUNS) if (wanted(run.name)) rows.push(await measure(run));
  if (rows.length > 1) process.stdout.write(`${formatTable(rows)}\n`);
  if (wanted("sync")) process.stdout.write(`\n${await measureSynchronous()}\n`);
  if (wanted("recovery")) process.stdout.write(`\n${await measureRecovery()}\n`);
}

function jobOf(run: StoreRun, port: number, size: number): Job {
  return {
    kind: "stan",
    port,
    publishers: run.publishers,
    channelsPerPublisher: run.channelsPerPublisher,
    window: run.window,
    subscribersPerChannel: run.subscribersPerChannel,
    messages: roundTo(messages * run.share, run.publishers),
    payloadBytes: size,
    tag: "run",
  };
}

async function start(stage: ManualStage, directory: string): ReturnType<typeof startStreaming> {
  return startStreaming(stage, serverCommand(), ["-store", "file", "-dir", directory, ...encryption]);
}

async function measure(run: StoreRun): Promise<string[]> {
  process.stderr.write(`${run.title} …\n`);
  const results: Awaited<ReturnType<typeof measureWarm>>[] = [];
  for (let repetition = 0; repetition < Number(values.runs); repetition++) {
    await onStage(async (stage) => {
      const { pid, port } = await start(stage, await tempDir(stage));
      results.push(await measureWarm(jobOf(run, port, Number(values.size)), pid));
    });
  }
  const { outcome, serverCpuSeconds, maxBytes } = median(results);
  return [
    run.title,
    "",
    formatCount(outcome.published / outcome.seconds),
    formatCount(outcome.delivered / outcome.seconds),
    ((serverCpuSeconds / outcome.published) * 1_000_000).toFixed(2),
    run.target === undefined ? "" : `<= ${run.target.toFixed(1)}`,
    formatMiB(maxBytes),
    `${((outcome.generatorCpuSeconds / outcome.seconds) * 100).toFixed(0)} %`,
  ];
}

/**
 * Raw rate, server, the same server without a store, and again: a disk's speed wanders. What the way to the server and back
 * takes cannot be less with a store, so the best that is possible is a raw write and that way, one after the other.
 */
async function measureSynchronous(): Promise<string> {
  return onStage(async (stage) => {
    const directory = await tempDir(stage);
    const server: Measurable = await start(stage, `${directory}/data`);
    const storeless: Measurable = await startStreaming(stage, serverCommand(), []);
    const count = Math.max(500, Math.round(messages * SYNCHRONOUS.share) / 4);
    const rate = async ({ pid, port }: Measurable, tag: string, number = count): Promise<number> => {
      // With the record's header, the message's fields and the log's frame about 256 bytes go to disk.
      const { outcome } = await generate({ ...jobOf(SYNCHRONOUS, port, 128), messages: number, tag }, pid);
      return outcome.published / outcome.seconds;
    };
    for (const measured of [server, storeless]) await rate(measured, "warm", 2000);
    const raw: number[] = [];
    const rates: number[] = [];
    const ways: number[] = [];
    for (let round = 0; round < SYNCHRONOUS_ROUNDS; round++) {
      raw.push(await rawSyncedWrites(directory, count));
      rates.push(await rate(server, `round${round}`));
      ways.push(await rate(storeless, `round${round}`));
    }
    const best = (numbers: readonly number[]): number => Math.max(...numbers);
    const possible = 1 / (1 / best(raw) + 1 / best(ways));
    return formatTable([
      [
        "synchronous publisher",
        "",
        "published/s",
        "raw synced writes/s",
        "ratio",
        "target",
        "without a store/s",
        "ratio",
      ],
      [
        `best of ${SYNCHRONOUS_ROUNDS} rounds`,
        "",
        formatCount(best(rates)),
        formatCount(best(raw)),
        ratio(best(rates), best(raw)),
        ">= 0.90",
        formatCount(best(ways)),
        `${ratio(best(rates), possible)} of both in a row`,
      ],
    ]);
  });
}

async function measureRecovery(): Promise<string> {
  const channels = 1000;
  return onStage(async (stage) => {
    const directory = await tempDir(stage);
    const first = await start(stage, directory);
    const run = { ...SYNCHRONOUS, window: WINDOW, channelsPerPublisher: channels, share: 1 };
    await generate(jobOf(run, first.port, Number(values.size)), first.pid);
    const stored = memory(first.pid).bytes;
    await first.child.stop();
    const second = await start(stage, directory);
    const at = (text: string): number => timeOf(second.child.lines, text);
    const seconds = (at("Recovered ") - at("Recovering the state")) / 1000;
    return formatTable([
      ["recovery", "", "channels", "seconds", "target", "memory when storing", "memory after recovery"],
      [
        `${formatCount(messages)} messages`,
        "",
        formatCount(channels),
        seconds.toFixed(2),
        "<= 3.0",
        formatMiB(stored),
        formatMiB(memory(second.pid).bytes),
      ],
    ]);
  });
}

/** Milliseconds within the day of the first line that contains a text. */
function timeOf(lines: readonly string[], text: string): number {
  const line = lines.find((candidate) => candidate.includes(text)) ?? "";
  const [, hours, minutes, seconds] = /(\d\d):(\d\d):(\d\d\.\d+)/.exec(line) ?? [];
  if (seconds === undefined) throw new Error(`no line with ${text}`);
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}

function ratio(one: number, other: number): string {
  return (one / other).toFixed(2);
}
