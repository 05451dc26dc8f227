import { mkdirSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { errorText } from "@nats-streaming/kernel";
import type BetterSqlite3 from "better-sqlite3";
import {
  DatabaseError,
  type DatabaseErrorCode,
  type MessageBlock,
  type MessageColumns,
  type MessageRequest,
  type Operation,
  type SqlParam,
  type SqlRow,
  type WriteBatch,
} from "../database.ts";
import { executionText, preparationText } from "../execution-text.ts";
import { lockLost } from "../server-database.ts";
import type { StatementName } from "../statement-name.ts";
import type { EngineAnswer, EngineRequest, OpenedEngine } from "./engine-protocol.ts";
import { extendLog } from "./extend-log.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import type { SqliteSource } from "./sqlite-source.ts";

/** Constructor of better-sqlite3. */
export type SqliteModule = typeof BetterSqlite3;

type Prepared = BetterSqlite3.Statement<SqlParam[], SqlRow>;

/**
 * Pages of 8 KiB instead of 4: twice the speed for messages of 1 KiB, the same for small ones (bench).
 */
const PAGE_BYTES = 8192;
/** The log is copied into the database after 32 MiB: with the default of a thousand pages a third of the speed is lost. */
const CHECKPOINT_PAGES = 4096;
/** A page in the log, with its header; and room for the batch that goes beyond. */
const LOG_BYTES = (CHECKPOINT_PAGES + 256) * (PAGE_BYTES + 24);
/** Page cache, in KiB. Nearly all writes go to the end of the tables. */
const CACHE_KIB = 32_768;
/** Messages per insert: six tenths of the cost per message is that of running a statement. */
const ROWS_PER_INSERT = 32;
const COLUMNS = 5;

/** The schema's version in the file, beside ServerInfo.version. */
const USER_VERSION = 1;

/** File systems over a network, by the magic number that `statfs` tells. Write-ahead logs do not work there. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x517b, "SMB"],
]);

/** One SQLite database on one thread. Every call blocks it. @throws DatabaseError, from every call */
export class SqliteEngine {
  readonly #load: () => Promise<SqliteModule>;
  #database: BetterSqlite3.Database | undefined;
  readonly #prepared = new Map<StatementName, Prepared>();
  #insertOne: BetterSqlite3.Statement | undefined;
  #insertMany: BetterSqlite3.Statement | undefined;

  constructor(load: () => Promise<SqliteModule> = () => loadSqlite()) {
    this.#load = load;
  }

  handle(request: EngineRequest): EngineAnswer | Promise<EngineAnswer> {
    switch (request.kind) {
      case "open":
        return this.#open(request.source, request.schema);
      case "query":
        return this.#query(request.statement, request.params);
      case "run":
        return this.#run(request.statement, request.params);
      case "begin":
        this.#exec("BEGIN IMMEDIATE");
        return undefined;
      case "commit":
        this.#commit();
        return undefined;
      case "rollback":
        this.#rollback();
        return undefined;
      case "write":
        this.#write(request.batch);
        return undefined;
      case "read":
        return this.#read(request.request);
      case "close":
        this.#close();
        return undefined;
    }
  }

  // --- opening ---

  async #open(source: SqliteSource, schema: readonly string[]): Promise<OpenedEngine> {
    const Sqlite = await this.#load();
    this.#close();
    const warnings: string[] = [];
    try {
      if (source.path !== ":memory:") {
        mkdirSync(dirname(source.path), { recursive: true });
        const network = networkFileSystem(source.path);
        if (network !== undefined) {
          warnings.push(
            `The SQLite database "${source.path}" is on ${network}: it may be damaged when two machines use it`,
          );
        }
      }
      const database = new Sqlite(source.path, { timeout: source.busyMillis });
      this.#database = database;
      database.pragma(`page_size = ${PAGE_BYTES}`);
      database.pragma("journal_mode = WAL");
      database.pragma(`synchronous = ${source.synchronous}`);
      database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
      database.pragma(`cache_size = -${CACHE_KIB}`);
      database.pragma("foreign_keys = OFF");
      this.#createTables(database, schema);
      if (source.path !== ":memory:") this.#extendLog(database, source);
    } catch (error) {
      this.#close();
      throw sqliteFailure(error, `unable to open the SQLite database "${source.path}": ${errorText(error)}`);
    }
    this.#prepareAll();
    const none = Number.POSITIVE_INFINITY;
    return { maxMessageBytes: none, maxNameLength: none, hasRedeliveries: true, warnings };
  }

  #createTables(database: BetterSqlite3.Database, schema: readonly string[]): void {
    const version = database.pragma("user_version", { simple: true });
    if (version === USER_VERSION) return;
    if (typeof version === "number" && version > USER_VERSION) {
      throw new DatabaseError("schema_missing", `its tables are of version ${version}, made by a newer server`);
    }
    database.exec("BEGIN IMMEDIATE");
    try {
      for (const statement of schema) database.exec(statement);
      database.pragma(`user_version = ${USER_VERSION}`);
      database.exec("COMMIT");
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  /** Where every commit is synced. */
  #extendLog(database: BetterSqlite3.Database, { path, synchronous }: SqliteSource): void {
    if (synchronous !== "FULL") return;
    database.exec("BEGIN IMMEDIATE");
    try {
      extendLog(`${path}-wal`, LOG_BYTES);
    } catch {
      // It is for speed only.
    }
    database.exec("ROLLBACK");
  }

  /** At once, so that a table that is not as it should be shows at the start. */
  #prepareAll(): void {
    for (const [name, text] of Object.entries(sqliteDialect.statements)) {
      if (text === "") continue;
      try {
        this.#statement(name as StatementName);
      } catch (error) {
        this.#close();
        throw new DatabaseError("schema_missing", preparationText(text, error), { cause: error });
      }
    }
    this.#insertOne = this.#opened.prepare(sqliteDialect.insertMessages(1));
    this.#insertMany = this.#opened.prepare(sqliteDialect.insertMessages(ROWS_PER_INSERT));
  }

  get #opened(): BetterSqlite3.Database {
    if (this.#database === undefined) throw new DatabaseError("closed", "sql: database is closed");
    return this.#database;
  }

  #statement(name: StatementName): Prepared {
    const found = this.#prepared.get(name);
    if (found !== undefined) return found;
    const prepared = this.#opened.prepare<SqlParam[], SqlRow>(sqliteDialect.statements[name]);
    if (prepared.reader) prepared.raw(true).safeIntegers(true);
    this.#prepared.set(name, prepared);
    return prepared;
  }

  #close(): void {
    this.#prepared.clear();
    this.#insertOne = this.#insertMany = undefined;
    try {
      this.#database?.close();
    } catch {
      // What was committed is in the log, which the next opening reads.
    }
    this.#database = undefined;
  }

  // --- single statements ---

  #query(name: StatementName, params: readonly SqlParam[]): SqlRow[] {
    const text = sqliteDialect.statements[name];
    if (text === "") return [];
    return attempt(text, () => this.#statement(name).all(...params));
  }

  #run(name: StatementName, params: readonly SqlParam[]): number {
    const text = sqliteDialect.statements[name];
    if (text === "") return 0;
    return attempt(text, () => this.#statement(name).run(...params).changes);
  }

  #exec(text: string): void {
    try {
      this.#opened.exec(text);
    } catch (error) {
      throw sqliteFailure(error, errorText(error));
    }
  }

  #commit(): void {
    try {
      this.#exec("COMMIT");
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  #rollback(): void {
    const database = this.#database;
    if (database === undefined || !database.inTransaction) return;
    try {
      database.exec("ROLLBACK");
    } catch {
      // A failure that rolls back by itself leaves nothing to roll back.
    }
  }

  // --- batches ---

  #write(batch: WriteBatch): void {
    const { guard, before, messages, after } = batch;
    if (!batch.oneByOne) {
      this.#atOnce(guard, () => {
        for (const operation of before) this.#runAll(operation);
        this.#insert(messages, 0, messages.count);
        for (const operation of after) this.#runAll(operation);
      });
      return;
    }
    for (const operation of before) this.#atOnce(guard, () => this.#runAll(operation));
    for (let i = 0; i < messages.count; i++) this.#atOnce(guard, () => this.#insert(messages, i, i + 1));
    for (const operation of after) this.#atOnce(guard, () => this.#runAll(operation));
  }

  #atOnce(guard: string, work: () => void): void {
    this.#exec("BEGIN IMMEDIATE");
    try {
      if (guard !== "" && this.#run("guardLock", [guard]) === 0) throw lockLost();
      work();
    } catch (error) {
      this.#rollback();
      throw error;
    }
    this.#commit();
  }

  #runAll(operation: Operation): void {
    for (const { name, params } of operation) this.#run(name, params);
  }

  #insert(messages: MessageColumns, from: number, to: number): void {
    const { channels, sequences, timestamps, starts, bytes } = messages;
    const { buffer, byteOffset } = bytes;
    const bind = (params: unknown[], at: number, i: number): void => {
      const start = starts[i]!;
      const size = starts[i + 1]! - start;
      params[at] = channels[i];
      params[at + 1] = sequences[i];
      params[at + 2] = timestamps[i];
      params[at + 3] = size;
      params[at + 4] = Buffer.from(buffer, byteOffset + start, size);
    };
    let i = from;
    if (to - i >= ROWS_PER_INSERT) {
      const params = new Array<unknown>(ROWS_PER_INSERT * COLUMNS);
      for (; to - i >= ROWS_PER_INSERT; i += ROWS_PER_INSERT) {
        for (let row = 0; row < ROWS_PER_INSERT; row++) bind(params, row * COLUMNS, i + row);
        attempt(SINGLE_INSERT, () => this.#insertMany?.run(params));
      }
    }
    const params = new Array<unknown>(COLUMNS);
    for (; i < to; i++) {
      bind(params, 0, i);
      attempt(SINGLE_INSERT, () => this.#insertOne?.run(params));
    }
  }

  #read({ channel, from, to, count, bytes: bytesMax }: MessageRequest): MessageBlock {
    const name = "selectMessages";
    const sequences: number[] = [];
    const parts: Uint8Array[] = [];
    let total = 0;
    attempt(sqliteDialect.statements[name], () => {
      for (const row of this.#statement(name).iterate(channel, from, to, count)) {
        const data = row[1];
        if (!(data instanceof Uint8Array)) continue;
        if (parts.length > 0 && total + data.length > bytesMax) break;
        sequences.push(Number(row[0]));
        parts.push(data);
        total += data.length;
      }
    });
    const starts = new Uint32Array(parts.length + 1);
    const bytes = new Uint8Array(total);
    for (let i = 0; i < parts.length; i++) {
      bytes.set(parts[i]!, starts[i]);
      starts[i + 1] = starts[i]! + parts[i]!.length;
    }
    return { count: parts.length, sequences: Float64Array.from(sequences), starts, bytes };
  }
}

