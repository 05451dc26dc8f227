import { describeFixtures } from "../../test-support/servers/describe-fixtures.ts";
import { startPostgres } from "../../test-support/servers/postgres-server.ts";
import { createPostgresPool } from "./postgres-pool.ts";

describeFixtures({
  driver: "postgres",
  startServer: () => startPostgres({ durable: false }),
  createPool: (options) => createPostgresPool(options),
});
