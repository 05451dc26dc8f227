import type { DatabaseFacts, MessageColumns, SqlParam, SqlRow } from "../database.ts";
import type { Dialect } from "../dialect.ts";

/** What is special to one kind of database server. {@link createServerPool} makes a pool of sessions of it. */
export interface ServerDriver {
  readonly dialect: Dialect;
  /** Bound of {@link ServerDriver.endOnServer}, and of waiting for a free connection. */
  readonly patienceMillis: number;
  /** Loads what connecting needs. @throws DatabaseError `driver_missing`, `bad_source` */
  load(): Promise<void>;
  /** Makes a connection, within its deadlines. Rejects with what the server or the network said. */
  connect(): Promise<ServerConnection>;
  /** What the store has to know of the database, when every statement is prepared. */
  inspect(connection: ServerConnection, hasRedeliveries: boolean): Promise<DatabaseFacts>;
  /** What an error thrown by a connection means. */
  classify(error: unknown): FailureKind;
  /**
   * Ends another session on the server, if it is still there. Once more until it is gone.
   * @returns true when the server knows it no longer, so that nothing it was asked for can still happen
   */
  endOnServer(connection: ServerConnection, lost: ServerConnection): Promise<boolean>;
}

/** What an error of a connection means. */
export type FailureKind =
  /** The network failed, or the server ended the session. */
  | "lost"
  /** The server answered that it cannot now, such as after a deadlock. */
  | "retry"
  | "too_many_clients"
  /** The statement names a table that is not there. */
  | "missing_table"
  /** The statement with these values will never be accepted. */
  | "invalid"
  /** Every other answer. */
  | "refused";

/** One connection to a server. Calls are made one after the other. What they throw is the driver's own error. */
export interface ServerConnection {
  /** False from the moment that it is known to be broken. */
  readonly isUsable: boolean;
  /** Asks the server whether it understands a statement, without executing it. */
  prepare(text: string): Promise<void>;
  /** A statement of the schema, without parameters. */
  define(text: string): Promise<void>;
  /** @param name tells statements apart, so that each is prepared once per connection */
  execute(name: string, text: string, params: readonly SqlParam[]): Promise<StatementResult>;
  /** @returns what was done: the server answers COMMIT in a failed transaction with ROLLBACK */
  control(text: "BEGIN" | "COMMIT" | "ROLLBACK"): Promise<"BEGIN" | "COMMIT" | "ROLLBACK">;
  /** The next insert of messages from `from` on, as many as one statement takes. */
  nextInsert(messages: MessageColumns, from: number, to: number): InsertStatement;
  /** Says farewell and ends it, within the deadline. Never rejects. */
  end(): Promise<void>;
  /** Ends it at once. */
  destroy(): void;
}

export interface InsertStatement {
  /** For the error text. */
  readonly text: string;
  /** The first message that it does not insert. */
  readonly to: number;
  execute(): Promise<void>;
}

export interface StatementResult {
  readonly rows: SqlRow[];
  /** Rows that matched, changed or not. */
  readonly matched: number;
}
