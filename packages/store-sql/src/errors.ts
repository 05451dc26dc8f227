import { StoreError } from "@nats-streaming/store";
import { DatabaseError } from "./database.ts";

/** What a failed write means for the store. What is no failure of the database is thrown on. */
export function writeFailure(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (!(error instanceof DatabaseError)) throw error;
  switch (error.code) {
    case "lock_lost":
    case "sync_failed":
      return new StoreError("sync_failed", error.message, { cause: error });
    case "closed":
      return new StoreError("closed", error.message, { cause: error });
    default:
      return new StoreError("write_failed", error.message, { cause: error });
  }
}

/** What a failed read means for whoever asked. */
export function readFailure(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (!(error instanceof DatabaseError)) throw error;
  return new StoreError(error.code === "closed" ? "closed" : "read_failed", error.message, { cause: error });
}

/** What it means that the database could not be opened: a mistake of the configuration, or a database that is away. */
export function openFailure(error: unknown): StoreError {
  if (error instanceof DatabaseError && OPTION_CODES.has(error.code)) {
    return new StoreError("invalid_options", error.message, { cause: error });
  }
  return readFailure(error);
}

const OPTION_CODES: ReadonlySet<string> = new Set(["bad_source", "driver_missing", "schema_missing"]);

export function corrupt(text: string, cause?: unknown): StoreError {
  return new StoreError("corrupt", text, { cause });
}
