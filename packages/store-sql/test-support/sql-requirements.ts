import { type Sequence, timestampNanos } from "@nats-streaming/kernel";
import { FakeClock } from "@nats-streaming/kernel/testing";
import type { ClientInfo, RecoveredState, SubscriptionLog } from "@nats-streaming/store";
import { describe, expect, it } from "vitest";
import { NO_MESSAGES } from "../src/messages/pack-messages.ts";
import {
  agedChannels,
  append,
  channelOf,
  type DatabaseUnderTest,
  limitsOf,
  millis,
  range,
  read,
  readAll,
  type SqlScene,
  serverInfo,
  setSqlScene,
  subState,
} from "./database-under-test.ts";

/** Enough time for what is written within a second. */
const LAZY = 1000;
/** Enough for the look at what has expired. */
const TICK = 1000;

/** The requirements of sql-store.md 13 that are about a database, as tests. To be called at the top of a test file. */
export function describeSqlRequirements(subject: DatabaseUnderTest): void {
  const row = (title: string, body: (scene: SqlScene) => Promise<void>): void => {
    it(title, () => body(setSqlScene(subject)));
  };
  describe(`${subject.name}, sql-store.md 13`, () => {
    serverRows(row);
    failureRows(row);
    expiryRows(row);
    messageRows(row);
    subscriptionRows(row);
    channelRows(row);
    lockRows(row);
  });
}

type Row = (title: string, body: (scene: SqlScene) => Promise<void>) => void;

const code = (expected: string): unknown => expect.objectContaining({ code: expected });

function serverRows(row: Row): void {
  row("SQL-Q4 leaves one row of server information, however often it is written", async (scene) => {
    const store = await scene.start();
    await store.init(serverInfo("other"));
    await store.init(serverInfo("third"));
    expect(await scene.query("SELECT uniquerow, id, version FROM ServerInfo")).toEqual([
      { uniquerow: 1, id: "third", version: 1 },
    ]);
  });

  row(
    "SQL-Q14 refuses another version of the tables, and a cluster ID that is not the one in the data",
    async (scene) => {
      const store = await scene.start();
      await store.close();
      await scene.query("UPDATE ServerInfo SET version = 2");
      await expect(scene.open().recover()).rejects.toThrow("sql: unsupported version: 2 (supports [1..1])");
      await scene.query("UPDATE ServerInfo SET version = 1, id = 'b'");
      const text = 'sql: id "b" in column does not match cluster ID in data "cluster"';
      await expect(scene.open().recover()).rejects.toThrow(text);
    },
  );
}

