import { startMariaDb } from "../../packages/store-sql/test-support/servers/mariadb-server.ts";
import { describeSqlServer } from "../harness/describe-sql-server.ts";

describeSqlServer("MariaDB", "mysql", startMariaDb);
