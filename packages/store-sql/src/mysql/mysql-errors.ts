import type { FailureKind } from "../servers/server-driver.ts";

/** Numbers of the server's errors that do not simply mean no. @see https://mariadb.com/kb/en/mariadb-error-code-reference/ */
const KINDS: ReadonlyMap<number, FailureKind> = new Map([
  // Too many connections; the user has too many.
  [1040, "too_many_clients"],
  [1203, "too_many_clients"],
  [1226, "too_many_clients"],
  // Server shutting down, session killed, connection aborted, query interrupted by that.
  [1053, "lost"],
  [1152, "lost"],
  [1184, "lost"],
  [1317, "lost"],
  [1927, "lost"],
  [3169, "lost"],
  [4031, "lost"],
  // Network: packets that cannot be read, written or put in order.
  [1158, "lost"],
  [1159, "lost"],
  [1160, "lost"],
  [1161, "lost"],
  // A packet longer than allowed: the server ends the connection behind this answer.
  [1153, "lost"],
  // Waited too long for a lock, deadlock, cluster node not ready.
  [1205, "retry"],
  [1213, "retry"],
  [1047, "retry"],
  [1146, "missing_table"],
  // NULL where none may be, duplicate key, out of range, truncated, no such character, too long, no such foreign key.
  [1048, "invalid"],
  [1062, "invalid"],
  [1264, "invalid"],
  [1265, "invalid"],
  [1366, "invalid"],
  [1406, "invalid"],
  [1452, "invalid"],
]);

/** What an error of the driver means. An answer of the server has a number; without one, the network failed. */
export function classifyMysqlError(error: unknown): FailureKind {
  if (!(error instanceof Error) || !("errno" in error) || typeof error.errno !== "number") return "lost";
  // Errors of the operating system have a number too, below zero.
  if (error.errno < 1000) return "lost";
  return KINDS.get(error.errno) ?? "refused";
}