function failureRows(row: Row): void {
  row(
    "SQL-Q5 answers every operation with an error while the database is gone, and goes on when it is back",
    async (scene) => {
      const store = await scene.start({ retryMillis: 0, cacheBytes: 0 });
      const { messages, subscriptions } = store.createChannel("foo");
      append(scene, messages, 3);
      subscriptions.create(subState());
      await store.flush();
      scene.database.isGone = true;
      await expect(store.init(serverInfo("x"))).rejects.toEqual(code("write_failed"));
      await expect(store.deleteChannel("foo")).rejects.toEqual(code("write_failed"));
      await expect(store.recover()).rejects.toEqual(code("read_failed"));
    },
  );

  row(
    "SQL-Q5 refuses each kind of change at its flush, and keeps all but the messages for the next one",
    async (scene) => {
      const store = await scene.start({ retryMillis: 0, cacheBytes: 0 });
      const { messages, subscriptions } = store.createChannel("foo");
      append(scene, messages, 3);
      const id = subscriptions.create(subState());
      const kept = subscriptions.create(subState());
      await store.flush();
      scene.database.isGone = true;
      const changes: (() => void)[] = [
        () => store.createChannel("bar"),
        () => store.addClient(client("a")),
        () => store.deleteClient("b"),
        () => append(scene, messages, 1),
        () => subscriptions.create(subState()),
        () => subscriptions.update(subState({ id: kept, inbox: "changed" })),
        () => subscriptions.delete(id),
      ];
      for (const change of changes) {
        change();
        await expect(store.flush()).rejects.toEqual(code("write_failed"));
      }
      subscriptions.addPending(kept, 1);
      subscriptions.ackPending(kept, 1);
      await expect(messages.load(1, 1)).rejects.toEqual(code("read_failed"));
      const asked = messages.sequenceFromTimestamp(timestampNanos(1n));
      await expect(asked).rejects.toEqual(code("read_failed"));
      await scene.clock.advanceAsync(LAZY);

      scene.database.isGone = false;
      await store.flush();
      expect(await readAll(messages)).toEqual([1, 2, 3]);
      const { state } = await scene.restart(store);
      expect([...state.channels.keys()].sort()).toEqual(["bar", "foo"]);
      expect(state.clients.map((one) => one.id)).toEqual(["a"]);
      expect(channelOf(state).subscriptionStates.map(({ state: one }) => [one.id, one.inbox])).toEqual([
        [kept, "changed"],
        [kept + 1, "inbox"],
      ]);
      expect(await readAll(channelOf(state).messages)).toEqual([1, 2, 3]);
    },
  );

  row("SQL-Q6 goes on expiring messages after a failure of the database is over", async (scene) => {
    const store = await scene.start({ limits: limitsOf({ maxAge: millis(500) }), retryMillis: 0 });
    const log = store.createChannel("foo").messages;
    append(scene, log, 3);
    await store.flush();
    scene.database.isGone = true;
    await scene.clock.advanceAsync(3 * TICK);
    scene.database.isGone = false;
    await scene.after(TICK + LAZY, async () => expect(await scene.query("SELECT seq FROM Messages")).toEqual([]));
    expect(log.count).toBe(0);
    append(scene, log, 1);
    await store.flush();
    await scene.after(2 * TICK, () => expect([log.count, log.firstSequence]).toEqual([0, 5]));
  });

  for (const isUncached of [false, true]) {
    const mode = isUncached ? "one by one" : "together";
    row(`SQL-Q7 has every message after a failure that was stored before it, when written ${mode}`, async (scene) => {
      const store = await scene.start({ retryMillis: 0, noCaching: isUncached });
      const log = store.createChannel("foo").messages;
      append(scene, log, 5);
      await store.flush();
      scene.database.loseNextAnswer();
      append(scene, log, 2);
      await expect(store.flush()).rejects.toEqual(code("write_failed"));
      expect(log.lastSequence).toBe(5);
      append(scene, log, 1, 50);
      await store.flush();
      expect(await readAll(log)).toEqual(range(1, 6));
      const { state } = await scene.restart(store);
      expect(await readAll(channelOf(state).messages)).toEqual(range(1, 6));
      const [stored] = await scene.query("SELECT COUNT(*) AS n FROM Messages");
      expect(Number(stored?.["n"])).toBe(6);
    });
  }

  row("SQL-Q7 writes a batch a second time when the answer to its commit got lost", async (scene) => {
    const store = await scene.start();
    const { messages, subscriptions } = store.createChannel("foo");
    const id = subscriptions.create(subState());
    append(scene, messages, 3);
    scene.database.loseNextAnswer();
    const flushed = store.flush();
    await scene.after(LAZY, () => expect(scene.database.writes).toBe(2));
    await flushed;
    subscriptions.addPending(id, 2);
    scene.database.loseNextAnswer();
    await scene.after(3 * LAZY, async () => expect(await scene.query("SELECT subid FROM SubsPending")).toHaveLength(1));
    const { state } = await scene.restart(store);
    expect(await readAll(channelOf(state).messages)).toEqual([1, 2, 3]);
    expect(channelOf(state).subscriptionStates.map((one) => one.pending)).toEqual([[2]]);
  });

  row("SQL-Q7 waits for a database that is away, for a bounded time", async (scene) => {
    const store = await scene.start({ retryMillis: 5000 });
    const log = store.createChannel("foo").messages;
    await store.flush();
    scene.database.isGone = true;
    append(scene, log, 1);
    const first = store.flush();
    await scene.clock.advanceAsync(2000);
    scene.database.isGone = false;
    await scene.after(1000, () => expect(scene.database.writes).toBeGreaterThan(2));
    await first;
    scene.database.isGone = true;
    append(scene, log, 1);
    const second = expect(store.flush()).rejects.toEqual(code("write_failed"));
    await scene.clock.advanceAsync(6000);
    await second;
    expect(await readAll(log)).toEqual([1]);
  });
}

