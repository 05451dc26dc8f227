import { afterAll, beforeAll } from "vitest";
import { startPostgres } from "../../test-support/servers/postgres-server.ts";
import { SERVER_START_MILLIS_MAX, type SqlServer } from "../../test-support/servers/server-process.ts";
import { serverUnderTest } from "../../test-support/servers/server-requirements.ts";
import { describeSqlRequirements } from "../../test-support/sql-requirements.ts";
import { createPostgresPool } from "./postgres-pool.ts";

let running: SqlServer;

beforeAll(async () => {
  running = await startPostgres({ durable: false });
}, SERVER_START_MILLIS_MAX);
afterAll(() => running.close(), SERVER_START_MILLIS_MAX);

describeSqlRequirements(
  serverUnderTest({
    driver: "postgres",
    server: () => running,
    createPool: (options) => createPostgresPool(options),
  }),
);
