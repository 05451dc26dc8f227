import { errorText, quoteName } from "@nats-streaming/kernel";

/** What clients and logs get to see of a statement that failed. @see sql-store.md 3 */
export function executionText(statement: string, cause: unknown): string {
  return `sql: error executing ${quoteName(statement)}: ${errorText(cause)}`;
}

/** What is said at opening when a statement cannot be prepared, because of a missing table for instance. */
export function preparationText(statement: string, cause: unknown): string {
  return `unable to prepare statement ${quoteName(statement)}: ${errorText(cause)}`;
}
