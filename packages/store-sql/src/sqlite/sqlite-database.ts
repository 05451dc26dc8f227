import type { Logger } from "@nats-streaming/kernel";
import {
  type Database,
  DatabaseError,
  type DatabaseFacts,
  type MessageBlock,
  type MessageRequest,
  type Session,
  type SqlParam,
  type SqlRow,
  type WriteBatch,
} from "../database.ts";
import type { StatementName } from "../statement-name.ts";
import { type EnginePort, workerPort } from "./engine-port.ts";
import type { EngineAnswers, EngineRequest, OpenedEngine } from "./engine-protocol.ts";
import { parseSqliteSource, type SqliteSource } from "./sqlite-source.ts";

export interface SqliteOptions {
  /** @see parseSqliteSource */
  readonly source: string;
  /** Statements that make the tables. */
  readonly schema: readonly string[];
  readonly logger: Logger;
  /** Starts an engine; a thread of its own when left out. */
  readonly startEngine?: () => EnginePort;
}

/** A database in a file of this machine. @throws DatabaseError `bad_source` */
export function createSqliteDatabase(options: SqliteOptions): Database {
  return new SqliteDatabase(options);
}

class SqliteDatabase implements Database {
  readonly #options: SqliteOptions;
  readonly #source: SqliteSource;
  #port: EnginePort | undefined;
  #opening: Promise<OpenedEngine> | undefined;
  /** Ends when nobody has a transaction open, so that transactions do not meet on the one connection. */
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: SqliteOptions) {
    this.#options = options;
    this.#source = parseSqliteSource(options.source);
  }

  open(): Promise<DatabaseFacts> {
    return this.#opened();
  }

  async createSchema(_statements: readonly string[]): Promise<void> {
    // Opening makes the tables that are missing.
    await this.#opened();
  }

  query(statement: StatementName, params: readonly SqlParam[]): Promise<SqlRow[]> {
    return this.#request({ kind: "query", statement, params });
  }

  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      await this.#request({ kind: "begin" });
      let result: T;
      try {
        result = await work({
          query: (statement, params) => this.#request({ kind: "query", statement, params }),
          run: (statement, params) => this.#request({ kind: "run", statement, params }),
        });
      } catch (error) {
        await this.#request({ kind: "rollback" }).catch(() => {});
        throw error;
      }
      await this.#request({ kind: "commit" });
      return result;
    });
  }

  write(batch: WriteBatch): Promise<void> {
    return this.#inTurn(() => this.#request({ kind: "write", batch }));
  }

  readMessages(request: MessageRequest): Promise<MessageBlock> {
    return this.#request({ kind: "read", request });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#turn.catch(() => {});
    await this.#port?.request({ kind: "close" }).catch(() => {});
    await this.#port?.terminate().catch(() => {});
    this.#port = undefined;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #request<Request extends EngineRequest>(request: Request): Promise<EngineAnswers[Request["kind"]]> {
    await this.#opened();
    const port = this.#port;
    if (port === undefined) throw closed();
    return port.request(request);
  }

  /** A thread that has died is followed by a new one, which reads what the dead one committed. */
  #opened(): Promise<OpenedEngine> {
    if (this.#isClosed) return Promise.reject(closed());
    if (this.#opening === undefined || this.#port?.isAlive === false) {
      const port = (this.#options.startEngine ?? workerPort)();
      this.#port = port;
      const opening = this.#open(port);
      this.#opening = opening;
      opening.catch(() => {
        if (this.#opening === opening) this.#opening = undefined;
      });
    }
    return this.#opening;
  }

  async #open(port: EnginePort): Promise<OpenedEngine> {
    try {
      const opened = await port.request({ kind: "open", source: this.#source, schema: this.#options.schema });
      for (const warning of opened.warnings) this.#options.logger.warn(warning);
      return opened;
    } catch (error) {
      await port.terminate();
      throw error;
    }
  }
}

function closed(): DatabaseError {
  return new DatabaseError("closed", "sql: database is closed");
}
