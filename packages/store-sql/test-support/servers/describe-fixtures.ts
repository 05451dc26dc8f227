import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sequence, silentLogger, systemClock, timestampNanos } from "@nats-streaming/kernel";
import { FakeClock } from "@nats-streaming/kernel/testing";
import {
  defaultStoreLimits,
  LOOKUP_COLD,
  LOOKUP_FOUND,
  type MessageLog,
  type RecoveredState,
  type Store,
  type StoreLimits,
} from "@nats-streaming/store";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { DriverOptions, SessionPool } from "../../src/database.ts";
import { createServerDatabase } from "../../src/server-database.ts";
import { createSqlStore } from "../../src/sql-store.ts";
import { readAsOriginal } from "./read-as-original.ts";
import { SERVER_START_MILLIS_MAX, type SqlServer } from "./server-process.ts";
import { contentOf, TABLE_NAMES, type Tables } from "./tables.ts";

export interface FixturesUnderTest {
  readonly driver: "postgres" | "mysql";
  readonly startServer: () => Promise<SqlServer>;
  readonly createPool: (options: DriverOptions) => SessionPool;
}

/** What the original wrote, and what it recovers from it. @see sql-store.md 12 */
interface Fixture {
  readonly tables: Tables;
  readonly no_caching: boolean;
  readonly runs: readonly FixtureRun[];
}

interface FixtureRun {
  readonly name: string;
  readonly note: string;
  readonly open_options: {
    readonly max_msgs?: number;
    readonly max_bytes?: number;
    readonly sql_no_caching: boolean;
  };
  readonly expect: { readonly state: ExpectedState; readonly log: readonly string[] };
  readonly tables_changed_by_recovery: Partial<Tables>;
  readonly next_sub_id: number;
  readonly next_channel_id: number;
}

interface ExpectedState {
  readonly server_info: Readonly<Record<string, string>>;
  readonly clients: readonly Readonly<Record<string, string | number>>[];
  readonly channels: Readonly<Record<string, ExpectedChannel>>;
}

interface ExpectedChannel {
  readonly first_seq: number;
  readonly last_seq: number;
  readonly msgs_count: number;
  readonly msgs_bytes: number;
  readonly messages: readonly { readonly seq: number; readonly data_base64: string; readonly timestamp_ns: string }[];
  readonly seq_from_timestamp: readonly { readonly seq: number; readonly timestamp_ns: string }[];
  readonly subscriptions: readonly Readonly<Record<string, unknown>>[];
}

/** Checks of all fixtures together, both drivers: so many that one that gets lost is missed. */
export const CHECKS_PER_FIXTURE = 22;

/**
 * Dumps written by the original: loaded, recovered under several options, written to, and read again by the original's own
 * rules. To be called at the top level of a test file.
 */
