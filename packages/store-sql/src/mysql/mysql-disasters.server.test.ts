import { describeDisasters } from "../../test-support/servers/describe-disasters.ts";
import { startMariaDb } from "../../test-support/servers/mariadb-server.ts";

describeDisasters({ driver: "mysql", startServer: () => startMariaDb({ durable: true }) });
