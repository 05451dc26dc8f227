import { describeStore } from "@nats-streaming/store-conformance";
import { afterAll, beforeAll } from "vitest";
import { startPostgres } from "../../test-support/servers/postgres-server.ts";
import { fullSchema } from "../../test-support/servers/schemas.ts";
import { SERVER_START_MILLIS_MAX, type SqlServer } from "../../test-support/servers/server-process.ts";
import { serverStore } from "../../test-support/servers/server-store.ts";
import { createPostgresPool } from "./postgres-pool.ts";

let running: SqlServer;

beforeAll(async () => {
  running = await startPostgres({ durable: false });
}, SERVER_START_MILLIS_MAX);
afterAll(() => running.close(), SERVER_START_MILLIS_MAX);

const common = {
  driver: "postgres",
  server: () => running,
  createPool: (options: Parameters<typeof createPostgresPool>[0]) => createPostgresPool(options),
} as const;

describeStore(serverStore({ ...common, name: "SQL store on PostgreSQL", schema: fullSchema("postgres") }));
describeStore(
  serverStore({
    ...common,
    name: "SQL store on PostgreSQL without caching",
    schema: fullSchema("postgres"),
    options: { noCaching: true, cacheBytes: 0 },
  }),
);