export function describeFixtures(subject: FixturesUnderTest): void {
  let server: SqlServer;
  let databases = 0;

  beforeAll(async () => {
    server = await subject.startServer();
  }, SERVER_START_MILLIS_MAX);
  afterAll(() => server.close(), SERVER_START_MILLIS_MAX);

  for (const name of [subject.driver, `${subject.driver}-no-caching`]) {
    const fixture: Fixture = JSON.parse(readFixtureFile(name, "expected.json"));
    let checks = 0;
    const check = (title: string, body: () => Promise<void>): void => {
      checks++;
      it(title, body);
    };

    const load = async (): Promise<string> => {
      const database = `fixture_${++databases}`;
      await server.createDatabase(database, readFixtureFile(name, "dump.sql"));
      return database;
    };

    const open = (database: string, options: FixtureRun["open_options"]): Store => {
      const source = server.source(database);
      const limits: StoreLimits = {
        ...defaultStoreLimits,
        maxMessages: options.max_msgs ?? defaultStoreLimits.maxMessages,
        maxBytes: options.max_bytes ?? defaultStoreLimits.maxBytes,
      };
      const store = createSqlStore({
        driver: subject.driver,
        source,
        limits,
        noCaching: options.sql_no_caching,
        clock: new FakeClock(1_795_400_000_000),
        logger: silentLogger,
        openDatabase: () =>
          createServerDatabase(
            subject.createPool({
              source,
              maxOpenConns: 0,
              bulkInsertLimit: 0,
              clock: systemClock(),
              logger: silentLogger,
            }),
          ),
      });
      onTestFinished(() => store.close());
      return store;
    };

    const recover = async (database: string, options: FixtureRun["open_options"]): Promise<[Store, RecoveredState]> => {
      const store = open(database, options);
      const state = await store.recover();
      if (state === undefined) throw new Error("nothing was recovered");
      return [store, state];
    };

    describe(`fixture ${name}`, () => {
      check("is what expected.json says", async () => {
        expect(await contentOf(server, subject.driver, await load())).toEqual(sorted(fixture.tables));
      });

      for (const run of fixture.runs) {
        check(`recovery gives what the original gives (run ${run.name}: ${run.note})`, async () => {
          const [, state] = await recover(await load(), run.open_options);
          expect(await printedState(state, run.expect.state)).toEqual(expectedState(run.expect.state));
        });

        check(`recovery changes the tables that the original changes (run ${run.name})`, async () => {
          const database = await load();
          const [store] = await recover(database, run.open_options);
          await store.close();
          const expected = sorted({ ...fixture.tables, ...run.tables_changed_by_recovery });
          expect(await contentOf(server, subject.driver, database)).toEqual(expected);
        });

        check(`the next subscription has the ID that the original gives it (run ${run.name})`, async () => {
          const [, state] = await recover(await load(), run.open_options);
          const { subscriptions, subscriptionStates } = state.channels.get("jobs")!;
          expect(subscriptions.create({ ...subscriptionStates[0]!.state, id: 0 })).toBe(run.next_sub_id);
        });

        check(`the next channel has the number that the original gives it (run ${run.name})`, async () => {
          const database = await load();
          const [store] = await recover(database, run.open_options);
          store.createChannel("one.more");
          await store.flush();
          await store.close();
          const { Channels } = await contentOf(server, subject.driver, database);
          expect(Channels.find((row) => row["name"] === "one.more")).toMatchObject({ id: run.next_channel_id });
        });
      }

      check("is readable by the rules of the original after it was written to", async () => {
        const database = await load();
        const options = { sql_no_caching: fixture.no_caching };
        const [store, state] = await recover(database, options);
        await writeSomething(store, state);
        await store.close();
        const before = await readAsOriginal(await contentOf(server, subject.driver, database));
        const [, again] = await recover(database, options);
        expect(summary(again)).toEqual(before);
        expect(before.channels["one.more"]?.messages).toEqual([1, 2, 3]);
      });

      it(`has ${CHECKS_PER_FIXTURE} checks`, () => {
        expect(checks).toBe(CHECKS_PER_FIXTURE);
      });
    });
  }
}

/** A bit of everything: messages, a new channel, subscriptions created, changed and deleted, pending and acknowledged. */
async function writeSomething(store: Store, state: RecoveredState): Promise<void> {
  const jobs = state.channels.get("jobs")!;
  append(jobs.messages, jobs.messages.lastSequence + 1, 3);
  append(store.createChannel("one.more").messages, 1, 3);
  await store.flush();
  const [first, second, third] = jobs.subscriptionStates;
  const last = jobs.messages.lastSequence;
  const id = jobs.subscriptions.create({ ...first!.state, id: 0, inbox: "_INBOX.new" });
  for (const seq of [last - 2, last - 1, last]) jobs.subscriptions.addPending(id, seq);
  await store.flush();
  jobs.subscriptions.ackPending(id, last - 1);
  for (const pending of first!.pending) jobs.subscriptions.ackPending(first!.state.id, pending);
  jobs.subscriptions.addPending(second!.state.id, last);
  jobs.subscriptions.update({ ...second!.state, isClosed: true });
  jobs.subscriptions.delete(third!.state.id);
  store.deleteClient("c1");
  store.addClient({ ...state.clients[0]!, id: "c77", hbInbox: "_INBOX.77" });
  await store.deleteChannel("misc");
  await store.flush();
}

function append(log: MessageLog, from: number, count: number): void {
  const bytes = Buffer.from("reply.herepayload");
  for (let i = 0; i < count; i++) {
    const message = { bytes, replyStart: 0, replyEnd: 10, dataStart: 10, dataEnd: bytes.length };
    log.append(sequence(from + i), message, { millis: 1_795_400_000_000 + i, nanos: 7 });
  }
}

