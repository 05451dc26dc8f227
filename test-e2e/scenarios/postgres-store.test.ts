import { startPostgres } from "../../packages/store-sql/test-support/servers/postgres-server.ts";
import { describeSqlServer } from "../harness/describe-sql-server.ts";

describeSqlServer("PostgreSQL", "postgres", startPostgres);
