import { connect, type Socket } from "node:net";
import { type Clock, nuidSource, systemRandom } from "@nats-streaming/kernel";
import type { Connection, ConnectionOptions, TypeCastField, TypeCastNext } from "mysql2/promise";
import type { MessageColumns, SqlParam, SqlRow, SqlValue } from "../database.ts";
import type { InsertStatement, ServerConnection, StatementResult } from "../servers/server-driver.ts";
import { isSlow } from "../servers/slow-statements.ts";
import { type Deadlines, withinDeadline } from "../servers/socket-deadline.ts";
import { mysqlDialect } from "./mysql-dialect.ts";
import { classifyMysqlError } from "./mysql-errors.ts";
import type { MysqlAddress } from "./mysql-source.ts";

export interface MysqlConnectionSetup {
  /** Of the module `mysql2/promise`, which is loaded when it is needed. */
  readonly createConnection: (options: ConnectionOptions) => Promise<Connection>;
  readonly address: MysqlAddress;
  readonly options: ConnectionOptions;
  /** Executed before anything else, such as settings of the session. */
  readonly greeting: readonly string[];
  /** Character sets to ask for, the first that the server has; empty: that of the connection, utf8mb4. */
  readonly charsets: readonly string[];
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly connectMillis: number;
  /** Messages per insert statement; below 5: {@link ROWS_PER_INSERT_MAX}. */
  readonly bulkInsertLimit: number;
  /** Bytes of one statement; 0: as the server says. */
  readonly maxAllowedPacket: number;
}

export interface MysqlConnection extends ServerConnection {
  /** A lock of the server under this name is held as long as the session lives; empty when the server has no such locks. */
  readonly lockName: string;
  /** The server's number of the session; used again after a restart. */
  readonly connectionId: number;
  /** Bytes that one statement may have. */
  readonly maxPacketBytes: number;
  /** Longest value of the data column of Messages, in bytes. */
  dataColumnBytes(): Promise<number>;
}

/**
 * Rows of one insert. Statements with a power of two rows up to this are prepared, so that any number of messages needs a
 * few statements of few kinds. Larger ones gain nothing in the bench.
 */
export const ROWS_PER_INSERT_MAX: number = 512;

/** Bytes of one insert, but for a single message: bounds the memory that a batch takes here and there. */
const BYTES_PER_INSERT_MAX = 8 * 1024 * 1024;

/** What a statement needs beyond the data: header, types, integers, lengths. */
const OVERHEAD_BYTES = 64;
const OVERHEAD_BYTES_PER_ROW = 96;

/** Smallest value of `bulk_insert_limit` that counts. @see sql-store.md 2 */
const BULK_INSERT_LIMIT_MIN = 5;

const lockId = nuidSource(systemRandom());

/** Connects. Rejects with what the server or the network said. */
export async function connectMysql(setup: MysqlConnectionSetup): Promise<MysqlConnection> {
  const { address, clock, connectMillis } = setup;
  const socket =
    address.kind === "unix" ? connect({ path: address.path }) : connect({ host: address.host, port: address.port });
  socket.setNoDelay(true);
  socket.setKeepAlive(true);
  const limits = { read: connectMillis, write: connectMillis };
  let connection: OpenMysqlConnection | undefined;
  try {
    const options = { ...setup.options, stream: () => socket };
    const driver = await withinDeadline(socket, clock, limits, () => setup.createConnection(options));
    connection = new OpenMysqlConnection(setup, driver, socket);
    await connection.greet(setup.greeting, setup.charsets);
    return connection;
  } catch (error) {
    connection?.destroy();
    socket.destroy();
    throw error;
  }
}

class OpenMysqlConnection implements MysqlConnection {
  readonly #driver: Connection;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #rowsMax: number;
  #maxPacketBytes: number;
  #lockName = "";
  #connectionId = 0;
  #isUsable = true;
  /** With a character set that is not Unicode: see {@link textAsSent}. */
  #sendsBytes = false;

