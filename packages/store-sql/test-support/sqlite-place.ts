import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, silentLogger } from "@nats-streaming/kernel";
import type { Database } from "../src/database.ts";
import { schemaStatements, sqlSchema } from "../src/schema.ts";
import { inThreadPort } from "../src/sqlite/engine-port.ts";
import { createSqliteDatabase } from "../src/sqlite/sqlite-database.ts";

/** A directory for the databases of a test file. */
export interface SqlitePlace {
  /** Data source of a database; commits survive the process only, as power losses are not tested here. */
  source(name: string): string;
  path(name: string): string;
  /** A database on this thread, so that no test needs the built worker. */
  open(name: string, logger?: Logger): Database;
  remove(): void;
}

interface Turn {
  over: Promise<unknown>;
}

/** Two databases on one thread would wait for each other for ever: whoever writes lets the other one finish first. */
function inTurns(database: Database, turn: Turn): Database {
  const next = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.over.then(work);
    turn.over = done.catch(() => {});
    return done;
  };
  return {
    open: () => next(() => database.open()),
    createSchema: (statements) => database.createSchema(statements),
    query: (statement, params) => database.query(statement, params),
    transaction: (work) => next(() => database.transaction(work)),
    write: (batch) => next(() => database.write(batch)),
    readMessages: (request) => database.readMessages(request),
    close: () => next(() => database.close()),
  };
}

export function sqlitePlace(): SqlitePlace {
  const turns = new Map<string, Turn>();
  const turnOf = (name: string): Turn => {
    const turn = turns.get(name) ?? { over: Promise.resolve() };
    turns.set(name, turn);
    return turn;
  };
  const directory = mkdtempSync(join(tmpdir(), "store-sql-"));
  const schema = schemaStatements(sqlSchema("sqlite"));
  const path = (name: string): string => join(directory, `${name}.db`);
  const source = (name: string): string => `file:${path(name)}?synchronous=normal&busy_timeout=500ms`;
  return {
    path,
    source,
    open: (name, logger = silentLogger) =>
      inTurns(createSqliteDatabase({ source: source(name), schema, logger, startEngine: inThreadPort }), turnOf(name)),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
