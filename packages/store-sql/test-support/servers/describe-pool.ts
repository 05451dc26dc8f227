import { systemClock } from "@nats-streaming/kernel";
import { recordingLogger } from "@nats-streaming/kernel/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { DriverOptions, PooledSession, SessionPool, SqlParam } from "../../src/database.ts";
import type { Dialect } from "../../src/dialect.ts";
import { bigintOf, bytesOf, numberOf, textOf } from "../../src/sql-values.ts";
import type { StatementName } from "../../src/statement-name.ts";
import { columnsOf, type TestMessage, testMessages } from "./messages.ts";
import { fullSchema, originalSchema } from "./schemas.ts";
import { SERVER_START_MILLIS_MAX, type SqlServer } from "./server-process.ts";

export interface PoolUnderTest {
  readonly driver: "postgres" | "mysql";
  readonly dialect: Dialect;
  readonly startServer: () => Promise<SqlServer>;
  readonly createPool: (options: DriverOptions) => SessionPool;
  /** Makes a user who may have two connections only; statements in order. */
  readonly limitedUser: (name: string, password: string) => readonly string[];
  /** Statements that hold the table Messages against everybody until their connection ends. */
  readonly holdMessages: readonly string[];
  /** The data source of another user. */
  readonly sourceOf: (server: SqlServer, database: string, user: string, password: string) => string;
}

