/**
 * What the arena buys: append, lookup and memory of a million messages of 168 encoded bytes, against an object per
 * message (fields and a Buffer of the data) and a Buffer per encoded message. Each measurement is a process of its own,
 * so that nobody pays for the garbage or the type feedback of another.
 *
 * Run: tsx packages/store/bench/message-arena.bench.ts
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type ByteRange, createMessageArena } from "../src/message-arena/message-arena.ts";

const MESSAGES = 1_000_000;
const SIZE = 168;
const LOOKUPS = 2_000_000;
const ROUNDS = 3;
const SLIDING_WINDOW = 10_000;

interface Log {
  append(sequence: number): void;
  /** Reads a byte and the length, so that the bytes are really visited. */
  lookup(sequence: number): number;
  removeFirst(): void;
}

interface Figures {
  readonly append: number;
  readonly forward: number;
  readonly random: number;
  readonly sliding: number;
  readonly memory: number;
}

const source = Uint8Array.from({ length: SIZE }, (_, i) => i);

function arenaLog(): Log {
  const arena = createMessageArena();
  const out: ByteRange = { bytes: source, start: 0, end: 0 };
  return {
    append(sequence) {
      const at = arena.reserve(SIZE);
      arena.reserved.set(source, at);
      arena.commit(sequence);
    },
    lookup: (sequence) => (arena.locate(sequence, out) ? out.bytes[out.start + 5]! + out.end - out.start : 0),
    removeFirst: () => arena.removeFirst(),
  };
}

function bufferLog(): Log {
  const messages = new Map<number, Buffer>();
  let first = 1;
  return {
    append(sequence) {
      const bytes = Buffer.allocUnsafeSlow(SIZE);
      bytes.set(source);
      messages.set(sequence, bytes);
    },
    lookup(sequence) {
      const bytes = messages.get(sequence)!;
      return bytes[5]! + bytes.length;
    },
    removeFirst: () => messages.delete(first++),
  };
}

function objectLog(): Log {
  const messages = new Map<number, { sequence: number; reply: string; data: Buffer; timestamp: bigint }>();
  const now = process.hrtime.bigint();
  let first = 1;
  return {
    append(sequence) {
      // Buffer.from takes small buffers from a shared pool: kinder to memory than the Buffer per message above.
      const timestamp = now + BigInt(sequence);
      messages.set(sequence, { sequence, reply: "", data: Buffer.from(source), timestamp });
    },
    lookup(sequence) {
      const message = messages.get(sequence)!;
      return message.data[5]! + message.data.length;
    },
    removeFirst: () => messages.delete(first++),
  };
}

const logs: Readonly<Record<string, () => Log>> = {
  arena: arenaLog,
  "Buffer per message": bufferLog,
  "object per message": objectLog,
};

function cpuNanos(count: number, work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / count;
}

function measure(make: () => Log): Figures {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const memory = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  let sink = 0;
  const before = memory();
  const log = make();
  const append = cpuNanos(MESSAGES, () => {
    for (let s = 1; s <= MESSAGES; s++) log.append(s);
  });
  const used = (memory() - before) / MESSAGES;
  const forward = cpuNanos(LOOKUPS, () => {
    for (let i = 0; i < LOOKUPS; i++) sink += log.lookup((i % MESSAGES) + 1);
  });
  const random = cpuNanos(LOOKUPS, () => {
    for (let i = 0; i < LOOKUPS; i++) sink += log.lookup(((Math.imul(i, 0x9e3779b1) >>> 0) % MESSAGES) + 1);
  });
  const window = make();
  const sliding = cpuNanos(MESSAGES, () => {
    for (let s = 1; s <= MESSAGES; s++) {
      window.append(s);
      if (s > SLIDING_WINDOW) window.removeFirst();
    }
  });
  if (sink === 0) throw new Error("nothing was read");
  return { append, forward, random, sliding, memory: used };
}

const self = fileURLToPath(import.meta.url);
const chosen = process.argv[2];
if (chosen !== undefined) {
  console.log(JSON.stringify(measure(logs[chosen]!)));
} else {
  const best = new Map<string, Figures>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of Object.keys(logs)) {
      const { stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, self, name], { encoding: "utf8" });
      if (stdout === "") throw new Error(stderr);
      const figures: Figures = JSON.parse(stdout);
      const former = best.get(name) ?? figures;
      best.set(name, {
        append: Math.min(former.append, figures.append),
        forward: Math.min(former.forward, figures.forward),
        random: Math.min(former.random, figures.random),
        sliding: Math.min(former.sliding, figures.sliding),
        memory: Math.min(former.memory, figures.memory),
      });
    }
  }
  console.log(
    `${MESSAGES} messages of ${SIZE} bytes, best of ${ROUNDS}; CPU ns per operation, Node ${process.version}\n`,
  );
  console.log("                      append  lookup forward  lookup random  append + remove  memory per message");
  for (const [name, { append, forward, random, sliding, memory }] of best) {
    const columns = [append, forward, random, sliding].map((value) => value.toFixed(0).padStart(15)).join("");
    console.log(`${name.padEnd(20)}${columns}${memory.toFixed(0).padStart(14)} bytes`);
  }
}
