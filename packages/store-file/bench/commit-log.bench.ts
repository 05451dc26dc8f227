/**
 * What the commit log buys: a batch of messages made durable through it (one write and one sync, and unsynced writes to
 * the files of the channels), with one sync per touched file instead, and, as the floor, as many bytes in one raw synced
 * write over blocks that are already written. All three take turns in one process.
 *
 * Run: tsx packages/store-file/bench/commit-log.bench.ts [directory on the disk to measure]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenFile, silentLogger, systemClock, systemFileSystem, systemRandom } from "@nats-streaming/kernel";
import type { CommitLog } from "../src/commit-log/commit-log.ts";
import { openCommitLog } from "../src/commit-log/open-commit-log.ts";

const MESSAGE_BYTES = 256;
const CASES: readonly (readonly [messages: number, files: number])[] = [
  [1, 1],
  [64, 1],
  [64, 64],
  [1024, 1],
  [1024, 100],
  [1024, 1000],
];
const WARM_UP_BATCHES = 5;
const BATCHES = 100;
/** A thousand syncs per batch take their time. */
const FILE_SYNCS_MAX = 4000;
const RAW_BYTES = 16_777_216;

interface Target {
  readonly name: string;
  readonly file: OpenFile;
  size: number;
}

interface Figure {
  readonly micros: number;
  readonly cpuMicros: number;
}

const fileSystem = systemFileSystem();
const runs = new Uint8Array(1024 * MESSAGE_BYTES).fill(7);

function targets(root: string, kind: string, count: number): readonly Target[] {
  return Array.from({ length: count }, (_, i) => {
    const name = `${kind}-${i}/msgs.1.dat`;
    fileSystem.makeDirectoryNow(`${root}/${kind}-${i}`);
    return { name, file: fileSystem.openNow(`${root}/${name}`, { mode: "write" }), size: 0 };
  });
}

/** As the store does it: the messages of a channel gather, and go to its file, and to the log, in one run. */
function writeBatch(files: readonly Target[], messages: number, log: CommitLog | undefined): void {
  for (const [i, target] of files.entries()) {
    const count = Math.floor((messages + i) / files.length);
    const length = count * MESSAGE_BYTES;
    target.file.writeNow(runs, 0, length, target.size);
    const sequence = target.size / MESSAGE_BYTES + 1;
    log?.append({ file: target.name, position: target.size, sequence }, runs, 0, length);
    target.size += length;
  }
}

async function measure(batches: number, batch: () => Promise<void>): Promise<Figure> {
  for (let i = 0; i < WARM_UP_BATCHES; i++) await batch();
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let i = 0; i < batches; i++) {
    const begun = performance.now();
    await batch();
    times.push(performance.now() - begun);
  }
  const { user, system } = process.cpuUsage(before);
  times.sort((a, b) => a - b);
  return { micros: times[times.length >> 1]! * 1000, cpuMicros: (user + system) / batches };
}

async function run(root: string, log: CommitLog, messages: number, files: number): Promise<void> {
  const logged = targets(root, `log-${messages}-${files}`, files);
  const synced = targets(root, `sync-${messages}-${files}`, files);
  const raw = fileSystem.openNow(`${root}/raw`, { mode: "write" });
  const zeros = new Uint8Array(RAW_BYTES);
  raw.writeNow(zeros, 0, RAW_BYTES, 0);
  await raw.sync();
  const bytes = new Uint8Array(messages * MESSAGE_BYTES).fill(7);
  let rawAt = 0;

  const throughLog = await measure(BATCHES, async () => {
    writeBatch(logged, messages, log);
    await log.commit();
  });
  const perFile = await measure(Math.min(BATCHES, Math.ceil(FILE_SYNCS_MAX / files)), async () => {
    writeBatch(synced, messages, undefined);
    await Promise.all(synced.map((target) => target.file.sync()));
  });
  const floor = await measure(BATCHES, async () => {
    if (rawAt + bytes.length > RAW_BYTES) rawAt = 0;
    raw.writeNow(bytes, 0, bytes.length, rawAt);
    rawAt += Math.ceil(bytes.length / 4096) * 4096;
    await raw.sync();
  });
  // The log that this case has filled is nobody's business in the next one.
  const position = log.position();
  for (const { file } of logged) await file.sync();
  await log.checkpointed(position);
  for (const { file } of [...logged, ...synced]) file.close();
  raw.close();

  const cell = ({ micros, cpuMicros }: Figure) =>
    `${micros.toFixed(0).padStart(8)} ${cpuMicros.toFixed(0).padStart(7)}`;
  console.log(
    [
      `${messages}`.padStart(8),
      `${files}`.padStart(6),
      cell(throughLog),
      cell(perFile),
      cell(floor),
      `x ${(perFile.micros / throughLog.micros).toFixed(1)}`.padStart(8),
      `x ${(throughLog.micros / floor.micros).toFixed(2)}`.padStart(8),
    ].join("  "),
  );
}

const root = mkdtempSync(join(process.argv[2] ?? tmpdir(), "commit-log-bench-"));
try {
  const { log } = await openCommitLog({
    directory: root,
    fileSystem,
    clock: systemClock(),
    logger: silentLogger,
    random: systemRandom(),
  });
  console.log(
    `Batches of messages of ${MESSAGE_BYTES} bytes; median time and CPU per batch in microseconds, Node ${process.version}\n`,
  );
  console.log("messages   files        commit log    one sync per file    raw synced write  faster  over raw");
  for (const [messages, files] of CASES) await run(root, log, messages, files);
  await log.close();
} finally {
  rmSync(root, { recursive: true, force: true });
}