function expiryRows(row: Row): void {
  row("SQL-Q8 looks at its clock every second: a message is gone at most a second late", async (scene) => {
    const store = await scene.start({ limits: limitsOf({ maxAge: millis(1500) }) });
    const log = store.createChannel("foo").messages;
    append(scene, log, 1);
    await store.flush();
    await scene.clock.advanceAsync(1400);
    expect(await read(log, 1)).toBe(1);
    await scene.clock.advanceAsync(1100);
    expect(await read(log, 1)).toBe(0);
  });

  row("SQL-Q9 can be closed while the messages of a thousand channels expire", async (scene) => {
    const store = await scene.start({ limits: limitsOf({ maxChannels: 0, maxAge: millis(500) }) });
    for (let i = 0; i < 1000; i++) append(scene, store.createChannel(`c${i}`).messages, 1);
    await store.flush();
    scene.clock.advance(TICK);
    await store.close();
    expect(scene.clock.timerCount).toBe(0);
    expect(await scene.query("SELECT seq FROM Messages")).toEqual([]);
  });

  row("SQL-Q10 lets channels expire each by its own max_age", async (scene) => {
    const store = await scene.start({ limits: agedChannels({ short: 500, long: 5000 }) });
    const short = store.createChannel("short").messages;
    const long = store.createChannel("long").messages;
    append(scene, short, 2);
    append(scene, long, 2);
    await store.flush();
    await scene.after(2000, () => expect([short.count, long.count]).toEqual([0, 2]));
    await scene.after(4000, () => expect(long.count).toBe(0));
  });

  row(
    "SQL-Q11 SQL-Q24 SQL-Q29 has no messages after a restart that expired meanwhile, and keeps the sequences",
    async (scene) => {
      const store = await scene.start();
      append(scene, store.createChannel("foo").messages, 5);
      await store.flush();
      await store.close();
      await scene.clock.advanceAsync(5000);
      const again = await scene.restart(store, { limits: limitsOf({ maxAge: millis(1000) }) });
      const log = channelOf(again.state).messages;
      expect([log.count, log.firstSequence, log.lastSequence, log.bytes]).toEqual([0, 6, 5, 0]);
      const third = await scene.restart(again.store);
      const logAgain = channelOf(third.state).messages;
      expect([logAgain.count, logAgain.firstSequence, logAgain.lastSequence]).toEqual([0, 6, 5]);
    },
  );

  row("SQL-Q24 is at first 4, last 3 after three messages expired while it ran, and after a restart", async (scene) => {
    const store = await scene.start({ limits: limitsOf({ maxAge: millis(500) }) });
    const log = store.createChannel("foo").messages;
    append(scene, log, 3);
    await store.flush();
    await scene.after(2000, () => expect(log.count).toBe(0));
    const { state } = await scene.restart(store);
    const recovered = channelOf(state).messages;
    expect([recovered.count, recovered.firstSequence, recovered.lastSequence]).toEqual([0, 4, 3]);
  });

  row("SQL-Q12 does not give a message that expired, though it is in the table still", async (scene) => {
    const store = await scene.start({ limits: limitsOf({ maxAge: millis(900) }) });
    const log = store.createChannel("foo").messages;
    append(scene, log, 1);
    await store.flush();
    await scene.clock.advanceAsync(TICK);
    expect(await read(log, 1)).toBe(0);
    expect(await scene.query("SELECT id FROM Messages")).toHaveLength(1);
    await scene.after(LAZY, async () => expect(await scene.query("SELECT id FROM Messages")).toEqual([]));
  });

  row("SQL-Q17 flushes when it is closed, with max_age", async (scene) => {
    const store = await scene.start({ limits: limitsOf({ maxAge: millis(15_000) }) });
    append(scene, store.createChannel("foo").messages, 2);
    await store.close();
    expect(await scene.query("SELECT seq FROM Messages")).toHaveLength(2);
  });

  row("SQL-Q33 lets messages with old timestamps expire right after they were flushed", async (scene) => {
    const store = await scene.start({ limits: limitsOf({ maxAge: millis(60_000) }) });
    const log = store.createChannel("foo").messages;
    append(scene, log, 5, 10, 3_600_000);
    await store.flush();
    await scene.after(TICK, () => expect([log.firstSequence, log.count]).toEqual([6, 0]));
    await scene.after(LAZY, async () => expect(await scene.query("SELECT seq FROM Messages")).toEqual([]));
  });

  row(
    "SQL-Q35 keeps the position of a durable queue group whose messages have all expired, over two restarts",
    async (scene) => {
      const store = await scene.start();
      const { messages, subscriptions } = store.createChannel("foo");
      append(scene, messages, 100);
      const id = subscriptions.create(subState({ qGroup: "dur:group", isDurable: true }));
      for (const s of range(1, 100)) subscriptions.addPending(id, s);
      await store.flush();
      await scene.clock.advanceAsync(LAZY);
      for (const s of range(1, 98)) subscriptions.ackPending(id, s);
      await store.close();
      await scene.clock.advanceAsync(10_000);
      const limits = limitsOf({ maxAge: millis(1000) });
      let again = await scene.restart(store, { limits });
      again = await scene.restart(again.store, { limits });
      const channel = channelOf(again.state);
      expect([channel.messages.firstSequence, channel.messages.lastSequence]).toEqual([101, 100]);
      expect(channel.subscriptionStates.map((one) => one.state.lastSent)).toEqual([100]);
    },
  );
}

