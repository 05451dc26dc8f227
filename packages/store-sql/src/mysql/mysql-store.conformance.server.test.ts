import { describeStore } from "@nats-streaming/store-conformance";
import { afterAll, beforeAll } from "vitest";
import { startMariaDb } from "../../test-support/servers/mariadb-server.ts";
import { fullSchema } from "../../test-support/servers/schemas.ts";
import { SERVER_START_MILLIS_MAX, type SqlServer } from "../../test-support/servers/server-process.ts";
import { serverStore } from "../../test-support/servers/server-store.ts";
import { createMysqlPool } from "./mysql-pool.ts";

let running: SqlServer;

beforeAll(async () => {
  running = await startMariaDb({ durable: false });
}, SERVER_START_MILLIS_MAX);
afterAll(() => running.close(), SERVER_START_MILLIS_MAX);

const common = {
  driver: "mysql",
  server: () => running,
  createPool: (options: Parameters<typeof createMysqlPool>[0]) => createMysqlPool(options),
} as const;

describeStore(serverStore({ ...common, name: "SQL store on MariaDB", schema: fullSchema("mysql") }));
describeStore(
  serverStore({
    ...common,
    name: "SQL store on MariaDB without caching",
    schema: fullSchema("mysql"),
    options: { noCaching: true, cacheBytes: 0 },
  }),
);
