import { freePort } from "@nats-streaming/kernel/testing";
import type { ManualStage } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { generate } from "./generate.ts";
import { type Job, WINDOW } from "./job.ts";
import { onStage, startStreaming } from "./measure.ts";
import { readOptions, USAGE } from "./options.ts";
import { cpuSeconds } from "./process-usage.ts";
import { formatCount, formatTable } from "./table.ts";

/*
 * What a scrape of /metrics every second costs publishing, in two ways. One long run of publishing is cut into windows of a
 * second, with a scrape in every other one: four of them, without, with, with, without, are a block, so that what the machine
 * does meanwhile, and what drifts, falls on both alike. And the CPU time of scrapes of the same server while nothing else
 * happens, which is what a second loses to the scrape in it.
 * `tsx test-e2e/bench/scrape.bench.ts --runs=40`, blocks of four seconds
 */

const WINDOW_MILLIS = 1_000;
/** Which windows of a block are scraped. */
const BLOCK = [false, true, true, false];
/** Blocks before those that count. */
const WARM_BLOCKS = 2;
/** Channels beside the one that is published to, each with a durable: so the scrape has something to say. */
const CHANNELS = 90;
/** Messages that a channel keeps; from then on each new one takes the place of the oldest. */
const KEPT = 1_000_000;
/** Scrapes one after the other: CPU time is counted in hundredths of a second. */
const SCRAPES = 500;
/** What a server spends on nothing is measured for so long. */
const IDLE_MILLIS = 3_000;
/** What scraping may cost. */
const SHARE_MAX = 0.02;

const options = readOptions(process.argv.slice(2));
if (options === "help") process.stdout.write(USAGE);
else await onStage((stage) => measure(stage, options));

/** What was published in windows without a scrape and in those with one, and what the server spent on it. */
interface Block {
  readonly alone: Spent;
  readonly scraped: Spent;
}

interface Spent {
  messages: number;
  seconds: number;
  cpuSeconds: number;
}

async function measure(
  stage: ManualStage,
  { messages, size, runs, serverCommand }: Exclude<typeof options, "help">,
): Promise<void> {
  const monitorPort = await freePort();
  const flags = ["-store", "memory", "-m", String(monitorPort), "-mm", String(KEPT)];
  const { pid, port } = await startStreaming(stage, serverCommand, flags);
  const client = await connectStan(stage, "beside", { port });
  for (let i = 0; i < CHANNELS; i++) {
    await client.publish(`beside.${i}`, "x");
    await client.subscribe(`beside.${i}`, { durableName: "dur" });
  }
  const job: Job = {
    kind: "stan",
    port,
    publishers: 1,
    channelsPerPublisher: 1,
    window: WINDOW,
    subscribersPerChannel: 0,
    messages,
    payloadBytes: size,
    tag: "run",
  };
  const warm = await generate(job, pid);
  await scrape(monitorPort, SCRAPES);
  // Longer than the blocks take, should the server be faster than it was; what is left over at the end is published for nothing.
  const seconds = ((runs + WARM_BLOCKS) * BLOCK.length * WINDOW_MILLIS) / 1_000;
  const enough = Math.ceil((warm.outcome.published / warm.outcome.seconds) * seconds * 1.3);
  let isOver = false;
  const publishing = generate({ ...job, messages: enough }, pid).finally(() => {
    isOver = true;
  });
  const blocks: Block[] = [];
  for (let i = -WARM_BLOCKS; i < runs; i++) {
    const block = await runBlock(monitorPort, pid);
    if (isOver) break;
    if (i >= 0) blocks.push(block);
  }
  await publishing;
  if (blocks.length === 0) throw new Error("publishing ended within the first block");
  const perScrape = await cpuPerScrape(monitorPort, pid);
  report(`messages of ${size} bytes, memory store, ${CHANNELS + 1} channels`, blocks, perScrape);
}