/** What both kinds of pool promise, against a real server. To be called at the top level of a test file. */
export function describePool(subject: PoolUnderTest): void {
  let server: SqlServer;
  let databases = 0;

  beforeAll(async () => {
    server = await subject.startServer();
  }, SERVER_START_MILLIS_MAX);
  afterAll(() => server.close(), SERVER_START_MILLIS_MAX);

  const newDatabase = async (schema = fullSchema(subject.driver)): Promise<string> => {
    const database = `pool_${++databases}`;
    await server.createDatabase(database, schema);
    return database;
  };

  const poolOn = (database: string, options: Partial<DriverOptions> = {}): SessionPool => {
    const pool = subject.createPool({
      source: server.source(database),
      maxOpenConns: 0,
      bulkInsertLimit: 0,
      clock: systemClock(),
      logger: recordingLogger(),
      ...options,
    });
    onTestFinished(() => pool.close());
    return pool;
  };

  const openPool = async (options: Partial<DriverOptions> = {}): Promise<SessionPool> => {
    const pool = poolOn(await newDatabase(), options);
    await pool.open();
    return pool;
  };

  const inTransaction = async (pool: SessionPool, work: (session: PooledSession) => Promise<void>): Promise<void> => {
    const session = await pool.acquire();
    try {
      await session.begin();
      await work(session);
      await session.commit();
    } finally {
      session.release();
    }
  };

  const storedMessages = async (pool: SessionPool, channel: number): Promise<PrintedMessage[]> => {
    const session = await pool.acquire();
    try {
      const data = await session.query("selectMessages", [channel, 0, Number.MAX_SAFE_INTEGER, 1_000_000]);
      const sizes = await session.query("selectSizesFrom", [channel, 0, 1_000_000]);
      return data.map(([sequence, bytes], i) => {
        expect(numberOf(sizes[i]?.[1])).toBe(bytesOf(bytes).length);
        return {
          channel,
          sequence: numberOf(sequence),
          timestamp: bigintOf(sizes[i]?.[2]),
          data: hex(bytesOf(bytes)),
        };
      });
    } finally {
      session.release();
    }
  };

  const storeMessages = (pool: SessionPool, messages: readonly TestMessage[]): Promise<void> =>
    inTransaction(pool, (session) => session.insertMessages(columnsOf(messages), 0, messages.length));

  describe("opening", () => {
    it("finds the tables of the original without ours", async () => {
      const pool = poolOn(await newDatabase(originalSchema(subject.driver)));
      const facts = await pool.open();
      expect(facts.hasRedeliveries).toBe(false);
      expect(facts.maxMessageBytes).toBe(subject.driver === "mysql" ? 65_535 : Number.POSITIVE_INFINITY);
      expect(facts.maxNameLength).toBe(1024);
    });

    it("finds the tables with ours, which take longer messages", async () => {
      const facts = await poolOn(await newDatabase()).open();
      expect(facts.hasRedeliveries).toBe(true);
      expect(facts.maxMessageBytes).toBeGreaterThan(8_000_000);
    });

    it.each(["StoreLock", "Messages", "SubsPending"])("fails when table %s is missing", async (table) => {
      const database = await newDatabase();
      await server.query(database, `DROP TABLE ${table}`);
      const opening = poolOn(database).open();
      await expect(opening).rejects.toMatchObject({
        code: "schema_missing",
        message: expect.stringMatching(new RegExp(`^unable to prepare statement ".*${table}.*": `)),
      });
    });

    it("fails when a column is missing", async () => {
      const database = await newDatabase();
      await server.query(database, "ALTER TABLE Clients DROP COLUMN proto");
      await expect(poolOn(database).open()).rejects.toMatchObject({ code: "schema_missing" });
    });

    it("says what a server says who does not know the password, without repeating it", async () => {
      const database = await newDatabase();
      const source = subject.sourceOf(server, database, server.user, "wrong-hush");
      const failure = await poolOn(database, { source })
        .open()
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "refused" });
      expect(String(failure)).not.toContain("hush");
    });

    it("fails when nobody listens", async () => {
      const database = await newDatabase();
      const source = server.source(database).replace(`${server.port}`, "1");
      await expect(poolOn(database, { source }).open()).rejects.toMatchObject({
        code: "connection_lost",
        message: expect.stringContaining("ECONNREFUSED"),
      });
    });

    it("makes the tables", async () => {
      const pool = poolOn(await newDatabase(""));
      const statements = fullSchema(subject.driver)
        .replaceAll(/^ *--.*$/gm, "")
        .split(/;$/m)
        .map((text) => text.trim())
        .filter((text) => text !== "");
      await pool.createSchema(statements);
      await pool.createSchema(statements);
      expect(await pool.open()).toMatchObject({ hasRedeliveries: true });
    });
  });

  describe("statements", () => {
    it("understands each of them with parameters of every kind", async () => {
      const pool = await openPool();
      const session = await pool.acquire();
      onTestFinished(() => session.release());
      for (const name of namesOf(subject.dialect.statements)) {
        const text = subject.dialect.statements[name];
        const count = Math.max(text.split("?").length - 1, ...[...text.matchAll(/\$(\d+)/g)].map((m) => Number(m[1])));
        const params: SqlParam[] = new Array<SqlParam>(count).fill(1);
        for (const [i, column] of bytesAndTextOf(name).entries())
          if (column !== undefined && i < count) params[i] = column;
        await session.begin();
        await session.run(name, params);
        await session.rollback();
      }
    });

    it("gives back integers to the last digit, bytes, and text in any script", async () => {
      const pool = await openPool();
      const name = "日本.\u{10ffff}.ü.👍";
      await inTransaction(pool, async (session) => {
        await session.run("insertChannel", [1, name, 2 ** 31 - 1, 2 ** 53 - 1, 2n ** 63n - 1n]);
        await session.run("updateMaxSequence", [2n ** 53n + 1n, 1]);
        await session.run("insertClient", ["c1", "_INBOX.ü", Uint8Array.of(0, 255, 10, 39, 92)]);
      });
      const session = await pool.acquire();
      onTestFinished(() => session.release());
      const [channel] = await session.query("selectChannels", []);
      expect(channel?.slice(0, 2).concat(channel.slice(2).map((value) => `${value}`))).toEqual([
        1,
        name,
        `${2n ** 53n + 1n}`,
        `${2 ** 31 - 1}`,
        `${2 ** 53 - 1}`,
        `${2n ** 63n - 1n}`,
      ]);
      const [client] = await session.query("selectClients", []);
      expect([textOf(client?.[0]), textOf(client?.[1])]).toEqual(["c1", "_INBOX.ü"]);
      expect([...bytesOf(client?.[2])]).toEqual([0, 255, 10, 39, 92]);
    });

    it("writes nothing as the original does, and counts rows that matched without changing", async () => {
      const pool = await openPool();
      await inTransaction(pool, async (session) => {
        await session.run("insertPendingBlock", [1, 1, 5, new Uint8Array(0), Buffer.from("[1]")]);
        await session.run("upsertSubscription", [1, 7, Buffer.from("a")]);
        await session.run("upsertSubscription", [1, 7, Buffer.from("a")]);
        expect(await session.run("updateLastSent", [3, 1, 7])).toBe(1);
        expect(await session.run("updateLastSent", [3, 1, 7])).toBe(1);
        expect(await session.run("updateLastSent", [3, 1, 8])).toBe(0);
      });
      const session = await pool.acquire();
      onTestFinished(() => session.release());
      const [row] = await session.query("selectPending", [0, 0, 0, 10]);
      const nothing = subject.driver === "mysql" ? null : Buffer.alloc(0);
      expect(row?.slice(4)).toEqual([nothing, Buffer.from("[1]")]);
      expect(await session.query("selectSubscriptions", [])).toHaveLength(1);
    });

    it("names the statement that failed, and goes on after a rollback", async () => {
      const pool = await openPool();
      const session = await pool.acquire();
      onTestFinished(() => session.release());
      await session.begin();
      await session.run("insertChannel", [1, "a", 0, 0, 0]);
      await expect(session.run("insertChannel", [1, "a", 0, 0, 0])).rejects.toMatchObject({
        code: "invalid",
        isOutcomeUnknown: false,
        message: expect.stringMatching(/^sql: error executing "INSERT INTO Channels .*": .*[Dd]uplicate/),
      });
      await session.rollback();
      await session.begin();
      await session.run("insertChannel", [1, "a", 0, 0, 0]);
      await session.commit();
      expect(await session.query("selectChannels", [])).toHaveLength(1);
    });

    it("rolls back a transaction whose session is given back in the middle", async () => {
      const pool = await openPool();
      const session = await pool.acquire();
      await session.begin();
      await session.run("insertChannel", [1, "a", 0, 0, 0]);
      session.release();
      const next = await pool.acquire();
      onTestFinished(() => next.release());
      expect(await next.query("selectChannels", [])).toEqual([]);
    });
  });

  describe("messages", () => {
    it("stores and reads them by hundreds, byte for byte", async () => {
      const pool = await openPool();
      const messages = [...testMessages(1, 1, 777, 100), ...testMessages(2, 5, 3, 0), ...testMessages(2, 8, 2, 70_000)];
      await storeMessages(pool, messages);
      expect(await storedMessages(pool, 1)).toEqual(printed(messages.slice(0, 777)));
      expect(await storedMessages(pool, 2)).toEqual(printed(messages.slice(777)));
    });

    it("stores sequences and timestamps to the last digit", async () => {
      const pool = await openPool();
      const messages: TestMessage[] = [
        { channel: 2 ** 31 - 1, sequence: 2 ** 32 - 1, timestamp: -1n, data: Uint8Array.of(1) },
        { channel: 2 ** 31 - 1, sequence: 2 ** 32, timestamp: 2n ** 63n - 1n, data: Uint8Array.of(2) },
        { channel: 2 ** 31 - 1, sequence: 2 ** 53 - 2, timestamp: 0n, data: Uint8Array.of(3) },
      ];
      await storeMessages(pool, messages);
      expect(await storedMessages(pool, 2 ** 31 - 1)).toEqual(printed(messages));
    });

    it("stores a range of a batch", async () => {
      const pool = await openPool();
      const messages = testMessages(1, 1, 20, 10);
      await inTransaction(pool, (session) => session.insertMessages(columnsOf(messages), 5, 17));
      expect(await storedMessages(pool, 1)).toEqual(printed(messages.slice(5, 17)));
    });

    it("keeps to the limit of messages per statement", async () => {
      const pool = await openPool({ bulkInsertLimit: 10 });
      for (const [from, count] of [
        [1, 126],
        [127, 8],
        [135, 1],
      ] as const) {
        await storeMessages(pool, testMessages(1, from, count, 20));
      }
      expect(await storedMessages(pool, 1)).toEqual(printed(testMessages(1, 1, 135, 20)));
    });

    it("divides a batch that is too long for one statement", async () => {
      const pool = await openPool();
      const messages = testMessages(1, 1, 12, 1_000_000);
      await storeMessages(pool, messages);
      expect(await storedMessages(pool, 1)).toEqual(printed(messages));
    });

    it("stores none of a transaction in which one is refused", async () => {
      const pool = await openPool();
      await storeMessages(pool, testMessages(1, 5, 1, 10));
      await expect(storeMessages(pool, testMessages(1, 1, 700, 10))).rejects.toMatchObject({
        code: "invalid",
        message: expect.stringMatching(/^sql: error executing "INSERT INTO Messages/),
      });
      expect(await storedMessages(pool, 1)).toEqual(printed(testMessages(1, 5, 1, 10)));
    });
  });

  describe("connections", () => {
    it("are not more than allowed: who comes later waits", async () => {
      const pool = await openPool({ maxOpenConns: 2 });
      const first = await pool.acquire();
      const second = await pool.acquire();
      let third: PooledSession | undefined;
      const waiting = pool.acquire().then((session) => {
        third = session;
      });
      await first.query("selectChannels", []);
      expect(third).toBeUndefined();
      first.release();
      await waiting;
      expect(await third?.query("selectChannels", [])).toEqual([]);
      third?.release();
      second.release();
    });

    it("make do with what the server gives when it has too many clients", async () => {
      const database = await newDatabase();
      for (const text of subject.limitedUser("limited", "pw")) await server.query(database, text);
      const pool = poolOn(database, { source: subject.sourceOf(server, database, "limited", "pw") });
      await pool.open();
      const first = await pool.acquire();
      const second = await pool.acquire();
      const third = pool.acquire();
      second.release();
      const session = await third;
      expect(await session.query("selectChannels", [])).toEqual([]);
      session.release();
      first.release();
    });

    it("that were cut in mid-transaction leave nothing, and the next one works", async () => {
      const database = await newDatabase();
      const pool = poolOn(database);
      await pool.open();
      const session = await pool.acquire();
      await session.begin();
      await session.insertMessages(columnsOf(testMessages(1, 1, 10, 10)), 0, 10);
      expect(await server.cutConnections(database)).toBeGreaterThan(0);
      await expect(session.insertMessages(columnsOf(testMessages(1, 11, 10, 10)), 0, 10)).rejects.toMatchObject({
        code: "connection_lost",
        isOutcomeUnknown: false,
      });
      await expect(session.commit()).rejects.toMatchObject({ code: "connection_lost" });
      session.release();
      expect(await storedMessages(pool, 1)).toEqual([]);
    });

    it("that were cut while idle are replaced", async () => {
      const database = await newDatabase();
      const pool = poolOn(database);
      await pool.open();
      const idle = await pool.acquire();
      idle.release();
      await server.cutConnections(database);
      // The server has ended it, but the news may still be on its way.
      await expect.poll(() => storedMessages(pool, 1).catch(() => undefined)).toEqual([]);
    });

    it("end what waits for a lock longer than the deadline, on the server too", async () => {
      const database = await newDatabase();
      const pool = poolOn(database, { source: server.source(database, { readTimeout: "300ms" }) });
      await pool.open();
      const holder = await server.hold(database, subject.holdMessages);
      await expect(storeMessages(pool, testMessages(1, 1, 1, 1))).rejects.toMatchObject({
        code: "connection_lost",
        message: expect.stringContaining("i/o timeout: the database has not answered for 300ms"),
      });
      await holder.release();
      expect(await storedMessages(pool, 1)).toEqual([]);
    });

    it("refuse after closing, which waits for what is under way", async () => {
      const pool = await openPool();
      const session = await pool.acquire();
      let isClosed = false;
      const closing = pool.close().then(() => {
        isClosed = true;
      });
      await expect(pool.acquire()).rejects.toMatchObject({ code: "closed" });
      expect(await session.query("selectChannels", [])).toEqual([]);
      expect(isClosed).toBe(false);
      session.release();
      await closing;
      await pool.close();
    });
  });

  describe("a blocked server", () => {
    it("fails calls within their deadlines, and what it was asked last is settled before anything else", async () => {
      const database = await newDatabase();
      const deadlines = { readTimeout: "300ms", writeTimeout: "300ms" };
      const pool = poolOn(database, { source: server.source(database, deadlines) });
      await pool.open();
      const session = await pool.acquire();
      await session.begin();
      await session.insertMessages(columnsOf(testMessages(1, 1, 10, 10)), 0, 10);
      server.pause();
      try {
        await expect(session.commit()).rejects.toMatchObject({ code: "connection_lost", isOutcomeUnknown: true });
        session.release();
        await expect(pool.acquire()).rejects.toMatchObject({ code: "connection_lost" });
      } finally {
        server.resume();
      }
      const found = await storedMessages(pool, 1);
      expect([0, 10]).toContain(found.length);
      // Nothing is left on the server that could change it.
      expect(await sessionsOf(server, subject, database)).toBe(1);
      expect(await storedMessages(pool, 1)).toEqual(found);
    });
  });

  describe("a killed server", () => {
    it("fails calls at once, and works again when it is back", async () => {
      const database = await newDatabase();
      const pool = poolOn(database);
      await pool.open();
      await storeMessages(pool, testMessages(1, 1, 5, 10));
      const session = await pool.acquire();
      await session.begin();
      await server.kill();
      await expect(session.query("selectChannels", [])).rejects.toMatchObject({ code: "connection_lost" });
      session.release();
      await expect(pool.acquire()).rejects.toMatchObject({ code: "connection_lost" });
      await server.start();
      expect(await storedMessages(pool, 1)).toEqual(printed(testMessages(1, 1, 5, 10)));
    });
  });
}

