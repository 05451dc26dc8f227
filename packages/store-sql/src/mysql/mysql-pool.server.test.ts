import { systemClock } from "@nats-streaming/kernel";
import { recordingLogger } from "@nats-streaming/kernel/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { describePool } from "../../test-support/servers/describe-pool.ts";
import { startMariaDb } from "../../test-support/servers/mariadb-server.ts";
import { columnsOf, testMessages } from "../../test-support/servers/messages.ts";
import { originalSchema } from "../../test-support/servers/schemas.ts";
import { SERVER_START_MILLIS_MAX, type SqlServer } from "../../test-support/servers/server-process.ts";
import type { SessionPool } from "../database.ts";
import { mysqlDialect } from "./mysql-dialect.ts";
import { createMysqlPool } from "./mysql-pool.ts";

describePool({
  driver: "mysql",
  dialect: mysqlDialect,
  startServer: () => startMariaDb({ durable: true }),
  createPool: (options) => createMysqlPool(options),
  limitedUser: (name, password) => [
    `CREATE USER ${name} IDENTIFIED BY '${password}' WITH MAX_USER_CONNECTIONS 2`,
    `GRANT ALL ON *.* TO ${name}`,
  ],
  holdMessages: ["LOCK TABLES Messages WRITE"],
  sourceOf: (server, database, user, password) => `${user}:${password}@tcp(127.0.0.1:${server.port})/${database}`,
});

describe("a MySQL data source", () => {
  let server: SqlServer;

  beforeAll(async () => {
    // As some administrators have it: too long values are cut, and text is Latin.
    server = await startMariaDb({ durable: false, settings: ["--sql-mode=", "--character-set-server=latin1"] });
    await server.createDatabase("nss", originalSchema("mysql"));
  }, SERVER_START_MILLIS_MAX);
  afterAll(() => server.close(), SERVER_START_MILLIS_MAX);

  const poolOf = (source: string): SessionPool => {
    const pool = createMysqlPool({
      source,
      maxOpenConns: 0,
      bulkInsertLimit: 0,
      clock: systemClock(),
      logger: recordingLogger(),
    });
    onTestFinished(() => pool.close());
    return pool;
  };

  const addChannel = async (pool: SessionPool, id: number, name: string): Promise<void> => {
    const session = await pool.acquire();
    try {
      await session.run("insertChannel", [id, name, 0, 0, 0]);
    } finally {
      session.release();
    }
  };

  const channelNames = async (pool: SessionPool): Promise<unknown[]> => {
    const session = await pool.acquire();
    try {
      return (await session.query("selectChannels", [])).map(([, name]) => name);
    } finally {
      session.release();
    }
  };

  it("reaches a unix socket", async () => {
    const source = server.source("nss").replace(/tcp\(.*\)/, `unix(${server.socketFolder}/server.sock)`);
    expect(await poolOf(source).open()).toMatchObject({ maxMessageBytes: 65_535 });
  });

  it("refuses a too long message where the server would cut it", async () => {
    const pool = poolOf(server.source("nss"));
    await pool.open();
    const session = await pool.acquire();
    onTestFinished(() => session.release());
    const messages = columnsOf(testMessages(1, 1, 1, 65_536));
    await expect(session.insertMessages(messages, 0, 1)).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringContaining("Data too long for column 'data'"),
    });
  });

  it("refuses a name that the column cannot hold, instead of changing it", async () => {
    const pool = poolOf(server.source("nss"));
    await pool.open();
    await addChannel(pool, 1, "f\u00fcr");
    expect(await channelNames(pool)).toEqual(["f\u00fcr"]);
    await expect(addChannel(pool, 2, "\u65e5\u672c")).rejects.toMatchObject({ code: "invalid" });
    expect(await channelNames(pool)).toEqual(["f\u00fcr"]);
    await server.query("nss", "DELETE FROM Channels");
  });

  it("with another character set sends and takes UTF-8 under its name, as the original does", async () => {
    const pool = poolOf(server.source("nss", { charset: "no_such,latin1" }));
    await pool.open();
    await addChannel(pool, 1, "\u65e5\u672c");
    expect(await channelNames(pool)).toEqual(["\u65e5\u672c"]);
    const [row] = await server.query("nss", "SELECT HEX(name) FROM Channels");
    expect(row).toEqual(["E697A5E69CAC"]);
    await server.query("nss", "DELETE FROM Channels");
  });

  it("sets system variables, and names the one that the server does not know", async () => {
    const pool = poolOf(server.source("nss", { collation: "utf8mb4_bin", lock_wait_timeout: "7" }));
    expect(await pool.open()).toBeDefined();
    await expect(poolOf(server.source("nss", { no_such_thing: "1" })).open()).rejects.toThrow(
      "Unknown system variable 'no_such_thing'",
    );
    await expect(poolOf(server.source("nss", { charset: "no_such" })).open()).rejects.toThrow(
      "Unknown character set: 'no_such'",
    );
  });

  it("keeps to the longest statement that it names", async () => {
    const pool = poolOf(server.source("nss", { maxAllowedPacket: "4096" }));
    expect((await pool.open()).maxMessageBytes).toBeLessThan(4096);
    const session = await pool.acquire();
    onTestFinished(() => session.release());
    await session.begin();
    await session.insertMessages(columnsOf(testMessages(1, 1, 20, 1000)), 0, 20);
    expect(await session.query("selectSizesFrom", [1, 1, 100])).toHaveLength(20);
    await session.rollback();
  });

  it("uses TLS as it is told", async () => {
    for (const tls of ["skip-verify", "preferred"]) {
      expect(await poolOf(server.source("nss", { tls })).open()).toBeDefined();
    }
    await expect(poolOf(server.source("nss", { tls: "true" })).open()).rejects.toThrow("self-signed");
  });

  it("says what to install when the driver is missing", async () => {
    const load = (): Promise<never> => Promise.reject(new Error("Cannot find package 'mysql2'"));
    const options = { maxOpenConns: 0, bulkInsertLimit: 0, clock: systemClock(), logger: recordingLogger() };
    const pool = createMysqlPool({ source: server.source("nss"), ...options }, load);
    await expect(pool.open()).rejects.toMatchObject({
      code: "driver_missing",
      message: 'sql: the driver "mysql" needs the module mysql2: npm install mysql2',
    });
  });
});

describe("a MySQL server without TLS", () => {
  it("is used without TLS when the data source only prefers it", async () => {
    const server = await startMariaDb({ durable: false, settings: ["--skip-ssl"] });
    onTestFinished(() => server.close());
    await server.createDatabase("nss", originalSchema("mysql"));
    const options = { maxOpenConns: 0, bulkInsertLimit: 0, clock: systemClock(), logger: recordingLogger() };
    const preferring = createMysqlPool({ source: server.source("nss", { tls: "preferred" }), ...options });
    expect(await preferring.open()).toBeDefined();
    await preferring.close();
    const insisting = createMysqlPool({ source: server.source("nss", { tls: "skip-verify" }), ...options });
    await expect(insisting.open()).rejects.toThrow("does not support secure connection");
    await insisting.close();
  });
});
