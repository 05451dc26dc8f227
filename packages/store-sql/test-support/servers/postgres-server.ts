import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { runProgram, type SqlServer, serverUser, startServer } from "./server-process.ts";

export interface PostgresServerSetup {
  /** Whether every commit outlives a kill of the server, while the machine goes on. */
  readonly durable: boolean;
  /** Whether every commit reaches the disk, for benches. Not unless said: after a kill, all files would be synced, too. */
  readonly synced?: boolean;
  readonly maxConnections?: number;
}

const USER = "stan";
const PASSWORD = "pa'ss:w@rd/%";
const INT8 = 20;
const INSTALLED = "/usr/lib/postgresql";

export async function startPostgres(setup: PostgresServerSetup): Promise<SqlServer> {
  const programs = postgresPrograms();
  const user = serverUser("postgres");
  const durability = setup.durable
    ? ["synchronous_commit=on", "full_page_writes=on"]
    : ["synchronous_commit=off", "full_page_writes=off"];
  const settings = [
    ...durability,
    `fsync=${setup.synced === true ? "on" : "off"}`,
    `max_connections=${setup.maxConnections ?? 100}`,
    "shared_buffers=64MB",
    "log_min_messages=warning",
  ];
  const connect = async (port: number, database: string): Promise<pg.Client> => {
    const client = new pg.Client({ host: "127.0.0.1", port, user: USER, password: PASSWORD, database });
    // A server that is killed ends idle connections too; whoever waits on this one hears of it by the query.
    client.on("error", () => {});
    await client.connect();
    return client;
  };

  const server = await startServer("postgres", {
    program: join(programs, "postgres"),
    user,
    // "Immediate shutdown".
    stopSignal: "SIGQUIT",
    args: ({ dataFolder, socketFolder, port, certificate, key }) => [
      "-D",
      dataFolder,
      "-p",
      `${port}`,
      "-k",
      socketFolder,
      "-h",
      "127.0.0.1",
      ...[...settings, "ssl=on", `ssl_cert_file=${certificate}`, `ssl_key_file=${key}`].flatMap((setting) => [
        "-c",
        setting,
      ]),
    ],
    async prepare({ dataFolder, folder }) {
      const passwordFile = join(folder, "password");
      writeFileSync(passwordFile, PASSWORD, { mode: 0o644 });
      const auth = ["--auth=scram-sha-256", `--pwfile=${passwordFile}`, `--username=${USER}`];
      const locale = ["--encoding=UTF8", "--no-locale", "--no-sync"];
      await runProgram(join(programs, "initdb"), ["-D", dataFolder, ...auth, ...locale], user);
    },
    async probe({ port }) {
      await (await connect(port, "postgres")).end();
    },
  });

  const query: SqlServer["query"] = async (database, text, values = []) => {
    const client = await connect(server.port, database);
    try {
      // Without values the driver uses the simple protocol, which takes several statements at once.
      return (await client.query({ text, ...(values.length === 0 ? {} : { values: [...values] }), rowMode: "array" }))
        .rows;
    } finally {
      await client.end();
    }
  };
  return Object.assign(server, {
    user: USER,
    password: PASSWORD,
    source(database: string, params: Readonly<Record<string, string>> = {}): string {
      const password = PASSWORD.replaceAll("'", "\\'");
      const further = Object.entries(params).map(([key, value]) => ` ${key}=${value}`);
      const place = `host=127.0.0.1 port=${server.port} dbname=${database} sslmode=disable`;
      return `${place} user=${USER} password=${password}${further.join("")}`;
    },
    query,
    async createDatabase(database: string, schema: string): Promise<void> {
      await query("postgres", `CREATE DATABASE "${database}" TEMPLATE template0`);
      await query(database, schema);
    },
    async dropDatabase(database: string): Promise<void> {
      await query("postgres", `DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
    },
    async rows(database: string, text: string): Promise<Readonly<Record<string, unknown>>[]> {
      const client = await connect(server.port, database);
      // Integers of 64 bit, which come as digits otherwise.
      client.setTypeParser(INT8, Number);
      try {
        const result: pg.QueryResult<Record<string, unknown>> | pg.QueryResult<Record<string, unknown>>[] =
          await client.query(text);
        return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows;
      } finally {
        await client.end();
      }
    },
    async hold(database: string, texts: readonly string[]): Promise<{ release(): Promise<void> }> {
      const client = await connect(server.port, database);
      for (const text of texts) await client.query(text);
      return { release: () => client.end() };
    },
    async cutConnections(database: string): Promise<number> {
      const text =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()";
      return (await query("postgres", text, [database])).length;
    },
  });
}

/** Folder of the newest installed version. @throws with the remedy when there is none */
function postgresPrograms(): string {
  const versions = existsSync(INSTALLED) ? readdirSync(INSTALLED).map(Number).filter(Number.isFinite) : [];
  const newest = Math.max(...versions);
  if (versions.length === 0) {
    throw new Error("these tests need a PostgreSQL server: install Debian's package postgresql, or leave them out");
  }
  return join(INSTALLED, `${newest}`, "bin");
}