async function printedState(state: RecoveredState, asked: ExpectedState): Promise<unknown> {
  const { serverInfo, clients, channels } = state;
  const printed: Record<string, unknown> = {};
  for (const [name, channel] of channels) {
    const { messages: log, subscriptionStates } = channel;
    const times: number[] = [];
    for (const { timestamp_ns } of asked.channels[name]?.seq_from_timestamp ?? []) {
      times.push(await log.sequenceFromTimestamp(timestampNanos(BigInt(timestamp_ns))));
    }
    printed[name] = {
      totals: [log.firstSequence, log.lastSequence, log.count, log.bytes],
      messages: await storedMessages(log),
      times,
      subscriptions: subscriptionStates
        .map(({ state: one, pending }) => ({ ...one, pending: [...pending] }))
        .sort((one, other) => one.id - other.id),
    };
  }
  return {
    serverInfo,
    clients: clients
      .map((client) => ({ ...client, connId: Buffer.from(client.connId).toString("hex") }))
      .sort((one, other) => (one.id < other.id ? -1 : 1)),
    channels: printed,
  };
}

/** Sequence and encoded message of everything that can be looked up. */
async function storedMessages(log: MessageLog): Promise<unknown[]> {
  const found: unknown[] = [];
  const out = { bytes: new Uint8Array(0), start: 0, end: 0 };
  for (let at: number = log.firstSequence; at > 0 && at <= log.lastSequence; at++) {
    let lookup = log.lookup(at, out);
    if (lookup === LOOKUP_COLD) {
      await log.load(at, 100);
      lookup = log.lookup(at, out);
    }
    if (lookup === LOOKUP_FOUND) found.push([at, Buffer.from(out.bytes.subarray(out.start, out.end)).toString("hex")]);
  }
  return found;
}

function expectedState({ server_info, clients, channels }: ExpectedState): unknown {
  const printed: Record<string, unknown> = {};
  for (const [name, channel] of Object.entries(channels)) {
    printed[name] = {
      totals: [channel.first_seq, channel.last_seq, channel.msgs_count, channel.msgs_bytes],
      messages: channel.messages.map((message) => [message.seq, expect.stringContaining(payloadHex(message))]),
      times: channel.seq_from_timestamp.map(({ seq }) => seq),
      subscriptions: channel.subscriptions.map((one) => ({
        id: one["id"],
        clientId: one["client_id"],
        qGroup: one["queue_group"],
        inbox: one["inbox"],
        ackInbox: one["ack_inbox"],
        maxInFlight: one["max_in_flight"],
        ackWaitInSecs: one["ack_wait_in_secs"],
        durableName: one["durable_name"],
        lastSent: one["last_sent"],
        isDurable: one["is_durable"],
        isClosed: one["is_closed"],
        pending: one["pending_acks"],
      })),
    };
  }
  return {
    serverInfo: {
      clusterId: server_info["ClusterID"],
      discovery: server_info["Discovery"],
      publish: server_info["Publish"],
      subscribe: server_info["Subscribe"],
      unsubscribe: server_info["Unsubscribe"],
      close: server_info["Close"],
      subClose: server_info["SubClose"],
      acksSubs: server_info["AcksSubs"],
    },
    clients: clients.map((client) => ({
      id: client["id"],
      hbInbox: client["hb_inbox"],
      connId: client["conn_id_hex"],
      protocol: client["protocol"],
      pingInterval: client["ping_interval"],
      pingMaxOut: client["ping_max_out"],
    })),
    channels: printed,
  };
}

function payloadHex({ data_base64 }: { readonly data_base64: string }): string {
  return Buffer.from(data_base64, "base64").toString("hex");
}

function summary(state: RecoveredState): Awaited<ReturnType<typeof readAsOriginal>> {
  const channels: Record<string, { messages: number[]; subscriptions: Record<string, unknown> }> = {};
  for (const [name, { messages, subscriptionStates }] of state.channels) {
    const sequences: number[] = [];
    for (let at: number = messages.firstSequence; at > 0 && at <= messages.lastSequence; at++) sequences.push(at);
    const subscriptions: Record<string, unknown> = {};
    for (const { state: one, pending } of subscriptionStates) {
      subscriptions[`${one.id}`] = { inbox: one.inbox, isClosed: one.isClosed, lastSent: one.lastSent, pending };
    }
    channels[name] = { messages: sequences, subscriptions };
  }
  return { clusterId: state.serverInfo.clusterId, clients: state.clients.map(({ id }) => id).sort(), channels };
}

function sorted(tables: Tables): Tables {
  const copy: Partial<Record<keyof Tables, Tables[keyof Tables]>> = {};
  for (const table of TABLE_NAMES) {
    copy[table] = [...tables[table]].sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
  }
  return { ...tables, ...copy };
}

function readFixtureFile(name: string, file: string): string {
  const url = new URL(`../../../../test-e2e/fixtures/sql-store/${name}/${file}`, import.meta.url);
  return readFileSync(fileURLToPath(url), "utf8");
}
