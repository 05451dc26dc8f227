import type { FailureKind } from "../servers/server-driver.ts";

/**
 * What an error of the driver means. An answer of the server carries a five-character code; without one, the network
 * failed or the driver gave up.
 * @see https://www.postgresql.org/docs/15/errcodes-appendix.html
 */
export function classifyPostgresError(error: unknown): FailureKind {
  const code = sqlState(error);
  if (code === undefined) return "lost";
  switch (code) {
    case "53300":
      return "too_many_clients";
    case "42P01":
      return "missing_table";
    // Deadlock, serialization failure, lock not available, statement timeout or cancelled.
    case "40P01":
    case "40001":
    case "55P03":
    case "57014":
      return "retry";
    // Shutdown, crash of another session, starting or stopping, idle session ended, idle transaction ended.
    case "57P01":
    case "57P02":
    case "57P03":
    case "57P05":
    case "25P03":
      return "lost";
  }
  switch (code.slice(0, 2)) {
    // Connection exception.
    case "08":
      return "lost";
    // Data exception, integrity constraint.
    case "22":
    case "23":
      return "invalid";
    default:
      return "refused";
  }
}

function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("severity" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
