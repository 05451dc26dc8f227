import { freePort } from "../harness/ports.ts";
import type { ManualStage } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { generate } from "./generate.ts";
import { type Job, WINDOW } from "./job.ts";
import { onStage, startStreaming, warmUpMessages } from "./measure.ts";
import { readOptions, USAGE } from "./options.ts";
import { cpuSeconds } from "./process-usage.ts";
import { formatCount, formatTable } from "./table.ts";

/*
 * What a scrape of /metrics every second costs publishing, in two ways: runs with and without scrapes in pairs on one server, so
 * that what the machine does meanwhile falls on both of a pair; and the CPU time of scrapes of the same server while nothing
 * else happens, which is what a second loses to the scrape in it.
 * `tsx test-e2e/bench/scrape.bench.ts --messages=3000000 --runs=7`
 */

const SCRAPE_MILLIS = 1_000;
/** Channels beside the one that is published to, each with a durable: so the scrape has something to say. */
const CHANNELS = 90;
/** Scrapes one after the other: CPU time is counted in hundredths of a second. */
const SCRAPES = 500;
/** What a server spends on nothing is measured for so long. */
const IDLE_MILLIS = 3_000;
/** What scraping may cost. */
const SHARE_MAX = 0.02;

const options = readOptions(process.argv.slice(2));
if (options === "help") process.stdout.write(USAGE);
else await onStage((stage) => measure(stage, options));

/** One run. */
interface Run {
  readonly perSecond: number;
  /** CPU seconds of the server for a million messages. */
  readonly cpu: number;
  readonly scrapes: number;
}

/** Two runs, one after the other. */
interface Pair {
  readonly alone: Run;
  readonly scraped: Run;
}

async function measure(
  stage: ManualStage,
  { messages, size, runs, serverCommand }: Exclude<typeof options, "help">,
): Promise<void> {
  const monitorPort = await freePort();
  const flags = ["-store", "memory", "-m", String(monitorPort)];
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
    tag: "warm",
  };
  await generate({ ...job, messages: warmUpMessages(job) }, pid);
  await scrape(monitorPort, SCRAPES);
  // One channel for all runs: a run does not add to what a scrape shows.
  const run = async (isScraped: boolean): Promise<Run> => {
    const scraper = isScraped ? startScraper(monitorPort) : undefined;
    const { outcome, serverCpuSeconds } = await generate({ ...job, tag: "run" }, pid);
    const scrapes = (await scraper?.stop()) ?? 0;
    const { published, seconds } = outcome;
    process.stderr.write(`${isScraped ? "scraped" : "alone"}: ${formatCount(published / seconds)} messages/s\n`);
    return { perSecond: published / seconds, cpu: (serverCpuSeconds / published) * 1e6, scrapes };
  };
  await run(false);
  const pairs: Pair[] = [];
  for (let i = 0; i < runs; i++) {
    // Each comes first in every other pair: what grows or falls from run to run evens out.
    if (i % 2 === 0) {
      const alone = await run(false);
      pairs.push({ alone, scraped: await run(true) });
    } else {
      const scraped = await run(true);
      pairs.push({ alone: await run(false), scraped });
    }
  }
  const perScrape = await cpuPerScrape(monitorPort, pid);
  report(`messages of ${size} bytes, memory store, ${CHANNELS + 2} channels`, pairs, perScrape);
}

function report(title: string, pairs: readonly Pair[], perScrape: number): void {
  const line = (name: string, of: (pair: Pair) => Run): string[] => [
    name,
    "",
    formatCount(median(pairs.map((pair) => of(pair).perSecond))),
    median(pairs.map((pair) => of(pair).cpu)).toFixed(3),
    String(pairs.reduce((sum, pair) => sum + of(pair).scrapes, 0)),
  ];
  const costs = [
    ["more CPU time for a message", pairs.map(({ alone, scraped }) => scraped.cpu / alone.cpu - 1)],
    ["throughput lost", pairs.map(({ alone, scraped }) => 1 - scraped.perSecond / alone.perSecond)],
  ] as const;
  process.stdout.write(`${title}; median of ${pairs.length} pairs of runs\n\n`);
  process.stdout.write(
    `${formatTable([
      ["publishing", "", "published/s", "CPU s/million", "scrapes"],
      line("alone", ({ alone }) => alone),
      line("scraped every second", ({ scraped }) => scraped),
    ])}\n\n`,
  );
  process.stdout.write(
    `${formatTable([
      ["cost of scraping every second, pair by pair", "", "median", "least", "most"],
      ...costs.map(([name, values]) => [
        name,
        "",
        percent(median(values)),
        percent(Math.min(...values)),
        percent(Math.max(...values)),
      ]),
    ])}\n\n`,
  );
  const share = (perScrape * 1_000) / SCRAPE_MILLIS;
  process.stdout.write(
    `CPU time of one scrape: ${(perScrape * 1_000).toFixed(2)} ms (mean of ${SCRAPES} on the server at rest), ` +
      `${percent(share)} of each second: ${share <= SHARE_MAX ? "within" : "OVER"} the ${percent(SHARE_MAX)} that it may cost\n`,
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
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

/** Scrapes until it is stopped; tells how often. */
function startScraper(port: number): { stop(): Promise<number> } {
  let isOver = false;
  let scrapes = 0;
  let wake = (): void => {};
  const loop = async (): Promise<void> => {
    while (!isOver) {
      await scrape(port, 1);
      scrapes++;
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, SCRAPE_MILLIS);
      });
    }
  };
  const running = loop();
  return {
    async stop(): Promise<number> {
      isOver = true;
      wake();
      await running;
      return scrapes;
    },
  };
}
