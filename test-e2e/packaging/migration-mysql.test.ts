import { startMariaDb } from "../../packages/store-sql/test-support/servers/mariadb-server.ts";
import { describeSqlMigration } from "./describe-sql-migration.ts";

describeSqlMigration("MariaDB", "mysql", startMariaDb);
