import { durationFromMillis, FileError, type Random, type Sequence } from "@nats-streaming/kernel";
import { FakeClock, recordingLogger, SimulatedDisk, seededRandom } from "@nats-streaming/kernel/testing";
import { decodeMsgProto } from "@nats-streaming/protocol/stan";
import {
  defaultStoreLimits,
  LOOKUP_COLD,
  LOOKUP_FOUND,
  type MessageLog,
  type RecoveredState,
  StoreError,
  type StoreLimits,
} from "@nats-streaming/store";
import { describe, expect, it } from "vitest";
import { memoryLocks } from "../test-support/memory-lock.ts";
import { openCommitLog } from "./commit-log/open-commit-log.ts";
import { createFileStore, type FileStore } from "./file-store.ts";
import type { RecoveryMode } from "./options.ts";

const ROUNDS = 400;
const SESSIONS_MAX = 4;
const STEPS_MAX = 60;
const KEPT = 30;

const limits: StoreLimits = { ...defaultStoreLimits, maxMessages: KEPT };

/** What is known of a channel: what was acknowledged, and what may be there besides. */
interface ModelChannel {
  /** The last sequence that a flush has covered. */
  durable: number;
  last: number;
  /** The first sequence that it ever had. */
  since: number;
  /** Payloads that were ever appended with a sequence; the last one is the one that counts once it is durable. */
  readonly payloads: Map<number, string[]>;
  /** Subscriptions that a flush has covered, and those that changed since. */
  readonly subscriptions: Map<number, "durable" | "unsure" | "gone">;
  created: "durable" | "unsure";
}

