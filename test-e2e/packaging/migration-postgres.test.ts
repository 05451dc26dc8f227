import { startPostgres } from "../../packages/store-sql/test-support/servers/postgres-server.ts";
import { describeSqlMigration } from "./describe-sql-migration.ts";

describeSqlMigration("PostgreSQL", "postgres", startPostgres);
