import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { silentLogger } from "@nats-streaming/kernel";
import { FakeClock, recordingLogger } from "@nats-streaming/kernel/testing";
import BetterSqlite3 from "better-sqlite3";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { append, limitsOf, read, readAll, type SqlScene, serverInfo } from "../../test-support/database-under-test.ts";
import { sqlitePlace } from "../../test-support/sqlite-place.ts";
import type { Database } from "../database.ts";
import { schemaStatements, sqlSchema } from "../schema.ts";
import { createSqlStore, type SqlStore } from "../sql-store.ts";
import { type EnginePort, inThreadPort } from "./engine-port.ts";
import { createSqliteDatabase } from "./sqlite-database.ts";
import { loadSqlite, SqliteEngine, type SqliteModule } from "./sqlite-engine.ts";
import { parseSqliteSource } from "./sqlite-source.ts";

const place = sqlitePlace();
afterAll(() => place.remove());

const schema = schemaStatements(sqlSchema("sqlite"));

function open(source: string, logger = silentLogger): Database {
  const database = createSqliteDatabase({ source, schema, logger, startEngine: inThreadPort });
  onTestFinished(() => database.close());
  return database;
}

function portOf(engine: SqliteEngine): EnginePort {
  return {
    isAlive: true,
    async request(request) {
      return (await engine.handle(request)) as never;
    },
    async terminate() {},
  };
}

function storeOn(name: string, startEngine: () => EnginePort = inThreadPort): SqlStore {
  const store = createSqlStore({
    driver: "sqlite",
    source: "given",
    clock: new FakeClock(),
    logger: silentLogger,
    retryMillis: 0,
    limits: limitsOf({}),
    openDatabase: () => createSqliteDatabase({ source: place.source(name), schema, logger: silentLogger, startEngine }),
  });
  onTestFinished(async () => {
    await store.close().catch(() => {});
  });
  return store;
}

/** All that `append` needs of a scene. */
const scene = { now: () => 1_700_000_000_000_000_000n } as SqlScene;

describe("SQLite data source", () => {
  it("is a file name, or a URI with options", () => {
    expect(parseSqliteSource("data/stan.db")).toEqual({ path: "data/stan.db", busyMillis: 5000, synchronous: "FULL" });
    expect(parseSqliteSource("file:a%20b.db?synchronous=normal&busy_timeout=1.5s")).toEqual({
      path: "a b.db",
      busyMillis: 1500,
      synchronous: "NORMAL",
    });
    expect(parseSqliteSource("file:///var/stan.db").path).toBe("/var/stan.db");
    expect(parseSqliteSource(":memory:").path).toBe(":memory:");
  });

  it("is refused with an option that is unknown or wrong, with what is right", () => {
    const refused: [string, string][] = [
      ["file:", "there is no file name in it"],
      ["file:a?synchronous=off", 'synchronous must be full or normal, not "off"'],
      ["file:a?busy_timeout=5", "busy_timeout: time: missing unit in duration"],
      ["file:a?cache=1", 'unknown option "cache" (known are busy_timeout and synchronous)'],
    ];
    for (const [source, text] of refused) expect(() => parseSqliteSource(source)).toThrow(text);
  });
});