function messageRows(row: Row): void {
  row(
    "SQL-Q16 has nothing in the table before a flush, applies limits in memory, and lets all expire",
    async (scene) => {
      const store = await scene.start({ limits: limitsOf({ maxMessages: 5, maxAge: millis(10_000) }) });
      const log = store.createChannel("foo").messages;
      const inTable = async (): Promise<number[]> =>
        (await scene.query("SELECT seq FROM Messages ORDER BY seq")).map((one) => Number(one["seq"]));
      for (const last of [10, 20]) {
        append(scene, log, 10);
        expect(await inTable()).toEqual(last === 10 ? [] : range(6, 10));
        expect([log.count, log.firstSequence, log.lastSequence]).toEqual([5, last - 4, last]);
        expect(await readAll(log)).toEqual(range(last - 4, last));
        await store.flush();
        await scene.after(LAZY, async () => expect(await inTable()).toEqual(range(last - 4, last)));
      }
      await scene.after(11_000, async () => expect(await inTable()).toEqual([]));
      expect([log.count, log.firstSequence]).toEqual([0, 21]);
    },
  );

  row("SQL-Q22 serves 500 channels with 10 connections and lookups at the same time", async (scene) => {
    const limits = limitsOf({ maxChannels: 0 });
    const store = await scene.start({ limits, maxOpenConns: 10, cacheBytes: 0 });
    const logs = range(1, 500).map((i) => store.createChannel(`c${i}`).messages);
    for (const log of logs) append(scene, log, 3);
    await store.flush();
    expect(await Promise.all(logs.map((log) => read(log, 2)))).toEqual(logs.map(() => 2));
  });

  for (const noCaching of [false, true]) {
    row(`SQL-Q25 is like new when emptied${noCaching ? ", without caching" : ""}`, async (scene) => {
      const store = await scene.start({ noCaching, limits: limitsOf({ maxAge: millis(10_000) }) });
      const log = store.createChannel("foo").messages;
      append(scene, log, 3);
      await store.flush();
      append(scene, log, 2);
      log.empty();
      expect([log.count, log.bytes, log.firstSequence, log.lastSequence]).toEqual([0, 0, 0, 0]);
      await store.flush();
      expect(await scene.query("SELECT seq FROM Messages")).toEqual([]);
      const [channel] = await scene.query("SELECT maxseq FROM Channels");
      expect(Number(channel?.["maxseq"])).toBe(0);
      append(scene, log, 2);
      const { state } = await scene.restart(store);
      expect(await readAll(channelOf(state).messages)).toEqual([1, 2]);
    });
  }

  row("SQL-Q27 keeps the last messages within a lowered max_bytes, and at least one", async (scene) => {
    const store = await scene.start();
    append(scene, store.createChannel("foo").messages, 5, 85);
    const size = store.totals().bytes / 5;
    expect(size).toBeGreaterThan(95);
    const lower = await scene.restart(store, { limits: limitsOf({ maxBytes: 350 }) });
    expect(await readAll(channelOf(lower.state).messages)).toEqual([3, 4, 5]);
    expect(lower.store.totals()).toEqual({ messages: 3, bytes: 3 * size });
    const lowest = await scene.restart(lower.store, { limits: limitsOf({ maxBytes: 10 }) });
    expect(await readAll(channelOf(lowest.state).messages)).toEqual([5]);
  });

  row("SQL-Q30 writes by itself when more than a thousand messages of a channel wait", async (scene) => {
    const store = await scene.start();
    const log = store.createChannel("foo").messages;
    append(scene, log, 1025);
    await scene.after(0, async () => {
      const [stored] = await scene.query("SELECT COUNT(*) AS n FROM Messages");
      expect(Number(stored?.["n"])).toBe(1024);
    });
    await store.flush();
    expect(await readAll(log)).toEqual(range(1, 1025));
  });

  row("SQL-Q30 tells the next flush that what it wrote by itself has failed", async (scene) => {
    const store = await scene.start({ retryMillis: 0 });
    const log = store.createChannel("foo").messages;
    append(scene, log, 3);
    await store.flush();
    scene.database.failNextWrite("refused");
    append(scene, log, 1025);
    await scene.after(0, () => expect(log.lastSequence).toBe(3));
    append(scene, log, 2);
    await expect(store.flush()).rejects.toEqual(code("write_failed"));
    expect(log.lastSequence).toBe(3);
    append(scene, log, 2);
    await store.flush();
    expect(await readAll(log)).toEqual(range(1, 5));
  });

  row("SQL-Q30 tells only those who waited for it, when somebody flushes while it writes by itself", async (scene) => {
    const store = await scene.start({ retryMillis: 0 });
    const log = store.createChannel("foo").messages;
    await store.flush();
    scene.database.failNextWrite("refused");
    append(scene, log, 1025);
    await expect(store.flush()).rejects.toEqual(code("write_failed"));
    append(scene, log, 3);
    await store.flush();
    expect(await readAll(log)).toEqual([1, 2, 3]);
  });

  row("SQL-Q34 stores 126, 8 and 1 messages with a bulk insert limit of 10", async (scene) => {
    const store = await scene.start({ bulkInsertLimit: 10, cacheBytes: 0 });
    const log = store.createChannel("foo").messages;
    for (const count of [126, 8, 1]) {
      append(scene, log, count);
      await store.flush();
      expect(await readAll(log)).toEqual(range(1, log.lastSequence));
    }
    expect(log.count).toBe(135);
  });

  row("stores nothing of a message that is too long for its column, and all of its neighbours", async (scene) => {
    const store = await scene.start();
    const log = store.createChannel("foo").messages;
    append(scene, log, 1);
    const { maxMessageBytes } = await scene.database.open();
    if (maxMessageBytes > 16 * 1024 * 1024) {
      append(scene, log, 1, 2 * 1024 * 1024);
    } else {
      expect(() => append(scene, log, 1, maxMessageBytes)).toThrow("Data too long for column 'data'");
      append(scene, log, 1, maxMessageBytes - 200);
    }
    await store.flush();
    const { state } = await scene.restart(store);
    expect(await readAll(channelOf(state).messages)).toEqual([1, 2]);
  });

  row(
    "removes what limits push out though it is in the database only, after reading how large it is",
    async (scene) => {
      const setup = { cacheBytes: 0, limits: limitsOf({ maxMessages: 10 }) };
      const store = await scene.start(setup);
      append(scene, store.createChannel("foo").messages, 10);
      const { store: again, state } = await scene.restart(store, setup);
      const log = channelOf(state).messages;
      append(scene, log, 3);
      await again.flush();
      await scene.after(LAZY, () => expect([log.count, log.firstSequence]).toEqual([10, 4]));
      expect(await readAll(log)).toEqual(range(4, 13));
      await scene.after(LAZY, async () => expect(await scene.query("SELECT seq FROM Messages")).toHaveLength(10));
    },
  );

  row("keeps sequences, times and names as they are, at their limits", async (scene) => {
    const store = await scene.start();
    const name = "ü.\xff\xfe\x00.\xf4\x8f\xbc\x80";
    const log = store.createChannel(name).messages;
    const message = { bytes: Uint8Array.of(1), replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: 1 };
    const last = Number.MAX_SAFE_INTEGER - 1;
    log.append(last as Sequence, message, { millis: 9_223_372_036_854, nanos: 775_807 });
    const { state } = await scene.restart(store);
    const recovered = channelOf(state, name).messages;
    expect([recovered.firstSequence, recovered.lastSequence, await read(recovered, last)]).toEqual([last, last, last]);
    expect(await recovered.sequenceFromTimestamp(timestampNanos(2n ** 63n - 1n))).toBe(last);
  });
}

