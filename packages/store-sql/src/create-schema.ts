import { type Logger, silentLogger } from "@nats-streaming/kernel";
import { driverName, loadDatabase } from "./drivers.ts";
import { openFailure } from "./errors.ts";
import { schemaStatements, sqlSchema } from "./schema.ts";

/** Which database gets tables. */
export interface SchemaSetup {
  readonly driver: string;
  readonly source: string;
  readonly logger?: Logger;
}

/**
 * Makes the tables in a database that has none yet, as an administrator does with the text of `sqlSchema`. A SQLite store
 * does it by itself.
 * @throws (rejects) StoreError `invalid_options`, `read_failed` with the database's words
 */
export async function createSqlSchema({ driver, source, logger = silentLogger }: SchemaSetup): Promise<void> {
  try {
    const name = driverName(driver);
    const database = await loadDatabase({ driver: name, source, maxOpenConns: 1, bulkInsertLimit: 0, logger });
    try {
      await database.createSchema(schemaStatements(sqlSchema(name)));
    } finally {
      await database.close();
    }
  } catch (error) {
    throw openFailure(error);
  }
}
