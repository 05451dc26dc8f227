import { durationToMillis, parseDuration } from "@nats-streaming/kernel";
import { DatabaseError } from "../database.ts";

/** What a data source of SQLite says. */
export interface SqliteSource {
  /** File name, or `:memory:`. */
  readonly path: string;
  /** Longest wait for another process that has the file locked, in milliseconds. */
  readonly busyMillis: number;
  /** FULL: a commit survives a power loss. NORMAL: it survives the process, and the database stays consistent. */
  readonly synchronous: "FULL" | "NORMAL";
}

/** Long enough for another process to finish, short enough for publishers, who wait 30 seconds by default. */
const BUSY_MILLIS_DEFAULT = 5000;

/**
 * Reads a data source: a file name, or `file:<name>?<option>=<value>&…` with the options `busy_timeout` (a duration, 5s when
 * left out) and `synchronous` (`full`, which is the default, or `normal`).
 * @throws DatabaseError `bad_source`
 */
export function parseSqliteSource(source: string): SqliteSource {
  if (!source.startsWith("file:")) return { path: source, busyMillis: BUSY_MILLIS_DEFAULT, synchronous: "FULL" };
  const [name = "", options = ""] = splitOnce(source.slice("file:".length), "?");
  // `file:///var/db` and `file:/var/db` are one and the same.
  const path = decode(name.startsWith("///") ? name.slice(2) : name);
  if (path === "") throw badSource("there is no file name in it");
  let busyMillis = BUSY_MILLIS_DEFAULT;
  let synchronous: SqliteSource["synchronous"] = "FULL";
  for (const option of options.split("&").filter((one) => one !== "")) {
    const [key, value] = splitOnce(option, "=");
    switch (key.toLowerCase()) {
      case "busy_timeout":
        busyMillis = parseBusy(value);
        break;
      case "synchronous":
        synchronous = parseSynchronous(value);
        break;
      default:
        throw badSource(`unknown option "${key}" (known are busy_timeout and synchronous)`);
    }
  }
  return { path, busyMillis, synchronous };
}

function parseBusy(value: string): number {
  const parsed = parseDuration(value);
  if (parsed.kind === "invalid") throw badSource(`busy_timeout: ${parsed.message}`);
  const millis = Math.ceil(durationToMillis(parsed.duration));
  if (millis < 0) throw badSource("busy_timeout must not be negative");
  return millis;
}

function parseSynchronous(value: string): SqliteSource["synchronous"] {
  const text = value.toUpperCase();
  if (text === "FULL" || text === "NORMAL") return text;
  throw badSource(`synchronous must be full or normal, not "${value}"`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badSource(`"${text}" is not percent-encoded as it should be`);
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function badSource(what: string): DatabaseError {
  return new DatabaseError("bad_source", `sql: unable to read the sqlite data source: ${what}`);
}
