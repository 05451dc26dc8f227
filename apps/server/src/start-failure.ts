import { BrokerError } from "@nats-streaming/broker";
import { BusError } from "@nats-streaming/kernel";
import { StoreError } from "@nats-streaming/store";

/** Why a start failed, in the words of the original's log, which scripts look for. */
export interface StartFailure {
  /** `nats`: a line of the embedded NATS server's, which stands alone; `streaming`: behind `Failed to start: `. */
  readonly source: "nats" | "streaming";
  readonly reason: string;
  /** More words for people, where the original's are few; to be logged before the reason. */
  readonly detail: string;
}

/** What a start that threw says. */
export function startFailure(error: unknown): StartFailure {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof BrokerError) return { source: "nats", reason, detail: "" };
  if (error instanceof BusError && error.code === "connect_failed") {
    const original = originalText(codeOf(error.cause));
    if (original !== undefined) return { source: "streaming", reason: original, detail: reason };
  }
  return { source: "streaming", reason, detail: remedyOf(error) };
}

/** What to do about a failure whose words are the original's. */
function remedyOf(error: unknown): string {
  if (!(error instanceof StoreError) || !error.message.startsWith("unable to prepare statement")) return "";
  return "The database is there but not its tables: if the database has no tables yet, -sql_create_schema makes them";
}

/** @see operations.md 4 */
function originalText(code: string): string | undefined {
  if (code.startsWith("AUTH")) return "nats: Authorization Violation";
  if (code === "CONNECTION_REFUSED" || code === "TIMEOUT") return "nats: no servers available for connection";
  return undefined;
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}
