import { durationNanos, nowNanos, type Sequence, type TimestampNanos } from "@nats-streaming/kernel";
import { FakeClock, type RecordingLogger, recordingLogger } from "@nats-streaming/kernel/testing";
import { readMsgProtoSequence } from "@nats-streaming/protocol/stan";
import {
  defaultStoreLimits,
  LOOKUP_COLD,
  LOOKUP_FOUND,
  type MessageLog,
  type RecoveredChannel,
  type RecoveredState,
  type ServerInfo,
  type StoreLimits,
  type SubState,
} from "@nats-streaming/store";
import { onTestFinished, vi } from "vitest";
import type { Database } from "../src/database.ts";
import type { DriverName } from "../src/dialect.ts";
import { createSqlStore, type SqlStore, type SqlStoreSetup } from "../src/sql-store.ts";
import { type FaultyDatabase, faultyDatabase } from "./faulty-database.ts";
import { settledInTime } from "./passing-time.ts";

/** A kind of database as the requirements of sql-store.md 13 see it. */
export interface DatabaseUnderTest {
  readonly name: string;
  readonly driver: DriverName;
  /** A database on a place; the first time its tables are there and empty. Not opened yet. */
  open(place: string, options?: OpenOptions): Promise<Database>;
  /** Runs a statement beside the store; rows by column name in lower case. */
  query(place: string, statement: string): Promise<TableRow[]>;
  /** Removes a place; nothing is open any more. */
  cleanUp?(place: string): Promise<void>;
}

export interface OpenOptions {
  readonly maxOpenConns?: number;
  readonly bulkInsertLimit?: number;
}

export type TableRow = Readonly<Record<string, unknown>>;

/** One test's world. */
export interface SqlScene {
  readonly clock: FakeClock;
  readonly logger: RecordingLogger;
  readonly place: string;
  /** The database of the store opened last. */
  readonly database: FaultyDatabase;
  /** A store on an empty place, with server information. */
  start(setup?: SceneSetup): Promise<SqlStore>;
  /** One more store on the place, just made. */
  open(setup?: SceneSetup): SqlStore;
  /** Closes a store and opens the place again. */
  restart(store: SqlStore, setup?: SceneSetup): Promise<{ readonly store: SqlStore; readonly state: RecoveredState }>;
  query(statement: string): Promise<TableRow[]>;
  /** Lets time pass, and checks until it holds. */
  after(millis: number, check: () => void | Promise<void>): Promise<void>;
  /** Lets time pass until it is settled, on the clock of the scene or another one. */
  outcome<T>(asked: Promise<T>, clock?: FakeClock): Promise<T>;
  now(): TimestampNanos;
}

export interface SceneSetup extends Partial<SqlStoreSetup>, OpenOptions {}

const POLL_MILLIS = 5;

let scenes = 0;

export function setSqlScene(subject: DatabaseUnderTest): SqlScene {
  const place = `q-${process.pid}-${++scenes}`;
  const clock = new FakeClock();
  const logger = recordingLogger();
  const opened: SqlStore[] = [];
  const databases: FaultyDatabase[] = [];
  onTestFinished(async () => {
    for (const database of databases) database.isGone = false;
    await Promise.allSettled(opened.map((store) => store.close()));
    await subject.cleanUp?.(place);
  });

  const open = (setup: SceneSetup = {}): SqlStore => {
    const { maxOpenConns, bulkInsertLimit } = setup;
    const store = createSqlStore({
      driver: subject.driver,
      source: place,
      clock,
      logger,
      ...setup,
      openDatabase: async () => {
        const options = {
          ...(maxOpenConns === undefined ? {} : { maxOpenConns }),
          ...(bulkInsertLimit === undefined ? {} : { bulkInsertLimit }),
        };
        const database = faultyDatabase(await subject.open(place, options));
        databases.push(database);
        return database;
      },
    });
    opened.push(store);
    return store;
  };
  return {
    clock,
    logger,
    place,
    get database(): FaultyDatabase {
      const last = databases.at(-1);
      if (last === undefined) throw new Error("no store was opened");
      return last;
    },
    async start(setup): Promise<SqlStore> {
      const store = open(setup);
      await store.recover();
      await store.init(serverInfo("cluster"));
      return store;
    },
    open,
    async restart(store, setup) {
      await store.close();
      const again = open(setup);
      const state = await again.recover();
      if (state === undefined) throw new Error("nothing was recovered");
      return { store: again, state };
    },
    query: (statement) => subject.query(place, statement),
    async after(millis, check) {
      await clock.advanceAsync(millis);
      // Time goes on slowly while the database is at work: what is set when its answer has come is due soon, too.
      const settled = async (): Promise<void> => {
        await clock.advanceAsync(POLL_MILLIS);
        await check();
      };
      await vi.waitFor(settled, { timeout: 10_000, interval: POLL_MILLIS });
    },
    outcome: (asked, own = clock) => settledInTime(own, databases, asked),
    now: () => nowNanos(clock),
  };
}

