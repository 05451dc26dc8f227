import { natsServerPath, startNatsServer } from "../harness/nats-server.ts";
import type { ManualStage } from "../harness/stage.ts";
import { generate } from "./generate.ts";
import { type Job, WINDOW } from "./job.ts";
import { type Measurable, measureWarm, median, onStage, roundTo, startStreaming, warmUpMessages } from "./measure.ts";
import { type BenchOptions, readOptions, USAGE } from "./options.ts";
import { memory } from "./process-usage.ts";
import { MEMORY_RUN, RUNS, type Run } from "./runs.ts";
import { storedBytes } from "./stored-bytes.ts";
import { formatCount, formatMiB, formatTable } from "./table.ts";

/** Who is measured: a process that listens on a port, and what the generator speaks to it. */
interface Target {
  readonly name: string;
  readonly kind: Job["kind"];
  start(stage: ManualStage, options: BenchOptions): Promise<Measurable>;
}

const TARGETS: readonly Target[] = [
  { name: "streaming", kind: "stan", start: startOnMemory },
  { name: "embedded broker, relay only", kind: "relay", start: startOnMemory },
  {
    name: "nats-server, relay only",
    kind: "relay",
    start: async (stage) => {
      const server = await startNatsServer(stage);
      return { pid: server.child.pid, port: server.port };
    },
  },
];

await main();

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    process.stdout.write(USAGE);
    return;
  }
  const targets = TARGETS.filter(({ name }) => name !== "nats-server, relay only" || natsServerPath() !== undefined);
  const wanted = (name: string): boolean => options.only.length === 0 || options.only.includes(name);
  const runs = RUNS.filter(({ name }) => wanted(name));
  process.stdout.write(`messages of ${options.size} bytes, memory store; median of ${options.runs}\n\n`);

  const rows = [
    ["run", "server", "published/s", "delivered/s", "CPU s/million", "target", "max memory", "generator busy"],
  ];
  for (const run of runs) {
    for (const target of targets) {
      process.stderr.write(`${run.title}: ${target.name} …\n`);
      rows.push(await measure(run, target, options));
    }
  }
  if (runs.length > 0) process.stdout.write(`\n${formatTable(rows)}\n`);
  if (wanted(MEMORY_RUN)) process.stdout.write(`\n${await measureMemory(options)}\n`);
}

/** A fresh server for each repetition; the row of the repetition in the middle by CPU time. */
async function measure(run: Run, target: Target, options: BenchOptions): Promise<string[]> {
  const results: Awaited<ReturnType<typeof measureWarm>>[] = [];
  for (let repetition = 0; repetition < options.runs; repetition++) {
    await onStage(async (stage) => {
      const { pid, port } = await target.start(stage, options);
      const job: Job = {
        kind: target.kind,
        port,
        publishers: run.publishers,
        channelsPerPublisher: 1,
        window: WINDOW,
        subscribersPerChannel: run.subscribersPerChannel,
        messages: roundTo(options.messages * run.share, run.publishers),
        payloadBytes: options.size,
        tag: "run",
      };
      results.push(await measureWarm(job, pid));
    });
  }
  const { outcome, serverCpuSeconds, maxBytes } = median(results);
  return [
    run.title,
    target.name,
    formatCount(outcome.published / outcome.seconds),
    formatCount(outcome.delivered / outcome.seconds),
    ((serverCpuSeconds / outcome.published) * 1_000_000).toFixed(2),
    target.kind === "stan" && run.target !== undefined ? `<= ${run.target.toFixed(1)}` : "",
    formatMiB(maxBytes),
    `${((outcome.generatorCpuSeconds / outcome.seconds) * 100).toFixed(0)} %`,
  ];
}

/** How much resident memory grows for what is stored, against the rule: 1.5 times the bytes and 16 a message. */
async function measureMemory(options: BenchOptions): Promise<string> {
  let text = "";
  await onStage(async (stage) => {
    const { pid, port } = await startOnMemory(stage, options);
    const job: Job = {
      kind: "stan",
      port,
      publishers: 1,
      channelsPerPublisher: 1,
      window: WINDOW,
      subscribersPerChannel: 0,
      messages: options.messages,
      payloadBytes: options.size,
      tag: "stored",
    };
    await generate({ ...job, messages: warmUpMessages(job), tag: "warm" }, pid);
    const before = memory(pid).bytes;
    await generate(job, pid);
    const grown = memory(pid).bytes - before;
    const stored = storedBytes("stored.channel0", options.size, 1, options.messages);
    const allowed = 1.5 * stored + 16 * options.messages;
    text = formatTable([
      ["memory", "", "messages", "stored", "grown by", "a message", "allowed"],
      [
        "growth of resident memory",
        "",
        formatCount(options.messages),
        formatMiB(stored),
        formatMiB(grown),
        `${(grown / options.messages).toFixed(0)} bytes`,
        formatMiB(allowed),
      ],
    ]);
  });
  return text;
}

function startOnMemory(stage: ManualStage, options: BenchOptions): Promise<Measurable> {
  return startStreaming(stage, options.serverCommand, ["-store", "memory"]);
}
