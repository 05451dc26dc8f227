import { Socket } from "node:net";
import type { Clock } from "@nats-streaming/kernel";
import type { Client, ClientConfig, QueryArrayResult } from "pg";
import type { MessageColumns, SqlParam } from "../database.ts";
import type { InsertStatement, ServerConnection, StatementResult } from "../servers/server-driver.ts";
import { isSlow } from "../servers/slow-statements.ts";
import { type Deadlines, withinDeadline } from "../servers/socket-deadline.ts";
import { messageArrays } from "./binary-array.ts";
import { POSTGRES_INSERT } from "./postgres-dialect.ts";

export interface PostgresConnectionSetup {
  /** Of the module `pg`, which is loaded when it is needed. */
  readonly Client: new (
    config: ClientConfig,
  ) => Client;
  readonly config: ClientConfig;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly connectMillis: number;
  /** Messages per insert statement; below 5: {@link ROWS_PER_INSERT_MAX}. */
  readonly bulkInsertLimit: number;
}

/** What tells a session from all others, past and future: process IDs are used again. */
export interface BackendIdentity {
  readonly processId: number;
  readonly startedAt: string;
}

export interface PostgresConnection extends ServerConnection {
  readonly identity: BackendIdentity;
}

/**
 * A transaction whose server says nothing for so long is ended by the database, with all locks that it holds: its process
 * stands still, or its machine is gone without a word. Nobody could take the store's lock otherwise. Other values, of the
 * database or of the data source, are left alone.
 */
const IDLE_IN_TRANSACTION_MILLIS = 5_000;

const LIMIT_IDLE =
  `SELECT set_config(name, '${IDLE_IN_TRANSACTION_MILLIS}', false) FROM pg_settings ` +
  "WHERE name = 'idle_in_transaction_session_timeout' AND setting = '0'";

/** Rows of one insert: more gain nothing, and the server keeps them in memory. */
const ROWS_PER_INSERT_MAX = 16_384;

/** Bytes of one insert, but for a single message: bounds the memory that a batch takes here and there. */
const BYTES_PER_INSERT_MAX = 8 * 1024 * 1024;

/** Smallest value of `bulk_insert_limit` that counts. @see sql-store.md 2 */
const BULK_INSERT_LIMIT_MIN = 5;

/** Connects. Rejects with what the server or the network said. */
export async function connectPostgres(setup: PostgresConnectionSetup): Promise<PostgresConnection> {
  const { Client, config, clock, connectMillis } = setup;
  const socket = new Socket();
  const client = new Client({ ...config, stream: () => socket });
  const connection = new OpenPostgresConnection(setup, client, socket);
  try {
    const limits = { read: connectMillis, write: connectMillis };
    await withinDeadline(socket, clock, limits, () => client.connect());
    await connection.identify();
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return connection;
}

class OpenPostgresConnection implements PostgresConnection {
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #rowsMax: number;
  #identity: BackendIdentity = { processId: 0, startedAt: "" };
  #isUsable = true;

  constructor(setup: PostgresConnectionSetup, client: Client, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
    this.#clock = setup.clock;
    this.#deadlines = setup.deadlines;
    this.#rowsMax = setup.bulkInsertLimit >= BULK_INSERT_LIMIT_MIN ? setup.bulkInsertLimit : ROWS_PER_INSERT_MAX;
    const lost = (): void => {
      this.#isUsable = false;
    };
    // Also reported to whatever waits for an answer; without a listener an idle connection would end the process.
    client.on("error", lost);
    client.on("end", lost);
  }

  get identity(): BackendIdentity {
    return this.#identity;
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** Asks who it is on the server, for the day when it has to be ended from elsewhere, and bounds how long it may be silent. */
  async identify(): Promise<void> {
    const text = "SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    const { rows } = await this.#within(this.#deadlines.readMillis, { text });
    const [processId, startedAt] = rows[0] ?? [];
    this.#identity = { processId: Number(processId), startedAt: String(startedAt) };
    await this.#within(this.#deadlines.readMillis, { text: LIMIT_IDLE });
  }

  async prepare(text: string): Promise<void> {
    // Others, such as LOCK TABLE, cannot be prepared; the tables that they name are named by these too.
    if (!/^(SELECT|INSERT|UPDATE|DELETE) /.test(text)) return;
    await this.#within(this.#deadlines.readMillis, { text: `PREPARE checked AS ${text}` });
    await this.#within(this.#deadlines.readMillis, { text: "DEALLOCATE checked" });
  }

  async define(text: string): Promise<void> {
    await this.#within(this.#deadlines.slowMillis, { text });
  }

  async execute(name: string, text: string, params: readonly SqlParam[]): Promise<StatementResult> {
    const millis = isSlow(name) ? this.#deadlines.slowMillis : this.#deadlines.readMillis;
    const { rows, rowCount } = await this.#within(millis, { name, text, values: [...params] });
    return { rows, matched: rowCount ?? 0 };
  }

  async control(text: "BEGIN" | "COMMIT" | "ROLLBACK"): Promise<"BEGIN" | "COMMIT" | "ROLLBACK"> {
    const { command } = await this.#within(this.#deadlines.readMillis, { text });
    return command === "ROLLBACK" ? "ROLLBACK" : text;
  }

  nextInsert(messages: MessageColumns, from: number, to: number): InsertStatement {
    const { starts } = messages;
    const most = Math.min(to, from + this.#rowsMax);
    let end = from + 1;
    while (end < most && starts[end + 1]! - starts[from]! <= BYTES_PER_INSERT_MAX) end++;
    return {
      text: POSTGRES_INSERT,
      to: end,
      execute: async () => {
        const values = messageArrays(messages, from, end);
        await this.#within(this.#deadlines.readMillis, { name: "insertMessages", text: POSTGRES_INSERT, values });
      },
    };
  }

  async end(): Promise<void> {
    this.#isUsable = false;
    const { readMillis, writeMillis } = this.#deadlines;
    const limits = { read: readMillis, write: writeMillis };
    await withinDeadline(this.#socket, this.#clock, limits, () => this.#client.end()).catch(() => {});
    this.#socket.destroy();
  }

  destroy(): void {
    this.#isUsable = false;
    this.#socket.destroy();
  }

  #within(
    millis: number,
    query: { text: string; name?: string; values?: unknown[] },
  ): Promise<QueryArrayResult<(string | number | boolean | Buffer | null)[]>> {
    const limits = { read: millis, write: this.#deadlines.writeMillis };
    return withinDeadline(this.#socket, this.#clock, limits, () => this.#client.query({ ...query, rowMode: "array" }));
  }
}
