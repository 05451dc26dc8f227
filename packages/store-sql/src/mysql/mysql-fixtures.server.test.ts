import { describeFixtures } from "../../test-support/servers/describe-fixtures.ts";
import { startMariaDb } from "../../test-support/servers/mariadb-server.ts";
import { createMysqlPool } from "./mysql-pool.ts";

describeFixtures({
  driver: "mysql",
  startServer: () => startMariaDb({ durable: false }),
  createPool: (options) => createMysqlPool(options),
});
