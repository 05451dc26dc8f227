import type { Clock, Logger } from "@nats-streaming/kernel";
import type { StatementName } from "./statement-name.ts";

/** What may be bound. Numbers are safe integers; a byte array is not changed by anybody until the call has settled. */
export type SqlParam = null | number | bigint | string | Uint8Array;

/**
 * What a column may hold. A 64-bit integer is never given as a number that lost digits: a driver gives a bigint or decimal
 * digits where the value is no safe integer. Read with the functions of sql-values.ts, which take every form.
 */
export type SqlValue = null | number | bigint | string | boolean | Uint8Array;

/** Columns in the order of the statement (see {@link StatementName}). */
export type SqlRow = readonly SqlValue[];

/**
 * A database as the store sees it. Every call settles within the deadlines of the data source, however the database fares:
 * nothing here waits for ever. After `connection_lost` the next call tries to connect again.
 *
 * All calls may be made at the same time; `write` and `transaction` are made one after the other by the store itself.
 * @throws (rejects) DatabaseError, from every call
 */
export interface Database {
  /** Connects and checks that every table and column is there. Called once, before everything else. */
  open(): Promise<DatabaseFacts>;
  /** Makes the tables, as an administrator does for a database server. Instead of `open`, not after it. */
  createSchema(statements: readonly string[]): Promise<void>;
  /** A read outside of any transaction. */
  query(statement: StatementName, params: readonly SqlParam[]): Promise<SqlRow[]>;
  /** Runs `work` in a transaction that writes. What `work` throws rolls back and is thrown on. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Makes a batch durable, in one transaction (or see {@link WriteBatch.oneByOne}). */
  write(batch: WriteBatch): Promise<void>;
  /** Messages of one channel in ascending order, in one block of memory that belongs to the caller. */
  readMessages(request: MessageRequest): Promise<MessageBlock>;
  /** Waits for what is under way. Idempotent; never rejects. */
  close(): Promise<void>;
}

/** What {@link Database.open} found out. */
export interface DatabaseFacts {
  /** The longest encoded message that the data column of Messages takes; Infinity where there is no such limit. */
  readonly maxMessageBytes: number;
  /** The longest channel name and client ID, in characters, that their columns take; Infinity where there is no limit. */
  readonly maxNameLength: number;
  /** Whether the table for counts of redeliveries is there, which the original does not have. */
  readonly hasRedeliveries: boolean;
}

/** One connection, inside a transaction. Calls are made one after the other. */
export interface Session {
  query(statement: StatementName, params: readonly SqlParam[]): Promise<SqlRow[]>;
  /** @returns rows that matched, changed or not (MySQL: FOUND_ROWS) */
  run(statement: StatementName, params: readonly SqlParam[]): Promise<number>;
}

/** A statement by its name, with its values. */
export interface Statement {
  readonly name: StatementName;
  readonly params: readonly SqlParam[];
}

/** Statements that belong together: all or none of them. */
export type Operation = readonly Statement[];

/** What a flush makes durable, in the order of the fields. It is handed over: nobody else changes it until it is durable. */
export interface WriteBatch {
  /**
   * Owner ID of the exclusive lock: `guardLock` runs first in every transaction, and when it matches no row the transaction
   * is rolled back with `lock_lost`. Empty: no lock is held, nothing is checked.
   */
  readonly guard: string;
  readonly before: readonly Operation[];
  readonly messages: MessageColumns;
  readonly after: readonly Operation[];
  /** No caching: each operation and each message is a transaction of its own, in order, up to the first that fails. */
  readonly oneByOne: boolean;
}

/** Messages to insert, ascending within a channel: `bytes[starts[i], starts[i + 1])` is the encoded message `i`. */
export interface MessageColumns {
  readonly count: number;
  /** Channel numbers. */
  readonly channels: Int32Array;
  readonly sequences: Float64Array;
  /** Nanoseconds since 1970. */
  readonly timestamps: BigInt64Array;
  /** One more than there are messages. */
  readonly starts: Uint32Array;
  readonly bytes: Uint8Array;
}

/** Which messages are read. */
export interface MessageRequest {
  readonly channel: number;
  /** First and last sequence that is asked for. */
  readonly from: number;
  readonly to: number;
  /** At most so many, at least one if there is one. */
  readonly count: number;
  /** At most so many bytes, but for the first message. */
  readonly bytes: number;
}

