import { type Logger, systemClock } from "@nats-streaming/kernel";
import { type Database, DatabaseError, type DriverOptions, type SessionPool } from "./database.ts";
import type { DriverName } from "./dialect.ts";
import { schemaStatements, sqlSchema } from "./schema.ts";
import { createServerDatabase } from "./server-database.ts";
import { createSqliteDatabase } from "./sqlite/sqlite-database.ts";

export interface DatabaseOptions {
  readonly driver: string;
  readonly source: string;
  readonly maxOpenConns: number;
  readonly bulkInsertLimit: number;
  readonly logger: Logger;
}

const DRIVERS: readonly string[] = ["sqlite", "postgres", "mysql"] satisfies DriverName[];

/** @throws DatabaseError `bad_source`, in the original's words */
export function driverName(driver: string): DriverName {
  if (!isDriver(driver)) {
    throw new DatabaseError("bad_source", `sql: unknown driver ${JSON.stringify(driver)} (forgotten import?)`);
  }
  return driver;
}

function isDriver(driver: string): driver is DriverName {
  return DRIVERS.includes(driver);
}

/** The database of a driver, which is loaded now. Nothing is connected yet. @throws (rejects) DatabaseError */
export async function loadDatabase(options: DatabaseOptions): Promise<Database> {
  const driver = driverName(options.driver);
  const { source, maxOpenConns, bulkInsertLimit, logger } = options;
  switch (driver) {
    case "sqlite":
      return createSqliteDatabase({ source, schema: schemaStatements(sqlSchema(driver)), logger });
    case "postgres":
    case "mysql": {
      // Sockets live in real time, whatever clock the store is given.
      const given: DriverOptions = { source, maxOpenConns, bulkInsertLimit, logger, clock: systemClock() };
      return createServerDatabase(await loadPool(driver, given));
    }
  }
}

async function loadPool(driver: "postgres" | "mysql", options: DriverOptions): Promise<SessionPool> {
  if (driver === "postgres") return (await import("./postgres/postgres-pool.ts")).createPostgresPool(options);
  return (await import("./mysql/mysql-pool.ts")).createMysqlPool(options);
}
