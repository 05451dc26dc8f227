import { systemClock } from "@nats-streaming/kernel";
import { recordingLogger } from "@nats-streaming/kernel/testing";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { describePool } from "../../test-support/servers/describe-pool.ts";
import { startPostgres } from "../../test-support/servers/postgres-server.ts";
import { fullSchema } from "../../test-support/servers/schemas.ts";
import { SERVER_START_MILLIS_MAX, type SqlServer } from "../../test-support/servers/server-process.ts";
import type { SessionPool } from "../database.ts";
import { postgresDialect } from "./postgres-dialect.ts";
import { createPostgresPool } from "./postgres-pool.ts";

describePool({
  driver: "postgres",
  dialect: postgresDialect,
  startServer: () => startPostgres({ durable: true }),
  createPool: (options) => createPostgresPool(options),
  limitedUser: (name, password) => [
    `CREATE ROLE ${name} LOGIN PASSWORD '${password}' CONNECTION LIMIT 2`,
    `GRANT ALL ON ALL TABLES IN SCHEMA public TO ${name}`,
  ],
  holdMessages: ["BEGIN", "LOCK TABLE Messages"],
  sourceOf: (server, database, user, password) =>
    `postgres://${user}:${password}@127.0.0.1:${server.port}/${database}?sslmode=disable`,
});

describe("a PostgreSQL data source", () => {
  let server: SqlServer;

  beforeAll(async () => {
    server = await startPostgres({ durable: false });
    await server.createDatabase("nss", "");
    await server.query("nss", "CREATE SCHEMA streaming");
    await server.query("nss", `SET search_path = streaming; ${fullSchema("postgres")}`);
    await server.query("nss", "ALTER ROLE stan SET search_path = streaming");
  }, SERVER_START_MILLIS_MAX);
  afterAll(() => server.close(), SERVER_START_MILLIS_MAX);

  const poolOf = (source: string): SessionPool => {
    const pool = createPostgresPool({
      source,
      maxOpenConns: 0,
      bulkInsertLimit: 0,
      clock: systemClock(),
      logger: recordingLogger(),
    });
    onTestFinished(() => pool.close());
    return pool;
  };

  const urlOf = (host: string, params: string): string =>
    `postgres://${server.user}:${encodeURIComponent(server.password)}@${host}:${server.port}/nss?${params}`;

  it("is understood as pairs and as a URL", async () => {
    expect(await poolOf(server.source("nss")).open()).toMatchObject({ hasRedeliveries: true });
    expect(await poolOf(urlOf("localhost", "sslmode=disable&readTimeout=5s")).open()).toBeDefined();
  });

  it("reaches a unix socket", async () => {
    const source = server.source("nss").replace("host=127.0.0.1", `host=${server.socketFolder}`);
    expect(await poolOf(source).open()).toBeDefined();
  });

  it("sets what it does not know for the session", async () => {
    await expect(poolOf(urlOf("localhost", "sslmode=disable&search_path=pg_catalog")).open()).rejects.toMatchObject({
      code: "schema_missing",
    });
    await expect(poolOf(urlOf("localhost", "sslmode=disable&no_such_setting=1")).open()).rejects.toThrow(
      'unrecognized configuration parameter "no_such_setting"',
    );
  });

  it("has the locks of a transaction let go of whose server says nothing for five seconds", async () => {
    const pool = poolOf(server.source("nss"));
    await pool.open();
    const session = await pool.acquire();
    onTestFinished(() => session.release());
    await session.begin();
    await session.run("lockTable", []);
    // Waits for the lock.
    await server.query("nss", "BEGIN; LOCK TABLE streaming.StoreLock; COMMIT");
    await expect(session.query("selectLock", [])).rejects.toMatchObject({ code: "connection_lost" });
  });

  it("leaves that time alone where the data source names one", async () => {
    const pool = poolOf(`${server.source("nss")} idle_in_transaction_session_timeout=200`);
    await pool.open();
    const session = await pool.acquire();
    onTestFinished(() => session.release());
    await session.begin();
    await session.run("lockTable", []);
    const start = performance.now();
    await server.query("nss", "BEGIN; LOCK TABLE streaming.StoreLock; COMMIT");
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it("asks for TLS by itself, and checks what it is told to check", async () => {
    expect(await poolOf(urlOf("127.0.0.1", "")).open()).toBeDefined();
    const root = `sslrootcert=${server.certificate}`;
    expect(await poolOf(urlOf("localhost", `sslmode=verify-full&${root}`)).open()).toBeDefined();
    expect(await poolOf(urlOf("127.0.0.1", `sslmode=verify-ca&${root}`)).open()).toBeDefined();
    await expect(poolOf(urlOf("127.0.0.1", `sslmode=verify-full&${root}`)).open()).rejects.toThrow("127.0.0.1");
    await expect(poolOf(urlOf("localhost", "sslmode=verify-full")).open()).rejects.toThrow("self-signed");
  });

  it("names the certificate file that it cannot read", async () => {
    await expect(poolOf(urlOf("localhost", "sslrootcert=/nowhere.pem")).open()).rejects.toMatchObject({
      code: "bad_source",
      message: expect.stringContaining("sslrootcert of the data source: ENOENT"),
    });
  });

  it("says what to install when the driver is missing", async () => {
    const load = (): Promise<never> => Promise.reject(new Error("Cannot find package 'pg'"));
    const options = { maxOpenConns: 0, bulkInsertLimit: 0, clock: systemClock(), logger: recordingLogger() };
    const pool = createPostgresPool({ source: server.source("nss"), ...options }, load);
    await expect(pool.open()).rejects.toMatchObject({
      code: "driver_missing",
      message: 'sql: the driver "postgres" needs the module pg: npm install pg',
    });
  });
});