/** As text, which compares fast however long it is. */
interface PrintedMessage extends Omit<TestMessage, "data"> {
  readonly data: string;
}

function printed(messages: readonly TestMessage[]): PrintedMessage[] {
  return messages.map((message) => ({ ...message, data: hex(message.data) }));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

function namesOf(statements: Dialect["statements"]): StatementName[] {
  return Object.keys(statements).filter((name): name is StatementName => name in statements);
}

/** Parameters that are no integers, by place. */
function bytesAndTextOf(name: StatementName): readonly (SqlParam | undefined)[] {
  const bytes = Uint8Array.of(1, 2, 3);
  switch (name) {
    case "insertServerInfo":
    case "updateServerInfo":
      return ["id", bytes];
    case "insertClient":
      return ["id", "inbox", bytes];
    case "upsertSubscription":
      return [undefined, undefined, bytes];
    case "insertPendingBlock":
      return [undefined, undefined, undefined, bytes, new Uint8Array(0)];
    case "insertChannel":
      return [undefined, "name"];
    case "lockTable":
      return [];
    default:
      return /[lL]ock|Client/.test(name) ? ["id"] : [];
  }
}

async function sessionsOf(server: SqlServer, subject: PoolUnderTest, database: string): Promise<number> {
  const text =
    subject.driver === "postgres"
      ? "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"
      : "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = ?";
  const [row] = await server.query(subject.driver === "postgres" ? "postgres" : "", text, [database]);
  return Number(row?.[0]);
}
