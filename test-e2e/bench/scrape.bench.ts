import { freePort } from "../harness/ports.ts";
import type { ManualStage } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { generate } from "./generate.ts";
import { type Job, WINDOW } from "./job.ts";
import { onStage, startStreaming, warmUpMessages } from "./measure.ts";
import { readOptions, USAGE } from "./options.ts";
import { formatCount, formatTable } from "./table.ts";

/*
 * What a scrape of /metrics every second costs publishing: runs with and without take turns on one server, so that what the
 * machine does meanwhile falls on both.
 * `tsx test-e2e/bench/scrape.bench.ts --messages=1000000 --runs=5`
 */

const SCRAPE_MILLIS = 1_000;
/** Channels beside the one that is published to, each with a durable: so the scrape has something to say. */
const CHANNELS = 90;

const options = readOptions(process.argv.slice(2));
if (options === "help") process.stdout.write(USAGE);
else await onStage((stage) => measure(stage, options));

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
  const rows: {
    readonly scraped: boolean;
    readonly perSecond: number;
    readonly cpu: number;
    readonly scrapes: number;
  }[] = [];
  for (let run = 0; run < 2 * runs; run++) {
    const scraped = run % 2 === 1;
    const scraper = scraped ? startScraper(monitorPort) : undefined;
    // One channel for all runs: a run does not add to what a scrape shows.
    const { outcome, serverCpuSeconds } = await generate({ ...job, tag: "run" }, pid);
    const scrapes = (await scraper?.stop()) ?? 0;
    rows.push({
      scraped,
      perSecond: outcome.published / outcome.seconds,
      cpu: (serverCpuSeconds / outcome.published) * 1e6,
      scrapes,
    });
    process.stderr.write(
      `${scraped ? "scraped" : "alone"}: ${formatCount(outcome.published / outcome.seconds)} messages/s\n`,
    );
  }
  const middle = (scraped: boolean, of: (row: (typeof rows)[number]) => number): number => {
    const values = rows
      .filter((row) => row.scraped === scraped)
      .map(of)
      .sort((a, b) => a - b);
    return values[values.length >> 1] ?? Number.NaN;
  };
  const line = (title: string, scraped: boolean): string[] => [
    title,
    "",
    formatCount(middle(scraped, (row) => row.perSecond)),
    middle(scraped, (row) => row.cpu).toFixed(3),
    String(rows.filter((row) => row.scraped === scraped).reduce((sum, { scrapes }) => sum + scrapes, 0)),
  ];
  process.stdout.write(`messages of ${size} bytes, memory store, ${CHANNELS + 2} channels; median of ${runs}\n\n`);
  process.stdout.write(
    `${formatTable([["publishing", "", "published/s", "CPU s/million", "scrapes"], line("alone", false), line("scraped every second", true)])}\n`,
  );
  const cost = 1 - middle(true, (row) => row.perSecond) / middle(false, (row) => row.perSecond);
  process.stdout.write(`\nthroughput lost to scraping: ${(cost * 100).toFixed(1)} % (at most 2 %)\n`);
}

/** Scrapes until it is stopped; tells how often. */
function startScraper(port: number): { stop(): Promise<number> } {
  let isOver = false;
  let scrapes = 0;
  let wake = (): void => {};
  const loop = async (): Promise<void> => {
    while (!isOver) {
      await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
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