  constructor(setup: MysqlConnectionSetup, driver: Connection, socket: Socket) {
    this.#driver = driver;
    this.#socket = socket;
    this.#clock = setup.clock;
    this.#deadlines = setup.deadlines;
    this.#rowsMax = setup.bulkInsertLimit >= BULK_INSERT_LIMIT_MIN ? setup.bulkInsertLimit : ROWS_PER_INSERT_MAX;
    this.#maxPacketBytes = setup.maxAllowedPacket;
    const lost = (): void => {
      this.#isUsable = false;
    };
    // Also reported to whatever waits for an answer; without a listener an idle connection would end the process.
    driver.on("error", lost);
    driver.on("end", lost);
    socket.on("close", lost);
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  get lockName(): string {
    return this.#lockName;
  }

  get connectionId(): number {
    return this.#connectionId;
  }

  get maxPacketBytes(): number {
    return this.#maxPacketBytes;
  }

  async greet(statements: readonly string[], charsets: readonly string[]): Promise<void> {
    await this.#speak(charsets);
    for (const text of statements) await this.define(text);
    const [facts] = await this.#select("SELECT CONNECTION_ID(), @@max_allowed_packet");
    this.#connectionId = Number(facts?.[0]);
    if (this.#maxPacketBytes === 0) this.#maxPacketBytes = Number(facts?.[1]);
    const name = `stan_${lockId()}`;
    try {
      const [answer] = await this.#select(`SELECT GET_LOCK('${name}', 0)`);
      if (Number(answer?.[0]) === 1) this.#lockName = name;
    } catch (error) {
      // Some clusters refuse such locks; then the number of the session has to do.
      if (!this.#isUsable) throw error;
    }
  }

  async dataColumnBytes(): Promise<number> {
    const [, fields] = await this.#within(this.#deadlines.readMillis, () =>
      this.#driver.query("SELECT data FROM Messages LIMIT 0"),
    );
    return fields[0]?.columnLength ?? Number.POSITIVE_INFINITY;
  }

  async prepare(text: string): Promise<void> {
    // It stays prepared: the driver finds it again by its text.
    await this.#within(this.#deadlines.readMillis, () => this.#driver.prepare(text));
  }

  async define(text: string): Promise<void> {
    await this.#within(this.#deadlines.slowMillis, () => this.#driver.query(text));
  }

  async execute(name: string, text: string, params: readonly SqlParam[]): Promise<StatementResult> {
    const millis = isSlow(name) ? this.#deadlines.slowMillis : this.#deadlines.readMillis;
    const options = { sql: text, rowsAsArray: true, typeCast: this.#sendsBytes ? textAsSent : true };
    const values = params.map((value) =>
      this.#sendsBytes && typeof value === "string" ? Buffer.from(value, "utf8") : bindable(value),
    );
    const [result] = await this.#within(millis, () => this.#driver.execute(options, values));
    if (Array.isArray(result)) return { rows: result.map(rowOf), matched: 0 };
    return { rows: [], matched: result.affectedRows };
  }

  async control(text: "BEGIN" | "COMMIT" | "ROLLBACK"): Promise<"BEGIN" | "COMMIT" | "ROLLBACK"> {
    await this.#within(this.#deadlines.readMillis, () => this.#driver.query(text));
    return text;
  }

  nextInsert(messages: MessageColumns, from: number, to: number): InsertStatement {
    const end = from + this.#rowsOfInsert(messages, from, to);
    const text = mysqlDialect.insertMessages(end - from);
    return {
      text,
      to: end,
      execute: async () => {
        const values = insertValues(messages, from, end);
        await this.#within(this.#deadlines.readMillis, () => this.#driver.execute(text, values));
      },
    };
  }

  async end(): Promise<void> {
    this.#isUsable = false;
    await this.#within(this.#deadlines.readMillis, () => this.#driver.end()).catch(() => {});
    this.#socket.destroy();
  }

  destroy(): void {
    this.#isUsable = false;
    this.#driver.destroy();
    this.#socket.destroy();
  }

  /** The largest power of two that the limits allow; at least 1. */
  #rowsOfInsert({ starts }: MessageColumns, from: number, to: number): number {
    const most = Math.min(to - from, this.#rowsMax);
    const bytesMax = Math.min(this.#maxPacketBytes, BYTES_PER_INSERT_MAX);
    let rows = 1;
    for (let next = 2; next <= most; next *= 2) {
      const bytes = starts[from + next]! - starts[from]! + OVERHEAD_BYTES + next * OVERHEAD_BYTES_PER_ROW;
      if (bytes > bytesMax) break;
      rows = next;
    }
    return rows;
  }

  /** Agrees on the first character set that the server has. */
  async #speak(charsets: readonly string[]): Promise<void> {
    for (const [i, charset] of charsets.entries()) {
      try {
        await this.define(`SET NAMES ${charset}`);
      } catch (error) {
        if (i === charsets.length - 1 || classifyMysqlError(error) === "lost") throw error;
        continue;
      }
      this.#sendsBytes = !/^utf8/i.test(charset);
      return;
    }
  }

  async #select(text: string): Promise<SqlRow[]> {
    const [rows] = await this.#within(this.#deadlines.readMillis, () =>
      this.#driver.query({ sql: text, rowsAsArray: true }),
    );
    return Array.isArray(rows) ? rows.map(rowOf) : [];
  }

  #within<T>(millis: number, work: () => Promise<T>): Promise<T> {
    const limits = { read: millis, write: this.#deadlines.writeMillis };
    return withinDeadline(this.#socket, this.#clock, limits, work);
  }
}

/** Columns of text. The driver gives BLOB and TEXT one type. */
const TEXT_COLUMNS: ReadonlySet<string> = new Set(["id", "name", "hbinbox"]);
const TEXT_TYPES: ReadonlySet<string> = new Set(["VAR_STRING", "STRING", "BLOB"]);

/**
 * With a character set that is not Unicode, the original's driver sends and takes the bytes of UTF-8 under that name, and
 * the database holds them as such. So they are sent and read here: not as what the name says.
 */
function textAsSent(field: TypeCastField, next: TypeCastNext): unknown {
  return TEXT_COLUMNS.has(field.name) && TEXT_TYPES.has(field.type) ? field.string("utf8") : next();
}

/** What one statement may be for a message to be stored. */
export function messageBytesWithin(maxPacketBytes: number): number {
  return maxPacketBytes - OVERHEAD_BYTES - OVERHEAD_BYTES_PER_ROW;
}

/**
 * Numbers go as decimal digits: as the doubles that the driver makes of them, newer MySQL refuses them behind LIMIT. Bytes
 * go as a Buffer, which the driver sends as they are; anything else it would take for text.
 */
function bindable(value: SqlParam): string | Buffer | null {
  if (value === null || typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint") return `${value}`;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function insertValues(messages: MessageColumns, from: number, to: number): (number | bigint | Buffer)[] {
  const { channels, sequences, timestamps, starts } = messages;
  const bytes = Buffer.from(messages.bytes.buffer, messages.bytes.byteOffset, messages.bytes.byteLength);
  const values = new Array<number | bigint | Buffer>((to - from) * 5);
  let at = 0;
  for (let i = from; i < to; i++) {
    const start = starts[i]!;
    const end = starts[i + 1]!;
    values[at++] = channels[i]!;
    values[at++] = sequences[i]!;
    values[at++] = timestamps[i]!;
    values[at++] = end - start;
    values[at++] = bytes.subarray(start, end);
  }
  return values;
}

function rowOf(row: unknown): SqlRow {
  return Array.isArray(row) ? row.map(sqlValue) : [];
}

function sqlValue(value: unknown): SqlValue {
  switch (typeof value) {
    case "number":
    case "bigint":
    case "string":
    case "boolean":
      return value;
    default:
      return value instanceof Uint8Array ? value : null;
  }
}
