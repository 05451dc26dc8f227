/**
 * Append, lookup and search by time of the memory store, with 128-byte payloads: one channel, many channels taking
 * turns, and a log that is always at its limit; beside them two yardsticks. Each measurement is a process of its own; best of several rounds.
 *
 * Run: tsx packages/store-memory/bench/append.bench.ts
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  durationFromMillis,
  type Sequence,
  sequence,
  silentLogger,
  systemClock,
  timestampNanos,
} from "@nats-streaming/kernel";
import { defaultStoreLimits, type IncomingMessage, type StoredMessage, type StoreLimits } from "@nats-streaming/store";
import { createMemoryStore } from "../src/memory-store.ts";

const MESSAGES = 1_000_000;
/** As much again before the clock starts: a server is compiled and has its memory when it matters. */
const WARM_UP = MESSAGES;
const ROUNDS = 3;

// As an engine has it: the payload lies in the middle of a chunk read from a socket.
const chunk = new Uint8Array(65_536).fill(0x61);
const incoming: IncomingMessage = { bytes: chunk, replyStart: 0, replyEnd: 0, dataStart: 1000, dataEnd: 1128 };
const timestamp = { millis: Date.now(), nanos: 123_456 };

function storeWith(limits: Partial<StoreLimits>) {
  return createMemoryStore({
    limits: { ...defaultStoreLimits, maxChannels: 0, maxMessages: 0, maxBytes: 0, ...limits },
    clock: systemClock(),
    logger: silentLogger,
  });
}

/** CPU nanoseconds (user + system) per unit of work. */
function cpuNanos(count: number, work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / count;
}

function appendTo(channelCount: number, limits: Partial<StoreLimits>, messages: number): number {
  const store = storeWith(limits);
  const logs = Array.from({ length: channelCount }, (_, i) => store.createChannel(`channel.${i}`).messages);
  const rounds = Math.floor(messages / channelCount);
  return cpuNanos(rounds * channelCount, () => {
    for (let s = 1; s <= rounds; s++) {
      const next: Sequence = sequence(s);
      for (const log of logs) log.append(next, incoming, timestamp);
    }
  });
}

/** The yardstick: what a plain store does, an object and a copy of the payload per message. */
function appendObjects(messages: number): number {
  const log = new Map<number, { sequence: number; reply: string; data: Buffer; timestamp: bigint }>();
  const source = Buffer.from(chunk.buffer);
  const nanos = cpuNanos(messages, () => {
    for (let s = 1; s <= messages; s++) {
      const data = Buffer.from(source.subarray(incoming.dataStart, incoming.dataEnd));
      const time = BigInt(timestamp.millis) * 1_000_000n + BigInt(timestamp.nanos);
      log.set(s, { sequence: s, reply: "", data, timestamp: time });
    }
  });
  if (log.size !== messages) throw new Error("nothing was kept");
  return nanos;
}

/** What cannot be avoided: the payload's way into memory that was not used before. */
function copyOnly(messages: number): number {
  const slabBytes = 1 << 20;
  const { dataStart, dataEnd } = incoming;
  const slabs: Uint8Array[] = [];
  let slab = new Uint8Array(slabBytes);
  let at = 0;
  return cpuNanos(messages, () => {
    for (let s = 1; s <= messages; s++) {
      if (at + dataEnd - dataStart > slabBytes) {
        slabs.push(slab);
        slab = new Uint8Array(slabBytes);
        at = 0;
      }
      slab.set(chunk.subarray(dataStart, dataEnd), at);
      at += dataEnd - dataStart;
    }
  });
}

function lookup(messages: number): number {
  const store = storeWith({});
  const log = store.createChannel("foo").messages;
  for (let s = 1; s <= messages; s++) log.append(sequence(s), incoming, timestamp);
  const out: StoredMessage = { bytes: chunk, start: 0, end: 0 };
  let sink = 0;
  const nanos = cpuNanos(messages, () => {
    for (let s = 1; s <= messages; s++) {
      log.lookup(s, out);
      sink += out.end - out.start;
    }
  });
  if (sink === 0) throw new Error("nothing was found");
  return nanos;
}

function search(messages: number): number {
  const store = storeWith({});
  const log = store.createChannel("foo").messages;
  const at = { millis: timestamp.millis, nanos: 0 };
  for (let s = 1; s <= messages; s++) {
    at.millis++;
    log.append(sequence(s), incoming, at);
  }
  const searches = 10_000;
  let sink = 0;
  const nanos = cpuNanos(searches, () => {
    for (let i = 1; i <= searches; i++) {
      const asked = timestampNanos(BigInt(timestamp.millis + i * 97) * 1_000_000n);
      sink += Number(log.sequenceFromTimestamp(asked));
    }
  });
  if (sink === 0) throw new Error("nothing was found");
  return nanos;
}

const cases: Readonly<Record<string, (messages: number) => number>> = {
  "append, 1 channel": (messages) => appendTo(1, {}, messages),
  "append, 1,000 channels in turn": (messages) => appendTo(1000, {}, messages),
  "append, at max_msgs 10,000": (messages) => appendTo(1, { maxMessages: 10_000 }, messages),
  "append, max_age set": (messages) => appendTo(1, { maxAge: durationFromMillis(3_600_000) }, messages),
  "yardstick: object and Buffer in a Map": appendObjects,
  "yardstick: copying the payload alone": copyOnly,
  "lookup, in order": lookup,
  "search by time in 1,000,000": search,
};

const self = fileURLToPath(import.meta.url);
const chosen = process.argv[2];
if (chosen !== undefined) {
  const run = cases[chosen]!;
  run(WARM_UP);
  console.log(run(MESSAGES));
  process.exit(0);
}
console.log(`128-byte payloads, best of ${ROUNDS}; CPU ns per operation, Node ${process.version}\n`);
for (const name of Object.keys(cases)) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const { stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, self, name], { encoding: "utf8" });
    if (stdout === "") throw new Error(stderr);
    best = Math.min(best, Number(stdout));
  }
  console.log(`${name.padEnd(38)}${best.toFixed(0).padStart(8)}`);
}
