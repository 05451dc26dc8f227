import { existsSync } from "node:fs";
import { type Connection, createConnection } from "mysql2/promise";
import { runProgram, type ServerPlace, type SqlServer, serverUser, startServer } from "./server-process.ts";

export interface MariaDbServerSetup {
  /** Whether every commit outlives a kill of the server, while the machine goes on. */
  readonly durable: boolean;
  /** Whether every commit reaches the disk, for benches. Not unless said: after a kill, all files would be synced, too. */
  readonly synced?: boolean;
  readonly maxConnections?: number;
  /** Further `--name=value` settings. */
  readonly settings?: readonly string[];
}

const USER = "stan";
const PASSWORD = "pa'ss:w@rd/%";
const PROGRAM = "/usr/sbin/mariadbd";
const NO_SYNC = "--innodb-flush-method=nosync";
const INSTALLER = "/usr/bin/mariadb-install-db";

export async function startMariaDb(setup: MariaDbServerSetup): Promise<SqlServer> {
  if (!existsSync(PROGRAM)) {
    throw new Error("these tests need a MariaDB server: install Debian's package mariadb-server, or leave them out");
  }
  const user = serverUser("mysql");
  const durability = setup.durable
    ? ["--innodb-flush-log-at-trx-commit=1", "--innodb-doublewrite=1"]
    : ["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0"];
  const memory = ["--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--key-buffer-size=1M"];
  const socket = ({ socketFolder }: ServerPlace): string => `${socketFolder}/server.sock`;
  // A server that starts clears away the temporary tables it finds, those of its neighbours too where they share a folder.
  const places = ({ dataFolder, folder }: ServerPlace): string[] => [`--datadir=${dataFolder}`, `--tmpdir=${folder}`];

  const server = await startServer("mariadb", {
    program: PROGRAM,
    user,
    args: (place) => [
      "--no-defaults",
      ...places(place),
      `--socket=${socket(place)}`,
      `--pid-file=${place.folder}/server.pid`,
      "--bind-address=127.0.0.1",
      `--port=${place.port}`,
      `--max-connections=${setup.maxConnections ?? 100}`,
      "--skip-log-bin",
      "--skip-name-resolve",
      "--performance-schema=OFF",
      `--ssl-cert=${place.certificate}`,
      `--ssl-key=${place.key}`,
      ...memory,
      ...durability,
      setup.synced === true ? "--innodb-flush-method=fsync" : NO_SYNC,
      ...(setup.settings ?? []),
    ],
    async prepare(place) {
      const args = ["--no-defaults", ...places(place), "--skip-test-db", "--skip-name-resolve"];
      const auth = ["--auth-root-authentication-method=normal", NO_SYNC];
      await runProgram(INSTALLER, [...args, ...auth], user);
    },
    async probe(place) {
      // The administrator of a new installation has no password and is known on the private socket only.
      const root = await createConnection({ socketPath: socket(place), user: "root", multipleStatements: true });
      root.on("error", () => {});
      const name = `'${USER}'@'%' IDENTIFIED BY '${PASSWORD.replaceAll("'", "''")}'`;
      await root.query(
        `CREATE USER IF NOT EXISTS ${name}; GRANT ALL PRIVILEGES ON *.* TO '${USER}'@'%' WITH GRANT OPTION`,
      );
      await root.end();
    },
  });

  const connect = async (database: string, multipleStatements: boolean): Promise<Connection> => {
    const connection = await createConnection({
      host: "127.0.0.1",
      port: server.port,
      user: USER,
      password: PASSWORD,
      ...(database === "" ? {} : { database }),
      multipleStatements,
      supportBigNumbers: true,
      // As digits only where a number would not hold them.
      bigNumberStrings: false,
      rowsAsArray: true,
    });
    connection.on("error", () => {});
    return connection;
  };

  const execute = async (
    database: string,
    text: string,
    values: readonly unknown[],
    multipleStatements: boolean,
  ): Promise<unknown[][]> => {
    const connection = await connect(database, multipleStatements);
    try {
      const [rows] = await connection.query(text, [...values]);
      const found: unknown[] = Array.isArray(rows) ? rows : [];
      return found.filter((row): row is unknown[] => Array.isArray(row));
    } finally {
      await connection.end();
    }
  };
  return Object.assign(server, {
    user: USER,
    password: PASSWORD,
    source(database: string, params: Readonly<Record<string, string>> = {}): string {
      const further = Object.entries(params).map(([key, value]) => `${key}=${value}`);
      const tail = further.length === 0 ? "" : `?${further.join("&")}`;
      return `${USER}:${PASSWORD}@tcp(127.0.0.1:${server.port})/${database}${tail}`;
    },
    query: (database: string, text: string, values: readonly unknown[] = []) => execute(database, text, values, false),
    async createDatabase(database: string, schema: string): Promise<void> {
      await execute("", `CREATE DATABASE \`${database}\``, [], false);
      if (schema !== "") await execute(database, schema, [], true);
    },
    async dropDatabase(database: string): Promise<void> {
      await execute("", `DROP DATABASE IF EXISTS \`${database}\``, [], false);
    },
    async rows(database: string, text: string): Promise<Readonly<Record<string, unknown>>[]> {
      const connection = await connect(database, false);
      try {
        const [rows] = await connection.query({ sql: text, rowsAsArray: false });
        const found: unknown[] = Array.isArray(rows) ? rows : [];
        return found.map((row) => Object.fromEntries(Object.entries(row ?? {}).map(lowerCased)));
      } finally {
        await connection.end();
      }
    },
    async hold(database: string, texts: readonly string[]): Promise<{ release(): Promise<void> }> {
      const connection = await connect(database, false);
      for (const text of texts) await connection.query(text);
      return { release: () => connection.end() };
    },
    async cutConnections(database: string): Promise<number> {
      const sessions = "SELECT id FROM information_schema.processlist WHERE db = ?";
      const rows = await execute("", sessions, [database], false);
      // Some may have ended meanwhile.
      for (const [id] of rows) await execute("", `KILL CONNECTION ${id}`, [], false).catch(() => {});
      return rows.length;
    },
  });
}

function lowerCased([name, value]: [string, unknown]): [string, unknown] {
  return [name.toLowerCase(), value];
}
