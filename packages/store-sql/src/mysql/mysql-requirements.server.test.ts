import { afterAll, beforeAll } from "vitest";
import { startMariaDb } from "../../test-support/servers/mariadb-server.ts";
import { SERVER_START_MILLIS_MAX, type SqlServer } from "../../test-support/servers/server-process.ts";
import { serverUnderTest } from "../../test-support/servers/server-requirements.ts";
import { describeSqlRequirements } from "../../test-support/sql-requirements.ts";
import { createMysqlPool } from "./mysql-pool.ts";

let running: SqlServer;

beforeAll(async () => {
  running = await startMariaDb({ durable: false });
}, SERVER_START_MILLIS_MAX);
afterAll(() => running.close(), SERVER_START_MILLIS_MAX);

describeSqlRequirements(
  serverUnderTest({
    driver: "mysql",
    server: () => running,
    createPool: (options) => createMysqlPool(options),
  }),
);