class World {
  readonly channels = new Map<string, ModelChannel>();
  readonly clients = new Map<string, "durable" | "unsure" | "gone">();
  readonly deleted = new Set<string>();
  readonly #random: Random;
  #payload = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  upTo(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  async session(
    store: FileStore,
    state: RecoveredState | undefined,
    disk: SimulatedDisk,
    clock: FakeClock,
  ): Promise<void> {
    const logs = new Map(state?.channels ?? []) as Map<string, ReturnType<FileStore["createChannel"]>>;
    const steps = this.upTo(STEPS_MAX);
    for (let i = 0; i < steps; i++) {
      if (!disk.isRunning) return;
      const chance = this.#random.next();
      const name = `c${this.upTo(4)}`;
      if (chance < 0.6) this.#append(store, logs, name, disk);
      else if (chance < 0.75) await this.#flush(store, disk);
      else if (chance < 0.85) this.#subscribe(logs.get(name), name);
      else if (chance < 0.9) this.#client(store);
      else if (chance < 0.94) await clock.advanceAsync(700);
      else if (chance < 0.96) {
        // The engine leaves nothing unflushed for so long: what an auto sync refused, nobody would be told.
        await this.#flush(store, disk);
        await clock.advanceAsync(61_000);
      } else if (chance < 0.98) await this.#delete(store, logs, name, disk);
      else
        disk.inject({
          operation: "write",
          kind: "no_space",
          skip: this.upTo(4),
          path: (path) => !path.endsWith("clients.dat"),
        });
    }
  }

  #append(
    store: FileStore,
    logs: Map<string, ReturnType<FileStore["createChannel"]>>,
    name: string,
    disk: SimulatedDisk,
  ): void {
    let channel = logs.get(name);
    if (channel === undefined) {
      // Even an attempt may leave an empty directory, which is a channel.
      this.deleted.delete(name);
      try {
        channel = store.createChannel(name);
      } catch (error) {
        if (disk.isRunning && !(error instanceof StoreError && error.code === "write_failed")) throw error;
        return;
      }
      logs.set(name, channel);
      const none = {
        durable: 0,
        last: 0,
        since: 1,
        payloads: new Map(),
        subscriptions: new Map(),
        created: "unsure" as const,
      };
      this.channels.set(name, none);
    }
    const model = this.channels.get(name)!;
    const payload = `${name} ${++this.#payload} ${"x".repeat(this.upTo(this.upTo(10) === 0 ? 6000 : 120))}`;
    const bytes = Buffer.from(payload);
    const sequence = (channel.messages.lastSequence + 1) as Sequence;
    const message = { bytes, replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: bytes.length };
    channel.messages.append(sequence, message, { millis: 1_700_000_000_000 + this.#payload, nanos: 5 });
    model.last = sequence;
    model.payloads.set(sequence, [...(model.payloads.get(sequence) ?? []), payload]);
  }

  async #flush(store: FileStore, disk: SimulatedDisk): Promise<void> {
    const lasts = [...this.channels].map(([name, { last }]) => [name, last] as const);
    const subscriptions = [...this.channels].map(([name, model]) => [name, new Map(model.subscriptions)] as const);
    const clients = [...this.clients];
    try {
      await store.flush();
    } catch (error) {
      if (!disk.isRunning) return new Promise<never>(() => {});
      if (!(error instanceof StoreError) || error.code !== "write_failed") throw error;
      // Everything that no flush has covered is taken back.
      for (const model of this.channels.values()) model.last = model.durable;
      return;
    }
    if (!disk.isRunning) return new Promise<never>(() => {});
    for (const [name, last] of lasts) {
      const model = this.channels.get(name)!;
      model.durable = last;
      model.created = "durable";
    }
    for (const [name, states] of subscriptions) settle(this.channels.get(name)!.subscriptions, states);
    settle(this.clients, new Map(clients));
  }

  /** Makes everything durable, whatever faults are left. */
  async settle(store: FileStore, disk: SimulatedDisk): Promise<void> {
    for (let i = 0; i < 20; i++) await this.#flush(store, disk);
  }

  #subscribe(channel: ReturnType<FileStore["createChannel"]> | undefined, name: string): void {
    if (channel === undefined) return;
    const model = this.channels.get(name)!;
    const ids = [...model.subscriptions.keys()];
    const id = ids[this.upTo(ids.length)];
    const chance = this.#random.next();
    if (id === undefined || chance < 0.3) {
      const state = {
        id: 0,
        clientId: "c",
        qGroup: "",
        inbox: `inbox ${name}`,
        ackInbox: "acks",
        maxInFlight: 10,
        ackWaitInSecs: 30,
        durableName: "d",
        lastSent: 0,
        isDurable: true,
        isClosed: false,
      };
      model.subscriptions.set(channel.subscriptions.create(state), "unsure");
    } else if (chance < 0.4) {
      channel.subscriptions.delete(id);
      model.subscriptions.set(id, "gone");
    } else if (chance < 0.7) channel.subscriptions.addPending(id, this.upTo(model.last + 1));
    else channel.subscriptions.ackPending(id, this.upTo(model.last + 1));
  }

  #client(store: FileStore): void {
    const id = `client${this.upTo(5)}`;
    const info = { id, hbInbox: "hb", connId: new Uint8Array(4), protocol: 1, pingInterval: 5, pingMaxOut: 3 };
    try {
      if (this.#random.next() < 0.6) {
        store.addClient(info);
        this.clients.set(id, this.clients.get(id) === "durable" ? "durable" : "unsure");
      } else {
        store.deleteClient(id);
        this.clients.set(id, "gone");
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.clients.set(id, "unsure");
    }
  }

  async #delete(
    store: FileStore,
    logs: Map<string, ReturnType<FileStore["createChannel"]>>,
    name: string,
    disk: SimulatedDisk,
  ): Promise<void> {
    if (!logs.has(name)) return;
    // What was in the middle of being deleted may be there in any part.
    this.channels.delete(name);
    logs.delete(name);
    try {
      await store.deleteChannel(name);
    } catch (error) {
      if (!disk.isRunning) return new Promise<never>(() => {});
      if (!(error instanceof StoreError)) throw error;
      return;
    }
    if (!disk.isRunning) return new Promise<never>(() => {});
    this.deleted.add(name);
  }

  /** Holds what was recovered against what must be there; from then on that is what must be there. */
  async check(state: RecoveredState, what: string): Promise<void> {
    for (const [name, { messages }] of state.channels) {
      if (this.channels.has(name)) continue;
      // It was being deleted when the machine stopped: any part of it may be left.
      const left = { durable: 0, last: 0, payloads: new Map<number, string[]>(), subscriptions: new Map() };
      this.channels.set(name, { ...left, since: Math.max(1, messages.firstSequence), created: "unsure" });
      for (let s: number = messages.firstSequence; s <= messages.lastSequence; s++) {
        left.payloads.set(s, [await read(messages, s)]);
      }
    }
    for (const name of this.deleted) expect(state.channels.has(name), `${what}: ${name} was deleted`).toBe(false);
    for (const [name, model] of this.channels) {
      const found = state.channels.get(name);
      if (found === undefined) {
        expect(model.created, `${what}: channel ${name} is lost`).toBe("unsure");
        this.channels.delete(name);
        continue;
      }
      const { messages } = found;
      expect(messages.lastSequence, `${what}: ${name} has lost messages`).toBeGreaterThanOrEqual(model.durable);
      const from = Math.max(model.since, messages.lastSequence - KEPT + 1);
      expect(messages.firstSequence, `${what}: ${name} has lost its first messages`).toBeLessThanOrEqual(from);
      for (let s = from; s <= messages.lastSequence; s++) {
        const payload = await read(messages, s);
        const known = model.payloads.get(s) ?? [];
        if (s <= model.durable) expect(payload, `${what}: ${name} ${s}`).toBe(known.at(-1));
        // Of what was not acknowledged any part may be left, such as a later slice without the end of the one before.
        else if (payload !== NOTHING) expect(known, `${what}: ${name} ${s}`).toContain(payload);
        model.payloads.set(s, [payload]);
      }
      for (const s of [...model.payloads.keys()]) if (s > messages.lastSequence) model.payloads.delete(s);
      model.durable = model.last = messages.lastSequence;
      const ids = new Set(found.subscriptionStates.map(({ state: { id } }) => id));
      for (const [id, status] of model.subscriptions) {
        if (status === "durable") expect(ids.has(id), `${what}: subscription ${id} of ${name} is lost`).toBe(true);
        if (!ids.has(id)) model.subscriptions.delete(id);
      }
      for (const id of ids) model.subscriptions.set(id, "durable");
      model.created = "durable";
    }
    const clients = new Set(state.clients.map(({ id }) => id));
    for (const [id, status] of this.clients) {
      if (status === "durable") expect(clients.has(id), `${what}: client ${id} is lost`).toBe(true);
      if (clients.has(id)) this.clients.set(id, "durable");
      else this.clients.delete(id);
    }
  }
}

