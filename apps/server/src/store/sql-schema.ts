import { errorText } from "@nats-streaming/kernel";
import { createSqlSchema, sqlSchema } from "@nats-streaming/store-sql";
import type { SqlStoreOptions } from "../options/streaming-options.ts";

/** What a request for a schema comes to: a text for standard output, or one sentence for standard error. */
export type SchemaOutcome =
  | { readonly kind: "done"; readonly text: string }
  | { readonly kind: "failed"; readonly text: string };

const DRIVERS = ["sqlite", "postgres", "mysql"] as const;

/** The schema of the driver, ready to be given to the database's own client. */
export function printSchema({ driver }: SqlStoreOptions): SchemaOutcome {
  const known = DRIVERS.find((one) => one === driver);
  if (known === undefined) return noDriver(driver);
  return { kind: "done", text: sqlSchema(known) };
}

/** Creates the schema in a database that has none yet. */
export async function createSchema({ driver, source }: SqlStoreOptions): Promise<SchemaOutcome> {
  if (!DRIVERS.some((one) => one === driver)) return noDriver(driver);
  if (source === "") return { kind: "failed", text: "no database to create the schema in: name it with -sql_source" };
  try {
    await createSqlSchema({ driver, source });
    return { kind: "done", text: "The schema has been created" };
  } catch (error) {
    return { kind: "failed", text: errorText(error) };
  }
}

function noDriver(driver: string): SchemaOutcome {
  const named = driver === "" ? "no driver given" : `unknown driver "${driver}"`;
  return { kind: "failed", text: `${named}: name it with -sql_driver sqlite, postgres or mysql` };
}