function subscriptionRows(row: Row): void {
  const rowsOf = async (scene: SqlScene): Promise<unknown[][]> => {
    const rows = await scene.query("SELECT * FROM SubsPending");
    const found = rows.map((one) => [
      Number(one["row"]),
      Number(one["seq"]),
      Number(one["lastsent"]),
      listOf(one["pending"]),
      listOf(one["acks"]),
    ]);
    return found.sort((one, other) => Number(one[0]) - Number(other[0]));
  };
  const lastSentOf = async (scene: SqlScene): Promise<number[]> =>
    (await scene.query("SELECT lastsent FROM Subscriptions ORDER BY subid")).map((one) => Number(one["lastsent"]));
  const pendingOf = (state: RecoveredState): unknown[] =>
    channelOf(state).subscriptionStates.map((one) => [one.state.lastSent, one.pending]);
  const send = (log: SubscriptionLog, id: number, ...sequences: number[]): void => {
    for (const s of sequences) log.addPending(id, s);
  };
  const ack = (log: SubscriptionLog, id: number, ...sequences: number[]): void => {
    for (const s of sequences) log.ackPending(id, s);
  };

  row(
    "SQL-Q13 keeps the row of the only subscription when it is removed, marked deleted, until the next one comes",
    async (scene) => {
      const store = await scene.start();
      const { subscriptions } = store.createChannel("foo");
      const id = subscriptions.create(subState());
      subscriptions.delete(id);
      await store.flush();
      const marked = async (): Promise<unknown[]> =>
        (await scene.query("SELECT subid, deleted FROM Subscriptions ORDER BY subid")).map((one) => [
          Number(one["subid"]),
          Boolean(one["deleted"]),
        ]);
      expect(await marked()).toEqual([[id, true]]);
      const next = subscriptions.create(subState());
      await store.flush();
      expect([next, await marked()]).toEqual([id + 1, [[next, false]]]);
    },
  );

  row("SQL-Q15 has no pending sequences below the first message after a restart, without caching", async (scene) => {
    const store = await scene.start({ noCaching: true });
    const { messages, subscriptions } = store.createChannel("foo");
    append(scene, messages, 15);
    const id = subscriptions.create(subState());
    send(subscriptions, id, ...range(1, 15));
    const { state } = await scene.restart(store, { noCaching: true, limits: limitsOf({ maxMessages: 5 }) });
    expect(pendingOf(state)).toEqual([[15, range(11, 15)]]);
    expect((await rowsOf(scene)).map((one) => one[1])).toEqual(range(11, 15));
  });

  row(
    "SQL-Q18 SQL-Q19 writes rows of what is pending and acknowledged, and deletes those of no use, within a second",
    async (scene) => {
      const store = await scene.start();
      const { subscriptions } = store.createChannel("foo");
      const id = subscriptions.create(subState());
      await store.flush();
      const lazily = (rows: unknown[]): Promise<void> =>
        scene.after(LAZY, async () => expect(await rowsOf(scene)).toEqual(rows));
      send(subscriptions, id, 1, 2, 3);
      await lazily([[1, 0, 3, [1, 2, 3], []]]);
      ack(subscriptions, id, 2);
      send(subscriptions, id, 4);
      await lazily([
        [1, 0, 3, [1, 2, 3], []],
        [2, 0, 4, [4], [2]],
      ]);
      // The first row goes with the last of its acks; the second one still says that 4 is pending.
      ack(subscriptions, id, 1, 3);
      await lazily([[2, 0, 4, [4], [2]]]);
      ack(subscriptions, id, 4);
      await lazily([]);
      expect(await lastSentOf(scene)).toEqual([4]);
    },
  );

  row("SQL-Q18 writes no row of what is acknowledged before it is written, but the position", async (scene) => {
    const store = await scene.start();
    const { subscriptions } = store.createChannel("foo");
    const id = subscriptions.create(subState());
    send(subscriptions, id, 1, 2, 3);
    ack(subscriptions, id, 1, 2, 3);
    await scene.after(LAZY, async () => expect(await lastSentOf(scene)).toEqual([3]));
    ack(subscriptions, id, 9);
    await scene.after(LAZY, async () => expect(await lastSentOf(scene)).toEqual([9]));
    expect(await rowsOf(scene)).toEqual([]);
  });

  row(
    "SQL-Q18 writes at once when two thousand wait, and deletes the rows of a removed subscription",
    async (scene) => {
      const store = await scene.start();
      const { subscriptions } = store.createChannel("foo");
      const id = subscriptions.create(subState());
      const other = subscriptions.create(subState());
      send(subscriptions, other, 7);
      send(subscriptions, id, ...range(1, 2000));
      await scene.after(0, async () => expect(await rowsOf(scene)).toHaveLength(2));
      ack(subscriptions, id, ...range(1, 1999));
      subscriptions.delete(id);
      await store.flush();
      expect((await rowsOf(scene)).map((one) => one[3])).toEqual([[7]]);
    },
  );

  row("SQL-Q18 recovers without caching what was written with it, and the other way round", async (scene) => {
    const store = await scene.start();
    const { messages, subscriptions } = store.createChannel("foo");
    append(scene, messages, 9);
    const id = subscriptions.create(subState());
    send(subscriptions, id, 1, 2, 3);
    await store.flush();
    await scene.after(LAZY, async () => expect(await rowsOf(scene)).toHaveLength(1));
    ack(subscriptions, id, 2);
    const direct = await scene.restart(store, { noCaching: true });
    expect(pendingOf(direct.state)).toEqual([[3, [1, 3]]]);
    send(channelOf(direct.state).subscriptions, id, 8);
    ack(channelOf(direct.state).subscriptions, id, 3);
    const cached = await scene.restart(direct.store);
    // What is in a list stays pending: without caching, acks do not touch lists.
    expect(pendingOf(cached.state)).toEqual([[8, [1, 3, 8]]]);
  });

  row("SQL-Q20 rebuilds what it knows of the rows, and deletes those that are of no use", async (scene) => {
    const store = await scene.start();
    const { messages, subscriptions } = store.createChannel("foo");
    append(scene, messages, 5);
    const id = subscriptions.create(subState());
    send(subscriptions, id, 1, 2);
    await store.flush();
    await scene.after(LAZY, async () => expect(await rowsOf(scene)).toHaveLength(1));
    ack(subscriptions, id, 1);
    const again = await scene.restart(store);
    expect(pendingOf(again.state)).toEqual([[2, [2]]]);
    const rows = [
      [1, 0, 2, [1, 2], []],
      [2, 0, 2, [], [1]],
    ];
    expect(await rowsOf(scene)).toEqual(rows);
    ack(channelOf(again.state).subscriptions, id, 2);
    await scene.after(LAZY, async () => expect(await rowsOf(scene)).toEqual([]));
    const third = await scene.restart(again.store);
    expect(pendingOf(third.state)).toEqual([[2, []]]);
  });

  row("SQL-Q20 deletes useless rows that somebody else has left", async (scene) => {
    const store = await scene.start();
    const { messages, subscriptions } = store.createChannel("foo");
    append(scene, messages, 5);
    const id = subscriptions.create(subState());
    send(subscriptions, id, 1, 2);
    await store.flush();
    await scene.after(LAZY, async () => expect(await rowsOf(scene)).toHaveLength(1));
    await addAckRow(scene, id);
    const again = await scene.restart(store);
    expect(pendingOf(again.state)).toEqual([[2, []]]);
    await scene.after(LAZY, async () => expect(await rowsOf(scene)).toEqual([]));
    expect(await lastSentOf(scene)).toEqual([2]);
  });

  row("SQL-Q21 does not use a row number twice, after a restart either", async (scene) => {
    const store = await scene.start();
    const { messages, subscriptions } = store.createChannel("foo");
    append(scene, messages, 5);
    const first = subscriptions.create(subState());
    const second = subscriptions.create(subState());
    send(subscriptions, first, 1);
    await scene.after(LAZY, async () => expect(await rowsOf(scene)).toHaveLength(1));
    send(subscriptions, second, 1);
    await scene.after(LAZY, async () => expect(await rowsOf(scene)).toHaveLength(2));
    const { state } = await scene.restart(store);
    send(channelOf(state).subscriptions, first, 2);
    await scene.after(LAZY, async () => expect((await rowsOf(scene)).map((one) => one[0])).toEqual([1, 2, 3]));
  });

  row(
    "SQL-Q28 recovers nothing pending, and the position, when each message was acknowledged after a write",
    async (scene) => {
      const store = await scene.start();
      const { messages, subscriptions } = store.createChannel("foo");
      append(scene, messages, 3);
      const id = subscriptions.create(subState());
      for (const s of [1, 2, 3]) {
        send(subscriptions, id, s);
        await scene.clock.advanceAsync(LAZY);
        ack(subscriptions, id, s);
        await scene.clock.advanceAsync(LAZY);
      }
      const { state } = await scene.restart(store);
      expect(pendingOf(state)).toEqual([[3, []]]);
      expect(await rowsOf(scene)).toEqual([]);
    },
  );

  row("keeps the counts of redeliveries of pending messages, where their table is there", async (scene) => {
    const store = await scene.start();
    const { messages, subscriptions } = store.createChannel("foo");
    append(scene, messages, 3);
    const id = subscriptions.create(subState());
    send(subscriptions, id, 1, 2, 3);
    for (const [sequence, count] of [
      [1, 1],
      [2, 1],
      [2, 2],
      [3, 5],
    ] as const) {
      subscriptions.noteRedelivery?.(id, sequence, count);
    }
    await scene.clock.advanceAsync(LAZY);
    ack(subscriptions, id, 3);
    const { hasRedeliveries } = await scene.database.open();
    const { state } = await scene.restart(store);
    const [found] = channelOf(state).subscriptionStates;
    expect(found?.redeliveries).toEqual(
      hasRedeliveries
        ? new Map([
            [1, 1],
            [2, 2],
          ])
        : undefined,
    );
  });
}

