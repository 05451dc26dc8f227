import type { StatementName } from "../statement-name.ts";

/** Statements that may have to go through whole tables before the server says anything. */
const SLOW: ReadonlySet<string> = new Set<StatementName>([
  "selectMessageTotals",
  "deleteMessagesTo",
  "deleteMessagesFrom",
  "deleteMessagesByAge",
  "deletePendingOfChannel",
  "deleteSubscriptionsOf",
]);

/** Whether a statement gets the long deadline when none is configured. */
export function isSlow(name: string): boolean {
  return SLOW.has(name);
}