/** Stands for the insert of messages in error texts, which are about one message. */
const SINGLE_INSERT = sqliteDialect.insertMessages(1);

/** @throws DatabaseError `driver_missing` */
export async function loadSqlite(
  load: () => Promise<{ readonly default: SqliteModule }> = () => import("better-sqlite3"),
): Promise<SqliteModule> {
  try {
    return (await load()).default;
  } catch (error) {
    const text = `the SQL driver "sqlite" needs the package better-sqlite3, which cannot be loaded: npm install better-sqlite3 (${errorText(error)})`;
    throw new DatabaseError("driver_missing", text, { cause: error });
  }
}

function attempt<T>(text: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw sqliteFailure(error, executionText(text, error));
  }
}

function sqliteFailure(error: unknown, text: string): DatabaseError {
  if (error instanceof DatabaseError && error.code !== "schema_missing") return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return new DatabaseError(codeOf(code, error), text, { cause: error });
}

function codeOf(code: string, error: unknown): DatabaseErrorCode {
  if (error instanceof DatabaseError) return error.code;
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED") || code === "SQLITE_PROTOCOL") {
    return "connection_lost";
  }
  if (code === "SQLITE_IOERR_FSYNC" || code === "SQLITE_IOERR_DIR_FSYNC") return "sync_failed";
  if (code.startsWith("SQLITE_CONSTRAINT") || code === "SQLITE_TOOBIG" || code === "SQLITE_MISMATCH") return "invalid";
  return "refused";
}

function networkFileSystem(path: string): string | undefined {
  try {
    return NETWORK_FILE_SYSTEMS.get(statfsSync(dirname(path)).type);
  } catch {
    return undefined;
  }
}
