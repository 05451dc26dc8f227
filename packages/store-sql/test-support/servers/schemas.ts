import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Tables as the original's administrators have them: without anything of this server. */
export function originalSchema(driver: "postgres" | "mysql"): string {
  return schemaFile(`0001-original.${driver}.sql`);
}

/** Tables with everything of this server. */
export function fullSchema(driver: "postgres" | "mysql"): string {
  return `${originalSchema(driver)}\n${schemaFile(`0002-redeliveries.${driver}.sql`)}`;
}

function schemaFile(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../../schema/${name}`, import.meta.url)), "utf8");
}
