import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { DriverName } from "./dialect.ts";

/** The numbered files, beside the build as beside the sources. */
const SCHEMA_DIRECTORY = fileURLToPath(new URL("../schema/", import.meta.url));

/** The schema of a database as text: all of its numbered files, in order, ready to be given to the database's own client. */
export function sqlSchema(driver: DriverName): string {
  const ending = `.${driver}.sql`;
  const files = readdirSync(SCHEMA_DIRECTORY).filter((name) => name.endsWith(ending));
  return files
    .sort()
    .map((name) => readFileSync(`${SCHEMA_DIRECTORY}${name}`, "utf8"))
    .join("\n");
}

/** Statements of a schema: each ends with a semicolon at the end of a line; what stands behind `--` is a comment. */
export function schemaStatements(schema: string): string[] {
  const lines = schema.split("\n").filter((line) => !line.trimStart().startsWith("--"));
  return lines
    .join("\n")
    .split(/;[ \t]*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}
