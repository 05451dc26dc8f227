import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { errorText } from "@nats-streaming/kernel";
import type { ClientConfig } from "pg";
import { DatabaseError, type DatabaseFacts, type DriverOptions, type SessionPool } from "../database.ts";
import type { ServerConnection, ServerDriver } from "../servers/server-driver.ts";
import { createServerPool } from "../servers/server-pool.ts";
import { deadlinesOf } from "../servers/socket-deadline.ts";
import { connectPostgres, type PostgresConnection } from "./postgres-connection.ts";
import { postgresDialect } from "./postgres-dialect.ts";
import { classifyPostgresError } from "./postgres-errors.ts";
import { type PostgresSource, type PostgresTls, parsePostgresSource } from "./postgres-source.ts";

type PostgresModule = typeof import("pg");

/** As the original's driver has it. */
const DEFAULT_HOST = "localhost";

/** Characters that the columns for names take in the original's schema. */
const NAME_LENGTH_MAX = 1024;

/**
 * Sessions of a PostgreSQL server, over the module `pg`, which is loaded by `open`.
 * @param load replaced by tests
 * @throws DatabaseError `bad_source`
 * @see sql-store.md 2
 */
export function createPostgresPool(
  options: DriverOptions,
  load: () => Promise<PostgresModule> = () => import("pg"),
): SessionPool {
  const source = parsePostgresSource(options.source, process.env);
  const deadlines = deadlinesOf(source);
  let module: PostgresModule | undefined;
  let config: ClientConfig = {};

  const driver: ServerDriver = {
    dialect: postgresDialect,
    patienceMillis: deadlines.readMillis,
    async load(): Promise<void> {
      config = clientConfig(source);
      try {
        module = await load();
      } catch (cause) {
        const text = 'sql: the driver "postgres" needs the module pg: npm install pg';
        throw new DatabaseError("driver_missing", text, { cause });
      }
    },
    async connect(): Promise<PostgresConnection> {
      if (module === undefined) await driver.load();
      return connectPostgres({
        Client: module!.default.Client,
        config,
        clock: options.clock,
        deadlines,
        connectMillis: source.connectTimeoutMillis || deadlines.readMillis,
        bulkInsertLimit: options.bulkInsertLimit,
      });
    },
    async inspect(_connection: ServerConnection, hasRedeliveries: boolean): Promise<DatabaseFacts> {
      return { maxMessageBytes: Number.POSITIVE_INFINITY, maxNameLength: NAME_LENGTH_MAX, hasRedeliveries };
    },
    classify: classifyPostgresError,
    endOnServer,
  };
  return createServerPool({ driver, ...options });
}

/** Row level is enough: a role may end its own sessions. */
const END_SESSION =
  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start::text = $2";

async function endOnServer(connection: ServerConnection, lost: ServerConnection): Promise<boolean> {
  if (!isPostgres(lost)) return true;
  const { processId, startedAt } = lost.identity;
  const { rows } = await connection.execute("endSession", END_SESSION, [processId, startedAt]);
  return rows.length === 0;
}

function isPostgres(connection: ServerConnection): connection is PostgresConnection {
  return "identity" in connection;
}

function clientConfig(source: PostgresSource): ClientConfig {
  const { settings } = source;
  const own = settings.get("options");
  const options = [...settings]
    .filter(([key]) => key !== "options")
    .map(([key, value]) => `-c ${key}=${value.replace(/[\\ ]/g, "\\$&")}`);
  if (own !== undefined) options.unshift(own);
  return {
    host: source.host ?? process.env["PGHOST"] ?? DEFAULT_HOST,
    application_name: source.applicationName ?? "nats-streaming",
    keepAlive: true,
    ssl: tlsOptions(source.tls),
    ...(source.port === undefined ? {} : { port: source.port }),
    ...(source.user === undefined ? {} : { user: source.user }),
    ...(source.password === undefined ? {} : { password: source.password }),
    ...(source.database === undefined ? {} : { database: source.database }),
    ...(options.length === 0 ? {} : { options: options.join(" ") }),
  };
}

function tlsOptions(tls: PostgresTls): false | ConnectionOptions {
  if (tls.mode === "disable") return false;
  // As the original's driver has it: "require" with a root certificate checks the chain too.
  const isChecked = tls.mode !== "require" || tls.rootCertificate !== undefined;
  return {
    rejectUnauthorized: isChecked,
    ...(tls.mode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
    ...(tls.rootCertificate === undefined ? {} : { ca: readPem("sslrootcert", tls.rootCertificate) }),
    ...(tls.certificate === undefined ? {} : { cert: readPem("sslcert", tls.certificate) }),
    ...(tls.key === undefined ? {} : { key: readPem("sslkey", tls.key) }),
  };
}

function readPem(key: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new DatabaseError("bad_source", `${key} of the data source: ${errorText(cause)}`, { cause });
  }
}