function settle<Key>(
  target: Map<Key, "durable" | "unsure" | "gone">,
  covered: ReadonlyMap<Key, "durable" | "unsure" | "gone">,
): void {
  for (const [key, status] of covered) {
    if (target.get(key) !== status) continue;
    if (status === "unsure") target.set(key, "durable");
    if (status === "gone") target.delete(key);
  }
}

const NOTHING = "nothing";

async function read(log: MessageLog, sequence: number): Promise<string> {
  const out = { bytes: new Uint8Array(0), start: 0, end: 0 };
  let found = log.lookup(sequence, out);
  if (found === LOOKUP_COLD) {
    await log.load(sequence, 7);
    found = log.lookup(sequence, out);
  }
  if (found !== LOOKUP_FOUND) return NOTHING;
  const decoded = decodeMsgProto(out.bytes, out.start, out.end);
  return decoded.kind === "ok" ? Buffer.from(decoded.value.data).toString() : decoded.reason;
}

let starts = 0;

function open(disk: SimulatedDisk, clock: FakeClock, recovery: RecoveryMode, sync: boolean): FileStore {
  return createFileStore({
    directory: "/data",
    limits,
    recovery,
    options: {
      sync,
      sliceMaxMessages: 9,
      compactMinBytes: 200,
      compactIntervalSeconds: 1,
      autoSync: durationFromMillis(60_000),
    },
    clock,
    logger: recordingLogger(),
    fileSystem: disk,
    // Salts of the commit log's segments must differ from start to start.
    random: seededRandom(++starts),
    lock: memoryLocks().lockFor("data"),
    openCommitLog: (options) => openCommitLog({ ...options, segmentBytes: 16_384 }),
  });
}

const SERVER = {
  clusterId: "c",
  discovery: "d",
  publish: "p",
  subscribe: "s",
  unsubscribe: "u",
  close: "cl",
  subClose: "sc",
  acksSubs: "a",
};

async function round(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const world = new World(random);
  let disk = new SimulatedDisk({ seed });
  const sessions = 1 + Math.floor(random.next() * SESSIONS_MAX);
  for (let session = 0; session < sessions; session++) {
    const clock = new FakeClock(1_700_000_100_000 + session * 1_000_000);
    const store = open(disk, clock, "quarantine", true);
    let state: RecoveredState | undefined;
    try {
      state = await store.recover();
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "no_server_info") throw error;
      await store.init(SERVER);
      state = await store.recover();
    }
    expect(store.quarantined).toEqual([]);
    if (state === undefined) await store.init(SERVER);
    else await world.check(state, `seed ${seed}, session ${session}`);
    const isClean = random.next() < 0.2;
    if (!isClean) disk.stopAfter(1 + Math.floor(random.next() * 300));
    const work = world.session(store, state, disk, clock).catch((error: unknown) => {
      if (disk.isRunning) throw error;
    });
    await Promise.race([work, disk.stopped]);
    if (isClean) {
      await world.settle(store, disk);
      await store.close();
      await checkStrict(disk, seed);
      continue;
    }
    disk = disk.crash(random.next() < 0.5 ? "kill" : "power");
    void store.close().catch((error: unknown) => {
      if (!(error instanceof StoreError) && !(error instanceof FileError)) throw error;
    });
  }
  const store = open(disk, new FakeClock(), "quarantine", true);
  const state = await store.recover().catch(() => undefined);
  if (state !== undefined) await world.check(state, `seed ${seed}, at the end`);
  await store.close();
  if (state !== undefined) await checkStrict(disk, seed);
}

/** After a clean stop the directory is one that the original opens without a word. */
async function checkStrict(disk: SimulatedDisk, seed: number): Promise<void> {
  const store = open(disk, new FakeClock(), "strict", false);
  const state = await store.recover();
  expect(state, `seed ${seed}`).toBeDefined();
  await store.close();
}

describe("a machine that stops", () => {
  it(`loses nothing that was acknowledged, and starts again, in ${ROUNDS} seeded rounds`, async () => {
    const from = Number(process.env["CRASH_SEED"] ?? 1);
    const rounds = Number(process.env["CRASH_ROUNDS"] ?? ROUNDS);
    for (let seed = from; seed < from + rounds; seed++) {
      try {
        await round(seed);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  }, 300_000);
});
