/**
 * What encryption at rest costs: append, first lookup and further lookups of a message, over the memory store with and
 * without it, for both ciphers.
 *
 * Run: tsx packages/store-encryption/bench/encryption.bench.ts
 */
import { sequence, silentLogger, systemClock, systemRandom } from "@nats-streaming/kernel";
import { defaultStoreLimits, type MessageLog, type Store, type StoredMessage } from "@nats-streaming/store";
import { createMemoryStore } from "@nats-streaming/store-memory";
import { encryptStore } from "../src/index.ts";

const MESSAGES = 100_000;
const ROUNDS = 3;
/** Subscribers that get each message right after the first. */
const FURTHER = 9;

function open(cipher: string): Store {
  const limits = { ...defaultStoreLimits, maxMessages: 0, maxBytes: 0 };
  const store = createMemoryStore({ limits, clock: systemClock(), logger: silentLogger });
  if (cipher === "none") return store;
  return encryptStore(store, { cipher, key: new Uint8Array(Buffer.from("bench")), random: systemRandom() });
}

function cpuNanos(count: number, work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / count;
}

function appendAll(log: MessageLog, size: number): void {
  const bytes = new Uint8Array(65_536).fill(0x61);
  const message = { bytes, replyStart: 0, replyEnd: 0, dataStart: 1000, dataEnd: 1000 + size };
  const at = { millis: Date.now(), nanos: 123_456 };
  for (let s = 1; s <= MESSAGES; s++) log.append(sequence(s), message, at);
}

function run(cipher: string, size: number): readonly number[] {
  const { messages } = open(cipher).createChannel("bench");
  const append = cpuNanos(MESSAGES, () => appendAll(messages, size));
  const out: StoredMessage = { bytes: new Uint8Array(0), start: 0, end: 0 };
  let sink = 0;
  const lookups = (from: number, times: number): void => {
    for (let s = from; s < from + 1000; s++) {
      for (let i = 0; i < times; i++) {
        messages.lookup(s, out);
        sink += out.bytes[out.start]!;
      }
    }
  };
  let first = 0;
  let further = 0;
  for (let from = 1; from < MESSAGES; from += 1000) {
    first += cpuNanos(MESSAGES, () => lookups(from, 1));
    further += cpuNanos(MESSAGES * FURTHER, () => lookups(from, FURTHER));
  }
  if (sink === 0) throw new Error("nothing was read");
  return [append, first, further];
}

console.log(`${MESSAGES} messages, best of ${ROUNDS}; CPU ns per operation, Node ${process.version}\n`);
console.log("payload   cipher       append   first lookup   further lookups");
for (const size of [128, 1024, 16_384]) {
  for (const cipher of ["none", "AES", "CHACHA"]) {
    const rounds = Array.from({ length: ROUNDS }, () => run(cipher, size));
    const best = [0, 1, 2].map((i) => Math.min(...rounds.map((round) => round[i]!)).toFixed(0));
    console.log(
      `${String(size).padStart(7)}   ${cipher.padEnd(6)} ${best[0]!.padStart(12)} ${best[1]!.padStart(14)} ${best[2]!.padStart(17)}`,
    );
  }
}