async function runBlock(monitorPort: number, pid: number): Promise<Block> {
  const block: Block = { alone: nothing(), scraped: nothing() };
  for (const isScraped of BLOCK) {
    const from = await standing(monitorPort, pid);
    const end = new Promise((resolve) => setTimeout(resolve, WINDOW_MILLIS));
    if (isScraped) await scrape(monitorPort, 1);
    await end;
    const to = await standing(monitorPort, pid);
    const spent = isScraped ? block.scraped : block.alone;
    spent.messages += to.messages - from.messages;
    spent.seconds += to.seconds - from.seconds;
    spent.cpuSeconds += to.cpuSeconds - from.cpuSeconds;
  }
  return block;
}

function nothing(): Spent {
  return { messages: 0, seconds: 0, cpuSeconds: 0 };
}

/** How much has arrived and been spent so far. Asking costs the same at both ends of every window. */
async function standing(port: number, pid: number): Promise<Spent> {
  const response = await fetch(`http://127.0.0.1:${port}/varz`);
  const body: unknown = await response.json();
  const messages = typeof body === "object" && body !== null ? Number(Reflect.get(body, "in_msgs")) : Number.NaN;
  if (!(messages >= 0)) throw new Error("/varz tells no in_msgs");
  return { messages, seconds: performance.now() / 1_000, cpuSeconds: cpuSeconds(pid) };
}

function report(title: string, blocks: readonly Block[], perScrape: number): void {
  const rate = ({ messages, seconds }: Spent): number => messages / seconds;
  const cpu = ({ messages, cpuSeconds }: Spent): number => (cpuSeconds / messages) * 1e6;
  const line = (name: string, of: (block: Block) => Spent): string[] => [
    name,
    "",
    formatCount(median(blocks.map((block) => rate(of(block))))),
    median(blocks.map((block) => cpu(of(block)))).toFixed(3),
  ];
  const costs = [
    ["more CPU time for a message", blocks.map(({ alone, scraped }) => cpu(scraped) / cpu(alone) - 1)],
    ["throughput lost", blocks.map(({ alone, scraped }) => 1 - rate(scraped) / rate(alone))],
  ] as const;
  process.stdout.write(
    `${title}; ${blocks.length} blocks of ${BLOCK.length} windows of ${WINDOW_MILLIS / 1_000} s in one run\n\n`,
  );
  process.stdout.write(
    `${formatTable([
      ["publishing, median", "", "published/s", "CPU s/million"],
      line("windows without a scrape", ({ alone }) => alone),
      line("windows with one", ({ scraped }) => scraped),
    ])}\n\n`,
  );
  process.stdout.write(
    `${formatTable([
      ["cost of scraping every second, block by block", "", "median", "mean", "its standard error"],
      ...costs.map(([name, values]) => [
        name,
        "",
        percent(median(values)),
        percent(mean(values)),
        percent(standardError(values)),
      ]),
    ])}\n\n`,
  );
  process.stdout.write(
    `CPU time of one scrape: ${(perScrape * 1_000).toFixed(2)} ms (mean of ${SCRAPES} on the server at rest), ` +
      `${percent(perScrape)} of each second: ${perScrape <= SHARE_MAX ? "within" : "OVER"} the ${percent(SHARE_MAX)} that it may cost\n`,
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of the mean. */
function standardError(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)) / Math.max(1, values.length - 1));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** CPU seconds that one scrape takes, without what the server spends anyhow. */
async function cpuPerScrape(port: number, pid: number): Promise<number> {
  const idleFrom = cpuSeconds(pid);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MILLIS));
  const idlePerSecond = ((cpuSeconds(pid) - idleFrom) * 1_000) / IDLE_MILLIS;
  const from = cpuSeconds(pid);
  const begun = performance.now();
  await scrape(port, SCRAPES);
  const seconds = (performance.now() - begun) / 1_000;
  return Math.max(0, cpuSeconds(pid) - from - idlePerSecond * seconds) / SCRAPES;
}

/** Scrapes so many times, one after the other. */
async function scrape(port: number, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    await response.text();
    if (response.status !== 200) throw new Error(`/metrics: status ${response.status}`);
  }
}
