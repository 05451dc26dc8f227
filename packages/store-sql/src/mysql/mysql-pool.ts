import type { ConnectionOptions, SslOptions } from "mysql2/promise";
import { DatabaseError, type DatabaseFacts, type DriverOptions, type SessionPool } from "../database.ts";
import type { ServerConnection, ServerDriver } from "../servers/server-driver.ts";
import { createServerPool } from "../servers/server-pool.ts";
import { deadlinesOf } from "../servers/socket-deadline.ts";
import { connectMysql, type MysqlConnection, messageBytesWithin } from "./mysql-connection.ts";
import { mysqlDialect } from "./mysql-dialect.ts";
import { classifyMysqlError } from "./mysql-errors.ts";
import { type MysqlSource, parseMysqlSource } from "./mysql-source.ts";

type MysqlModule = typeof import("mysql2/promise");

/** Characters that the columns for names take in the original's schema. */
const NAME_LENGTH_MAX = 1024;

/**
 * Sessions of a MySQL or MariaDB server, over the module `mysql2`, which is loaded by `open`.
 * @param load replaced by tests
 * @throws DatabaseError `bad_source`
 * @see sql-store.md 2
 */
export function createMysqlPool(
  options: DriverOptions,
  load: () => Promise<MysqlModule> = () => import("mysql2/promise"),
): SessionPool {
  const source = parseMysqlSource(options.source);
  const deadlines = deadlinesOf(source);
  let module: MysqlModule | undefined;
  /** With `tls=preferred`: whether the server turned out to have no TLS. */
  let isPlain = false;

  const connectWith = (tls: SslOptions | undefined): Promise<MysqlConnection> =>
    connectMysql({
      createConnection: module!.createConnection,
      address: source.address,
      options: { ...connectionOptions(source), ...(tls === undefined ? {} : { ssl: tls }) },
      greeting: greetingOf(source),
      charsets: source.charsets,
      clock: options.clock,
      deadlines,
      connectMillis: source.connectTimeoutMillis || deadlines.readMillis,
      bulkInsertLimit: options.bulkInsertLimit,
      maxAllowedPacket: source.maxAllowedPacket,
    });

  const driver: ServerDriver = {
    dialect: mysqlDialect,
    patienceMillis: deadlines.readMillis,
    async load(): Promise<void> {
      try {
        module = await load();
      } catch (cause) {
        const text = 'sql: the driver "mysql" needs the module mysql2: npm install mysql2';
        throw new DatabaseError("driver_missing", text, { cause });
      }
    },
    async connect(): Promise<MysqlConnection> {
      if (module === undefined) await driver.load();
      const tls = isPlain ? undefined : tlsOptions(source);
      try {
        return await connectWith(tls);
      } catch (error) {
        if (source.tls !== "preferred" || !hasNoTls(error)) throw error;
        isPlain = true;
        return connectWith(undefined);
      }
    },
    async inspect(connection: ServerConnection, hasRedeliveries: boolean): Promise<DatabaseFacts> {
      let maxMessageBytes = Number.POSITIVE_INFINITY;
      if (isMysql(connection)) {
        maxMessageBytes = Math.min(await connection.dataColumnBytes(), messageBytesWithin(connection.maxPacketBytes));
      }
      return { maxMessageBytes, maxNameLength: NAME_LENGTH_MAX, hasRedeliveries };
    },
    classify: classifyMysqlError,
    endOnServer,
  };
  return createServerPool({ driver, ...options });
}

/**
 * The lock goes with the session, after its transaction; its name never comes back, while the number of a session does
 * after a restart of the server.
 */
const SESSION_OF_LOCK = "SELECT IS_USED_LOCK(?)";
const SESSION_OF_NUMBER = "SELECT ID FROM information_schema.PROCESSLIST WHERE ID = ?";

async function endOnServer(connection: ServerConnection, lost: ServerConnection): Promise<boolean> {
  if (!isMysql(lost)) return true;
  const { rows } =
    lost.lockName === ""
      ? await connection.execute("sessionOfNumber", SESSION_OF_NUMBER, [lost.connectionId])
      : await connection.execute("sessionOfLock", SESSION_OF_LOCK, [lost.lockName]);
  const session = rows[0]?.[0];
  if (session === undefined || session === null) return true;
  // It may end by itself meanwhile; the next look tells.
  await connection.define(`KILL CONNECTION ${Number(session)}`).catch((error: unknown) => {
    if (classifyMysqlError(error) === "lost") throw error;
  });
  return false;
}

function isMysql(connection: ServerConnection): connection is MysqlConnection {
  return "lockName" in connection;
}

function connectionOptions(source: MysqlSource): ConnectionOptions {
  const { address } = source;
  return {
    ...(address.kind === "tcp" ? { host: address.host, port: address.port } : { socketPath: address.path }),
    user: source.user,
    password: source.password,
    ...(source.database === "" ? {} : { database: source.database }),
    charset: "UTF8MB4_GENERAL_CI",
    supportBigNumbers: true,
    bigNumberStrings: false,
    compress: source.compress,
    enableCleartextPlugin: source.cleartextPasswords,
    // A server must not be able to ask for files of this machine.
    flags: ["-LOCAL_FILES"],
    // The deadline around connecting is ours.
    connectTimeout: 0,
  };
}

/** Settings of each session. Without strict mode the server would cut a too long message and only warn. */
function greetingOf(source: MysqlSource): string[] {
  const settings = [...source.variables].map(([name, value]) => `${name} = ${value}`);
  const strict = "sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')";
  const collation = source.collation === undefined ? "" : ` COLLATE ${source.collation}`;
  return [
    ...(collation === "" ? [] : [`SET NAMES utf8mb4${collation}`]),
    ...(settings.length === 0 ? [] : [`SET ${settings.join(", ")}`]),
    `SET autocommit = 1, ${strict}`,
  ];
}

function tlsOptions(source: MysqlSource): SslOptions | undefined {
  switch (source.tls) {
    case "off":
      return undefined;
    case "verify":
      return { rejectUnauthorized: true, verifyIdentity: true };
    case "skip-verify":
    case "preferred":
      return { rejectUnauthorized: false };
  }
}

function hasNoTls(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "HANDSHAKE_NO_SSL_SUPPORT";
}