/** `bytes[starts[i], starts[i + 1])` is the message of `sequences[i]`. */
export interface MessageBlock {
  readonly count: number;
  readonly sequences: Float64Array;
  readonly starts: Uint32Array;
  readonly bytes: Uint8Array;
}

/** What a database did to us. Outside the SQL store it is a `StoreError` with the same text. */
export type DatabaseErrorCode =
  /**
   * The database cannot be spoken to now: connection refused, broken or timed out, server shutting down or starting,
   * too many clients, transaction killed as a victim (deadlock, serialization), file busy beyond the deadline.
   * Remedy: Bring the database back: trying again may help, and the server does.
   */
  | "connection_lost"
  /**
   * The database answered and will not do this now: disk full, no permission.
   * Remedy: Make room, or grant what the text names.
   */
  | "refused"
  /**
   * This statement with these values will never be accepted: constraint, value too long, characters that do not fit.
   * Remedy: Shorten the name or message that the text names; for characters, use a database with UTF-8.
   */
  | "invalid"
  /**
   * Somebody else has the exclusive lock now. Nothing was written.
   * Remedy: The other server serves; find out why this one stood still.
   */
  | "lock_lost"
  /**
   * A sync failed: what is durable is unknown, and nothing may be written any more.
   * Remedy: Check the disk, then start again.
   */
  | "sync_failed"
  /**
   * At opening: tables are missing, or were made by a newer server.
   * Remedy: `-sql_create_schema` makes the tables in an empty database.
   */
  | "schema_missing"
  /**
   * At opening: the data source cannot be read, or the driver is none of ours.
   * Remedy: Correct `-sql_source` as the text says.
   */
  | "bad_source"
  /**
   * At opening: the package of the database's client is not installed or cannot be loaded.
   * Remedy: Install what the text names.
   */
  | "driver_missing"
  /** The database was closed. Remedy: None: the server is stopping. */
  | "closed";

/** What else is known of a {@link DatabaseError}. */
export interface DatabaseErrorOptions extends ErrorOptions {
  /** The commit may have taken place: it was asked for and no answer came. */
  readonly isOutcomeUnknown?: boolean;
}

/** What a database did to us. The text is ready for people: see `executionText` for failed statements. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly code: DatabaseErrorCode;
  readonly isOutcomeUnknown: boolean;

  constructor(code: DatabaseErrorCode, message: string, options: DatabaseErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.isOutcomeUnknown = options.isOutcomeUnknown ?? false;
  }
}

/** What every driver is made from. Drivers of database servers make a {@link SessionPool} of it. */
export interface DriverOptions {
  /** As configured; its form is the driver's business. */
  readonly source: string;
  /** Connections at the same time; 0 or below: unlimited, which a driver bounds by a default of its own. */
  readonly maxOpenConns: number;
  /** Messages per insert statement; below 5: the driver's own. */
  readonly bulkInsertLimit: number;
  /** Deadlines, back-off and the age of idle connections run on it. */
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Connections to a database server: all that a PostgreSQL or MySQL driver has to bring. `createServerDatabase` makes a
 * {@link Database} of it.
 */
export interface SessionPool {
  /** As {@link Database.open}. */
  open(): Promise<DatabaseFacts>;
  /** Runs statements of a schema file one by one; needs no table to be there. */
  createSchema(statements: readonly string[]): Promise<void>;
  /** A connection for one read or one transaction, made if need be; waits for a free one within the deadline. */
  acquire(): Promise<PooledSession>;
  /** Ends all connections. Idempotent; never rejects. */
  close(): Promise<void>;
}

export interface PooledSession extends Session {
  begin(): Promise<void>;
  /** A failure has {@link DatabaseError.isOutcomeUnknown} unless the server said that it rolled back. */
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** Inserts messages `[from, to)`, in as few statements as are allowed (packet size, placeholders, bulkInsertLimit). */
  insertMessages(messages: MessageColumns, from: number, to: number): Promise<void>;
  /** Gives the connection back; a broken one, or one in an open transaction, is ended instead. Never throws. */
  release(): void;
}
