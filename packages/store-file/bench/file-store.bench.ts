/**
 * Appending and flushing with `sync` on: in batches over 1, 100, 1,000 and 10,000 channels, and one message at a time beside
 * raw synced writes of as many bytes; then recovery of what was written, reading it, and the memory of both.
 *
 *   tsx packages/store-file/bench/file-store.bench.ts [directory] [messages]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Sequence, silentLogger, systemClock, systemFileSystem, type Timestamp } from "@nats-streaming/kernel";
import { defaultStoreLimits, type MessageLog } from "@nats-streaming/store";
import { createFileStore, type FileStore } from "../src/index.ts";

const root = mkdtempSync(join(process.argv[2] ?? tmpdir(), "file-store-bench-"));
const total = Number(process.argv[3] ?? 1_000_000);
const CHANNELS_MADE_AT_ONCE = 1000;
const BATCH = 500;
const payload = new Uint8Array(128).fill(120);
const message = { bytes: payload, replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: payload.length };
const stamp: Timestamp = { millis: 0, nanos: 0 };
const clock = systemClock();
const noLock = { acquire: async () => ({ kind: "acquired" as const }), release: () => {} };

function open(directory: string): FileStore {
  return createFileStore({
    directory,
    limits: { ...defaultStoreLimits, maxChannels: 0, maxMessages: 0, maxBytes: 0 },
    clock,
    logger: silentLogger,
    lock: noLock,
  });
}

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

/** CPU seconds of this process so far. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function publish(directory: string, channels: number, batch: number, messages: number): Promise<void> {
  await makeFiles(directory, channels);
  const store = open(directory);
  const state = await store.recover();
  const logs: MessageLog[] = [];
  for (let i = 0; i < channels; i++) logs.push(state!.channels.get(`channel.${i}`)!.messages);
  const cpu = cpuSeconds();
  const begun = performance.now();
  let resident = 0;
  for (let sent = 0; sent < messages; ) {
    clock.read(stamp);
    const end = Math.min(messages, sent + batch);
    for (; sent < end; sent++) append(logs[sent % channels]!);
    await store.flush();
    resident = Math.max(resident, process.memoryUsage.rss());
  }
  const seconds = (performance.now() - begun) / 1000;
  const used = cpuSeconds() - cpu;
  console.log(
    `${channels} channels, batches of ${batch}: ${Math.round(messages / seconds)} messages/s, ` +
      `${((used / messages) * 1e6).toFixed(2)} CPU s per million, ${Math.round(messages / batch / seconds)} flushes/s, ` +
      `${mebibytes(resident)} MiB resident (${mebibytes(store.cachedBytes)} MiB of messages)`,
  );
  const closing = performance.now();
  await store.close();
  console.log(`  clean stop: ${Math.round(performance.now() - closing)} ms`);
}

/** Files are made with the first message of a channel, once: that is not what is measured. */
async function makeFiles(directory: string, channels: number): Promise<void> {
  const store = open(directory);
  await store.recover();
  await store.init(info);
  for (let made = 0; made < channels; ) {
    clock.read(stamp);
    const end = Math.min(channels, made + CHANNELS_MADE_AT_ONCE);
    for (; made < end; made++) append(store.createChannel(`channel.${made}`).messages);
    await store.flush();
  }
  await store.close();
}

function append(log: MessageLog): void {
  log.append((log.lastSequence + 1) as Sequence, message, stamp);
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}

/** One message at a time, in turns with synced writes of 256 bytes: the disk is not as fast at one moment as at another. */
async function oneByOne(directory: string): Promise<void> {
  const store = open(directory);
  await store.recover();
  await store.init(info);
  const log = store.createChannel("foo").messages;
  const file = systemFileSystem().openNow(join(root, "raw"), { mode: "write" });
  const block = new Uint8Array(RAW_BYTES).fill(1);
  for (let at = 0; at < RAW_FILE_BYTES; at += block.length) file.writeNow(block, 0, block.length, at);
  await file.sync();
  let at = 0;
  const raw: number[] = [];
  const ours: number[] = [];
  for (let turn = 0; turn < 20; turn++) {
    raw.push(
      await timed(async () => {
        await file.write(block, 0, block.length, at);
        await file.sync();
        at = (at + block.length) % RAW_FILE_BYTES;
      }),
    );
    ours.push(
      await timed(async () => {
        clock.read(stamp);
        log.append((log.lastSequence + 1) as Sequence, synchronous, stamp);
        await store.flush();
      }),
    );
  }
  file.close();
  await store.close();
  const [rawMillis, ourMillis] = [median(raw), median(ours)];
  console.log(
    `one message per flush: ${Math.round(1000 / ourMillis)}/s, ${((rawMillis / ourMillis) * 100).toFixed(0)} % of synced ` +
      `writes of ${RAW_BYTES} bytes over existing blocks (${Math.round(1000 / rawMillis)}/s), taking turns`,
  );
}

const RAW_BYTES = 256;
const synchronous = { ...message, bytes: new Uint8Array(RAW_BYTES).fill(120), dataEnd: RAW_BYTES };
const RAW_FILE_BYTES = 8 * 1024 * 1024;
const TURN_OPERATIONS = 100;

/** Milliseconds per operation. */
async function timed(operation: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  for (let i = 0; i < TURN_OPERATIONS; i++) await operation();
  return (performance.now() - begun) / TURN_OPERATIONS;
}

function median(values: number[]): number {
  return values.sort((one, other) => one - other)[values.length >> 1]!;
}

async function recover(directory: string): Promise<void> {
  global.gc?.();
  const before = process.memoryUsage.rss();
  const cpu = cpuSeconds();
  const begun = performance.now();
  const store = open(directory);
  const state = await store.recover();
  const millis = performance.now() - begun;
  const { messages } = store.totals();
  console.log(
    `recovery of ${messages} messages in ${state?.channels.size} channels: ${Math.round(millis)} ms, ` +
      `${(cpuSeconds() - cpu).toFixed(2)} CPU s, resident +${mebibytes(process.memoryUsage.rss() - before)} MiB ` +
      `(${mebibytes(process.memoryUsage.rss())} MiB in all)`,
  );
  await readAll(
    store,
    [...(state?.channels.values() ?? [])].map((channel) => channel.messages),
  );
  await store.close();
}

async function readAll(store: FileStore, logs: readonly MessageLog[]): Promise<void> {
  const begun = performance.now();
  const out = { bytes: new Uint8Array(0), start: 0, end: 0 };
  let found = 0;
  let peak = 0;
  for (const log of logs) {
    for (let s: number = log.firstSequence; s <= log.lastSequence; s++) {
      if (log.lookup(s, out) !== 1) {
        await log.load(s, 256);
        log.lookup(s, out);
        peak = Math.max(peak, store.cachedBytes);
      }
      found++;
    }
  }
  const seconds = (performance.now() - begun) / 1000;
  console.log(
    `reading all of it: ${Math.round(found / seconds)} messages/s, at most ${mebibytes(peak)} MiB of it in memory ` +
      `(${mebibytes(process.memoryUsage.rss())} MiB resident)`,
  );
}

try {
  await oneByOne(join(root, "one-by-one"));
  for (const channels of [1, 100, 1000, 10_000]) {
    await publish(join(root, `c${channels}`), channels, BATCH, Math.max(total / 4, 10 * channels));
  }
  await publish(join(root, "one-large-batch"), 1, 8192, total / 4);
  await publish(join(root, "large"), 1000, 8192, total);
  await recover(join(root, "large"));
} finally {
  rmSync(root, { recursive: true, force: true });
}