/** Adds a row that says that the two sequences of the first row are acknowledged. */
async function addAckRow(scene: SqlScene, id: number): Promise<void> {
  await scene.database.write({
    guard: "",
    before: [[{ name: "insertPendingBlock", params: [id, 9, 2, new Uint8Array(0), Buffer.from("[1,2]")] }]],
    messages: NO_MESSAGES,
    after: [],
    oneByOne: false,
  });
}

function channelRows(row: Row): void {
  row("SQL-Q26 deletes the rows of a channel from all tables, of no other, before close returns", async (scene) => {
    const store = await scene.start();
    for (const name of ["foo", "bar"]) {
      const { messages, subscriptions } = store.createChannel(name);
      append(scene, messages, 1500);
      const id = subscriptions.create(subState());
      subscriptions.addPending(id, 1);
    }
    await store.flush();
    await scene.after(LAZY, async () => expect(await scene.query("SELECT subid FROM SubsPending")).toHaveLength(2));
    await store.deleteChannel("foo");
    const anew = store.createChannel("foo");
    append(scene, anew.messages, 1);
    await store.flush();
    await store.close();
    const ids = async (table: string, column: string): Promise<number[]> => {
      const rows = await scene.query(`SELECT DISTINCT ${column} AS n FROM ${table} ORDER BY ${column}`);
      return rows.map((one) => Number(one["n"]));
    };
    expect(await ids("Channels", "id")).toEqual([2, 3]);
    expect(await ids("Messages", "id")).toEqual([2, 3]);
    expect(await ids("Subscriptions", "id")).toEqual([2]);
    expect(await ids("SubsPending", "subid")).toEqual([2]);
  });

  row("finishes the deletion of a channel that was interrupted, and does not use its number again", async (scene) => {
    const store = await scene.start();
    for (const name of ["foo", "bar"]) append(scene, store.createChannel(name).messages, 1_500);
    await store.close();
    const marked = (await scene.query("SELECT deleted FROM Channels"))[0]?.["deleted"];
    await scene.query(`UPDATE Channels SET deleted = ${marked === false ? "TRUE" : "1"} WHERE name = 'foo'`);
    const { store: again, state } = await scene.restart(store);
    expect([...state.channels.keys()]).toEqual(["bar"]);
    again.createChannel("foo");
    await again.recover();
    await again.flush();
    await again.close();
    const rows = await scene.query("SELECT id FROM Channels ORDER BY id");
    expect(rows.map((one) => Number(one["id"]))).toEqual([2, 3]);
    const messages = await scene.query("SELECT DISTINCT id FROM Messages");
    expect(messages.map((one) => Number(one["id"]))).toEqual([2]);
  });
}