describe("SQLite database", () => {
  it("makes directory, file and tables, and takes them as they are the next time", async () => {
    const path = `${place.path("new")}.d/deep/stan.db`;
    for (let time = 0; time < 2; time++) {
      const database = open(path);
      expect(await database.open()).toMatchObject({ hasRedeliveries: true, maxMessageBytes: Number.POSITIVE_INFINITY });
      await database.close();
    }
    expect(readFileSync(path).subarray(0, 15).toString()).toBe("SQLite format 3");
  });

  it("keeps its log as long as it will ever be while it is open, so that no commit makes it longer", async () => {
    const path = place.path("log");
    const database = open(path);
    await database.open();
    expect(readFileSync(`${path}-wal`).length).toBeGreaterThan(32 * 1024 * 1024);
    await database.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  it("says what is wrong with a file that is no database, and one of a newer server", async () => {
    const directory = place.path("directory");
    mkdirSync(directory);
    await expect(open(directory).open()).rejects.toThrow(`unable to open the SQLite database "${directory}": `);
    const newer = new BetterSqlite3(place.path("newer"));
    newer.pragma("user_version = 9");
    newer.close();
    const text = "its tables are of version 9, made by a newer server";
    await expect(open(place.path("newer")).open()).rejects.toThrow(text);
  });

  it("names the statement that cannot be prepared because of a missing table", async () => {
    const foreign = new BetterSqlite3(place.path("foreign"));
    foreign.exec("CREATE TABLE Messages (id INTEGER)");
    foreign.pragma("user_version = 1");
    foreign.close();
    const failed = open(place.path("foreign")).open();
    await expect(failed).rejects.toMatchObject({ code: "schema_missing" });
    const text = 'unable to prepare statement "SELECT id, tick FROM StoreLock": no such table: StoreLock';
    await expect(failed).rejects.toThrow(text);
  });

  it("says what to install when its driver is missing", async () => {
    const missing = (): Promise<never> => Promise.reject(new Error("Cannot find package 'better-sqlite3'"));
    const engine = new SqliteEngine(() => loadSqlite(missing));
    const opened = engine.handle({ kind: "open", source: parseSqliteSource(":memory:"), schema });
    await expect(opened).rejects.toMatchObject({ code: "driver_missing" });
    await expect(opened).rejects.toThrow("npm install better-sqlite3 (Cannot find package 'better-sqlite3')");
  });

  it("SQL-Q32 ends a write that is blocked by another process after the busy timeout, and works afterwards", async () => {
    const store = storeOn("busy");
    await store.recover();
    await store.init(serverInfo("c"));
    const log = store.createChannel("foo").messages;
    append(scene, log, 2);
    await store.flush();
    const other = new BetterSqlite3(place.path("busy"));
    other.exec("BEGIN IMMEDIATE");
    append(scene, log, 1);
    await expect(store.flush()).rejects.toMatchObject({ code: "write_failed", message: "database is locked" });
    expect(await read(log, 2)).toBe(2);
    other.exec("ROLLBACK");
    other.close();
    append(scene, log, 1);
    await store.flush();
    expect(await readAll(log)).toEqual([1, 2, 3]);
  });

  it("refuses a batch that does not fit on the disk, and takes the next one when there is room", async () => {
    const connections: BetterSqlite3.Database[] = [];
    class Watched extends BetterSqlite3 {
      constructor(path: string, options: BetterSqlite3.Options) {
        super(path, options);
        connections.push(this);
      }
    }
    const store = storeOn("full", () => portOf(new SqliteEngine(async () => Watched as unknown as SqliteModule)));
    await store.recover();
    await store.init(serverInfo("c"));
    const log = store.createChannel("foo").messages;
    append(scene, log, 2);
    await store.flush();
    const pages = Number(connections[0]?.pragma("page_count", { simple: true }));
    connections[0]?.pragma(`max_page_count = ${pages}`);
    append(scene, log, 3, 20_000);
    await expect(store.flush()).rejects.toMatchObject({
      code: "write_failed",
      message: expect.stringMatching(/^sql: error executing "INSERT INTO Messages .*": database or disk is full$/),
    });
    expect(await readAll(log)).toEqual([1, 2]);
    connections[0]?.pragma("max_page_count = 1000000");
    append(scene, log, 1, 20_000);
    await store.flush();
    expect(await readAll(log)).toEqual([1, 2, 3]);
  });

  it("drops a change that the database never accepts, and goes on with all others", async () => {
    const logger = recordingLogger();
    const store = createSqlStore({
      driver: "sqlite",
      source: "given",
      clock: new FakeClock(),
      logger,
      retryMillis: 0,
      openDatabase: () => place.open("poison"),
    });
    onTestFinished(() => store.close());
    await store.recover();
    await store.init(serverInfo("c"));
    const foo = store.createChannel("foo").messages;
    append(scene, foo, 1);
    await store.flush();
    const other = new BetterSqlite3(place.path("poison"));
    other.exec("INSERT INTO Channels (id, name) VALUES (2, 'taken')");
    other.close();
    const bar = store.createChannel("bar").messages;
    append(scene, foo, 1);
    append(scene, bar, 1);
    await expect(store.flush()).rejects.toMatchObject({ code: "write_failed" });
    store.deleteClient("x");
    await store.flush();
    expect(logger.lines.some((line) => line.includes("The database does not take a change, which is dropped"))).toBe(
      true,
    );
    expect(() => append(scene, bar, 1)).toThrow("UNIQUE constraint failed: Channels.id");
    append(scene, foo, 2);
    await store.flush();
    expect(await readAll(foo)).toEqual([1, 2, 3]);
  });
});
