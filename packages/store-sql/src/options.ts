import { errorText } from "@nats-streaming/kernel";
import { StoreError } from "@nats-streaming/store";
import { driverName } from "./drivers.ts";

/** How the database is reached and written to. @see sql-store.md 2 */
export interface SqlStoreOptions {
  /** `sqlite`, `postgres` or `mysql`. */
  readonly driver: string;
  /** What the driver connects to: for SQLite a file name. */
  readonly source: string;
  /** Write every message, pending sequence and ack by itself. */
  readonly noCaching: boolean;
  /** Connections at the same time, 0 for the driver's own limit; without meaning for SQLite. */
  readonly maxOpenConns: number;
  /** Messages per insert statement; below 5: as many as the driver likes. */
  readonly bulkInsertLimit: number;
  /** How long a batch waits for a database that is away, before its messages are refused. */
  readonly retryMillis: number;
}

/** Long enough for a database to be restarted, short enough for publishers, who wait 30 seconds by default. */
const RETRY_MILLIS_DEFAULT = 10_000;

/** What holds when nothing is said. Driver and source have to be said. */
export const defaultSqlStoreOptions: SqlStoreOptions = {
  driver: "",
  source: "",
  noCaching: false,
  maxOpenConns: 0,
  bulkInsertLimit: 0,
  retryMillis: RETRY_MILLIS_DEFAULT,
};

/** Fills in defaults and checks. @throws StoreError `invalid_options`, with the text that a failed start prints */
export function sqlStoreOptions(given: Partial<SqlStoreOptions>): SqlStoreOptions {
  const options = { ...defaultSqlStoreOptions, ...given };
  if (options.driver === "") throw invalid("sql: no driver given: set it to sqlite, postgres or mysql");
  try {
    driverName(options.driver);
  } catch (error) {
    throw invalid(errorText(error));
  }
  if (options.source === "") throw invalid("sql: no data source given: for sqlite it is the name of a file");
  for (const key of ["maxOpenConns", "bulkInsertLimit"] as const) {
    if (!Number.isSafeInteger(options[key])) throw invalid(`sql: ${key} must be a whole number, not ${options[key]}`);
  }
  if (!Number.isSafeInteger(options.retryMillis) || options.retryMillis < 0) {
    throw invalid(`sql: retryMillis must be a whole number of milliseconds, not ${options.retryMillis}`);
  }
  return options;
}

function invalid(text: string): StoreError {
  return new StoreError("invalid_options", text);
}
