import { describeDisasters } from "../../test-support/servers/describe-disasters.ts";
import { startPostgres } from "../../test-support/servers/postgres-server.ts";

describeDisasters({ driver: "postgres", startServer: () => startPostgres({ durable: true }) });