export function limitsOf(given: Partial<StoreLimits>): StoreLimits {
  return { ...defaultStoreLimits, ...given };
}

/** A limit on the age of messages, with which every channel may have its own. */
export function agedChannels(ages: Readonly<Record<string, number>>): StoreLimits {
  const inherited = { maxSubscriptions: 0, maxMessages: 0, maxBytes: 0, maxInactivity: durationNanos(0n) };
  const channels = Object.entries(ages).map(
    ([name, millis]) => [name, { ...inherited, maxAge: durationNanos(BigInt(millis) * 1_000_000n) }] as const,
  );
  return limitsOf({ channels: new Map(channels) });
}

export const millis = (count: number): StoreLimits["maxAge"] => durationNanos(BigInt(count) * 1_000_000n);

export function serverInfo(clusterId: string): ServerInfo {
  return {
    clusterId,
    discovery: "d",
    publish: "p",
    subscribe: "s",
    unsubscribe: "u",
    close: "c",
    subClose: "sc",
    acksSubs: "a",
  };
}

export function subState(changes: Partial<SubState> = {}): SubState {
  return {
    id: 0,
    clientId: "me",
    qGroup: "",
    inbox: "inbox",
    ackInbox: "ack",
    maxInFlight: 10,
    ackWaitInSecs: 30,
    durableName: "",
    lastSent: 0,
    isDurable: false,
    isClosed: false,
    ...changes,
  };
}

/** Appends `count` messages behind the last one. @param ageMillis how long ago they were made */
export function append(scene: SqlScene, log: MessageLog, count: number, size = 10, ageMillis = 0): void {
  const bytes = new Uint8Array(size).fill(97);
  const at = scene.now() - BigInt(ageMillis) * 1_000_000n;
  const timestamp = { millis: Number(at / 1_000_000n), nanos: Number(at % 1_000_000n) };
  for (let i = 0; i < count; i++) {
    const message = { bytes, replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: size };
    log.append((log.lastSequence + 1) as Sequence, message, timestamp);
  }
}

/** The sequence that a lookup gives, loaded if need be; 0 for none. */
export async function read(log: MessageLog, sequence: number): Promise<number> {
  const out = { bytes: new Uint8Array(0), start: 0, end: 0 };
  let found = log.lookup(sequence, out);
  if (found === LOOKUP_COLD) {
    await log.load(sequence, 16);
    found = log.lookup(sequence, out);
  }
  return found === LOOKUP_FOUND ? Number(readMsgProtoSequence(out.bytes, out.start, out.end)) : 0;
}

/** Every sequence between first and last that can be read. */
export async function readAll(log: MessageLog): Promise<number[]> {
  const found: number[] = [];
  for (let s: number = log.firstSequence; log.count > 0 && s <= log.lastSequence; s++) {
    if ((await read(log, s)) === s) found.push(s);
  }
  return found;
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

export function channelOf(state: RecoveredState, name = "foo"): RecoveredChannel {
  const found = state.channels.get(name);
  if (found === undefined) throw new Error(`channel ${name} was not recovered`);
  return found;
}
