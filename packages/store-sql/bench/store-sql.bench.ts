/**
 * Appending and flushing in batches: the SQL store on SQLite, with a sync per commit, beside the file store with `sync` on.
 * Both take turns, several times each, as a disk is not as fast at one moment as at another. Needs the build, which holds
 * the worker.
 *
 *   tsx packages/store-sql/bench/store-sql.bench.ts [directory] [messages]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Sequence, silentLogger, systemClock, type Timestamp } from "@nats-streaming/kernel";
import { defaultStoreLimits, type MessageLog, type Store } from "@nats-streaming/store";
import { createFileStore } from "../../store-file/src/index.ts";
import { createSqlStore } from "../src/index.ts";

const root = mkdtempSync(join(process.argv[2] ?? tmpdir(), "store-sql-bench-"));
const total = Number(process.argv[3] ?? 300_000);
const ROUNDS = 3;
const clock = systemClock();
const logger = silentLogger;
const stamp: Timestamp = { millis: 0, nanos: 0 };
const info = {
  clusterId: "bench",
  discovery: "d",
  publish: "p",
  subscribe: "s",
  unsubscribe: "u",
  close: "c",
  subClose: "sc",
  acksSubs: "a",
};

interface Figures {
  readonly perSecond: number;
  readonly cpuPerMillion: number;
}

interface Load {
  readonly channels: number;
  readonly batch: number;
  readonly messages: number;
  readonly payload: number;
}

const limits = { ...defaultStoreLimits, maxChannels: 0, maxMessages: 0, maxBytes: 0 };
const stores: Readonly<Record<string, (name: string) => Store>> = {
  file: (name) =>
    createFileStore({
      directory: join(root, `file-${name}`),
      limits,
      clock,
      logger,
      lock: { acquire: async () => ({ kind: "acquired" as const }), release: () => {} },
    }),
  sqlite: (name) => createSqlStore({ driver: "sqlite", source: join(root, `${name}.db`), limits, clock, logger }),
};

/** CPU seconds of this process so far, all threads included. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Publishes in batches: while one is flushed the next one gathers, as in the server. */
async function publish(store: Store, { channels, batch, messages, payload }: Load): Promise<Figures> {
  await store.recover();
  await store.init(info);
  const logs: MessageLog[] = [];
  for (let i = 0; i < channels; i++) logs.push(store.createChannel(`channel.${i}`).messages);
  await store.flush();
  const bytes = new Uint8Array(payload).fill(120);
  const message = { bytes, replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: payload };
  const cpu = cpuSeconds();
  const begun = performance.now();
  let sent = 0;
  let flushing: Promise<void> | undefined;
  while (sent < messages) {
    clock.read(stamp);
    const end = Math.min(messages, sent + batch);
    for (; sent < end; sent++) {
      const log = logs[sent % channels]!;
      log.append((log.lastSequence + 1) as Sequence, message, stamp);
    }
    await flushing;
    flushing = store.flush();
    // With one message per flush the publisher waits for its PubAck.
    if (batch === 1) await flushing;
  }
  await flushing;
  const seconds = (performance.now() - begun) / 1000;
  const used = cpuSeconds() - cpu;
  await store.close();
  return { perSecond: messages / seconds, cpuPerMillion: (used / messages) * 1e6 };
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1]!;
}

async function compare(load: Load): Promise<void> {
  const runs: Record<string, Figures[]> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const [kind, open] of Object.entries(stores)) {
      const name = `${load.channels}-${load.batch}-${load.payload}-${round}`;
      const figures = await publish(open(name), load);
      runs[kind] = [...(runs[kind] ?? []), figures];
    }
  }
  const speed = (kind: string): number => median((runs[kind] ?? []).map((one) => one.perSecond));
  const cpu = (kind: string): string => median((runs[kind] ?? []).map((one) => one.cpuPerMillion)).toFixed(2);
  console.log(
    `${load.channels} channels, batches of ${load.batch}, ${load.payload} bytes: sqlite ${Math.round(speed("sqlite"))}/s, ` +
      `file ${Math.round(speed("file"))}/s: ${Math.round((100 * speed("sqlite")) / speed("file"))} %; ` +
      `CPU s per million: sqlite ${cpu("sqlite")}, file ${cpu("file")}`,
  );
}

/** What is left in a closed database, read again. */
async function readAll(): Promise<void> {
  const store = createSqlStore({ driver: "sqlite", source: join(root, "read.db"), limits, clock, logger });
  await publish(store, { channels: 10, batch: 5000, messages: total, payload: 128 });
  const begun = performance.now();
  const again = createSqlStore({ driver: "sqlite", source: join(root, "read.db"), limits, clock, logger });
  const state = await again.recover();
  const recovered = performance.now();
  const out = { bytes: new Uint8Array(0), start: 0, end: 0 };
  let found = 0;
  for (const { messages } of state?.channels.values() ?? []) {
    for (let s: number = messages.firstSequence; s <= messages.lastSequence; s++) {
      if (messages.lookup(s, out) !== 1) await messages.load(s, 1024);
      if (messages.lookup(s, out) === 1) found++;
    }
  }
  const seconds = (performance.now() - recovered) / 1000;
  console.log(
    `recovery of ${total} messages: ${Math.round(recovered - begun)} ms; reading all: ${Math.round(found / seconds)}/s`,
  );
  await again.close();
}

try {
  await compare({ channels: 1, batch: 1, messages: Math.min(2000, total), payload: 128 });
  for (const batch of [100, 500, 1024, 5000]) await compare({ channels: 1, batch, messages: total, payload: 128 });
  for (const channels of [100, 1000]) await compare({ channels, batch: 5000, messages: total, payload: 128 });
  await compare({ channels: 1, batch: 1024, messages: total / 4, payload: 1024 });
  await readAll();
} finally {
  rmSync(root, { recursive: true, force: true });
}