function lockRows(row: Row): void {
  const locked = async (scene: SqlScene): Promise<[string, number][]> =>
    (await scene.query("SELECT id, tick FROM StoreLock")).map((one) => [String(one["id"]), Number(one["tick"])]);

  row(
    "SQL-Q23 gives the lock to its owner again, to no second one, and to the next one after a close",
    async (scene) => {
      const first = await scene.start();
      expect(await first.acquireLock()).toEqual({ kind: "acquired" });
      expect(await first.acquireLock()).toEqual({ kind: "acquired" });
      const [[owner] = []] = await locked(scene);
      expect(owner).toMatch(/^[0-9A-Za-z]{22}$/);
      const second = scene.open();
      expect(await scene.outcome(second.acquireLock())).toEqual({ kind: "busy", holder: owner });
      await first.close();
      expect(await locked(scene)).toEqual([["", 0]]);
      expect(await first.acquireLock()).toEqual({ kind: "busy" });
      expect(await scene.outcome(second.acquireLock())).toEqual({ kind: "acquired" });
    },
  );

  row(
    "SQL-Q23 lets the lock be taken from an owner that does not move, which then writes nothing any more",
    async (scene) => {
      const lost: string[] = [];
      const first = await scene.start({
        retryMillis: 0,
        onLockLost: (error) => lost.push(`${error.code} ${error.message}`),
      });
      await first.acquireLock();
      const { messages } = first.createChannel("foo");
      append(scene, messages, 2);
      await first.flush();
      const [[owner] = []] = await locked(scene);
      // The first server is stopped: its clock does not move, but it still has its connection.
      const clock = new FakeClock();
      const taken = scene.open({ clock });
      expect(await scene.outcome(taken.acquireLock(), clock)).toEqual({ kind: "acquired" });
      const state = await taken.recover();
      const [[thief, tick] = []] = await locked(scene);
      expect([thief === owner, tick]).toEqual([false, 1]);
      append(scene, messages, 1);
      await expect(first.flush()).rejects.toEqual(code("sync_failed"));
      expect(lost).toEqual(["sync_failed lost store lock, aborting"]);
      await expect(first.flush()).rejects.toEqual(code("sync_failed"));
      if (state === undefined) throw new Error("nothing was recovered");
      const log = channelOf(state).messages;
      append(scene, log, 1, 77);
      await taken.flush();
      expect(await scene.query("SELECT seq FROM Messages")).toHaveLength(3);
      await taken.close();
    },
  );

  row("SQL-Q23 reports heartbeats that fail, and gives up at the third in a row", async (scene) => {
    const failures: string[] = [];
    const store = await scene.start({ onFailure: (error) => failures.push(error.message) });
    await store.acquireLock();
    const beats = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        await scene.clock.advanceAsync(1000);
        await scene.database.answered();
        await scene.clock.settle();
      }
    };
    await beats(1);
    scene.database.isGone = true;
    await beats(2);
    scene.database.isGone = false;
    await beats(2);
    expect(failures).toEqual([]);
    scene.database.isGone = true;
    await scene.after(3000, () => expect(failures).toEqual(["lost store lock, aborting"]));
    const reported = scene.logger.lines.filter((line) => line.includes("store lock (failed="));
    expect(reported).toEqual(
      [1, 2, 1, 2, 3].map((n) => `ERR Unable to update store lock (failed=${n} err=connection refused)`),
    );
    await expect(store.flush()).rejects.toEqual(code("sync_failed"));
  });

  row("SQL-Q23 fails to get the lock when the database is gone", async (scene) => {
    const store = await scene.start();
    scene.database.isGone = true;
    await expect(store.acquireLock()).rejects.toEqual(code("lock_failed"));
  });

  row("SQL-Q31 gets a lock that is released while it waits, and keeps it alive", async (scene) => {
    const first = await scene.start();
    await first.acquireLock();
    const second = scene.open();
    const asked = second.acquireLock();
    await first.close();
    expect(await scene.outcome(asked)).toEqual({ kind: "acquired" });
    const [[, before] = []] = await locked(scene);
    await scene.after(3000, async () => {
      const [[, after] = []] = await locked(scene);
      expect(Number(after)).toBeGreaterThan(Number(before));
    });
  });

  row("gives up waiting for the lock when it is closed, and never gets it afterwards", async (scene) => {
    const first = await scene.start();
    await first.acquireLock();
    const [owner] = await locked(scene);
    const clock = new FakeClock();
    const second = scene.open({ clock });
    const asked = second.acquireLock();
    await clock.advanceAsync(2000);
    await second.close();
    expect((await asked).kind).toBe("busy");
    expect(await locked(scene)).toEqual([owner]);
  });
}

function client(id: string): ClientInfo {
  return { id, hbInbox: "hb", connId: new Uint8Array(0), protocol: 1, pingInterval: 0, pingMaxOut: 0 };
}

/** A list of sequences as a driver gives it: bytes, or nothing. */
function listOf(value: unknown): number[] {
  if (!(value instanceof Uint8Array) || value.length === 0) return [];
  const list: unknown = JSON.parse(Buffer.from(value).toString("utf8"));
  return Array.isArray(list) ? list.map(Number).sort((one, other) => one - other) : [];
}
