import { errorText } from "@nats-streaming/kernel";
import { DatabaseError, type MessageColumns, type PooledSession, type SqlParam, type SqlRow } from "../database.ts";
import { executionText } from "../execution-text.ts";
import type { StatementName } from "../statement-name.ts";
import type { FailureKind, ServerConnection, ServerDriver, StatementResult } from "./server-driver.ts";

export interface ServerSessionSetup {
  readonly driver: ServerDriver;
  readonly connection: ServerConnection;
  /** @param isUnclear the connection is broken or in the middle of something: it must not be used again */
  readonly release: (isUnclear: boolean) => void;
}

/** One connection for one read or one transaction. */
export function createServerSession(setup: ServerSessionSetup): PooledSession {
  return new ServerSession(setup);
}

type SessionState = "free" | "in_transaction" | "broken" | "released";

class ServerSession implements PooledSession {
  readonly #driver: ServerDriver;
  readonly #connection: ServerConnection;
  readonly #release: (isUnclear: boolean) => void;
  #state: SessionState = "free";

  constructor(setup: ServerSessionSetup) {
    this.#driver = setup.driver;
    this.#connection = setup.connection;
    this.#release = setup.release;
  }

  async query(statement: StatementName, params: readonly SqlParam[]): Promise<SqlRow[]> {
    return (await this.#execute(statement, params)).rows;
  }

  async run(statement: StatementName, params: readonly SqlParam[]): Promise<number> {
    return (await this.#execute(statement, params)).matched;
  }

  async begin(): Promise<void> {
    // Even an unanswered BEGIN makes the connection useless for anything else.
    this.#state = "in_transaction";
    await this.#control("BEGIN", false);
  }

  async commit(): Promise<void> {
    const done = await this.#control("COMMIT", true);
    this.#state = "free";
    if (done !== "COMMIT") throw new DatabaseError("refused", "sql: the transaction was rolled back");
  }

  async rollback(): Promise<void> {
    await this.#control("ROLLBACK", false);
    this.#state = "free";
  }

  async insertMessages(messages: MessageColumns, from: number, to: number): Promise<void> {
    for (let at = from; at < to; ) {
      const insert = this.#connection.nextInsert(messages, at, to);
      try {
        await insert.execute();
      } catch (error) {
        throw this.#statementFailure(insert.text, error);
      }
      at = insert.to;
    }
  }

  release(): void {
    if (this.#state === "released") return;
    const isUnclear = this.#state !== "free";
    this.#state = "released";
    this.#release(isUnclear);
  }

  async #execute(name: StatementName, params: readonly SqlParam[]): Promise<StatementResult> {
    const text = this.#driver.dialect.statements[name];
    // A statement that this database has no need of.
    if (text === "") return { rows: [], matched: 0 };
    try {
      return await this.#connection.execute(name, text, params);
    } catch (error) {
      throw this.#statementFailure(text, error);
    }
  }

  async #control(
    text: "BEGIN" | "COMMIT" | "ROLLBACK",
    isOutcomeUnknown: boolean,
  ): Promise<"BEGIN" | "COMMIT" | "ROLLBACK"> {
    try {
      return await this.#connection.control(text);
    } catch (error) {
      const kind = this.#note(error);
      // An answer to COMMIT that is an error means that the transaction is rolled back.
      throw new DatabaseError(codeOf(kind), errorText(error), {
        cause: error,
        isOutcomeUnknown: isOutcomeUnknown && kind === "lost",
      });
    }
  }

  #statementFailure(text: string, error: unknown): DatabaseError {
    return new DatabaseError(codeOf(this.#note(error)), executionText(text, error), { cause: error });
  }

  #note(error: unknown): FailureKind {
    const kind = this.#driver.classify(error);
    if (kind === "lost") this.#state = "broken";
    return kind;
  }
}

/** The code that the store gets to see. */
export function codeOf(kind: FailureKind): "connection_lost" | "refused" | "invalid" {
  switch (kind) {
    case "lost":
    case "retry":
    case "too_many_clients":
      return "connection_lost";
    case "missing_table":
    case "refused":
      return "refused";
    case "invalid":
      return "invalid";
  }
}
