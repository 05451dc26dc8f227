import { durationToMillis, parseDuration } from "@nats-streaming/kernel";
import { DatabaseError } from "../database.ts";

/** How much of TLS is asked for. The original's driver knows these four. */
export type PostgresTlsMode = "disable" | "require" | "verify-ca" | "verify-full";

/** A PostgreSQL data source, read. What is undefined is left to the usual PG* environment variables and defaults. */
export interface PostgresSource {
  /** A name, an address, or the folder of a unix socket (begins with `/`). */
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly tls: PostgresTls;
  /** 0: no bound given. */
  readonly connectTimeoutMillis: number;
  /** Longest silence of the server while an answer is due; 0: none given. */
  readonly readTimeoutMillis: number;
  /** Longest time that sending may stand still; 0: none given. */
  readonly writeTimeoutMillis: number;
  readonly applicationName: string | undefined;
  /** Everything else: settings of the session, such as `search_path`. */
  readonly settings: ReadonlyMap<string, string>;
}

export interface PostgresTls {
  readonly mode: PostgresTlsMode;
  /** Files in PEM. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly rootCertificate: string | undefined;
}

const TLS_MODES: readonly PostgresTlsMode[] = ["disable", "require", "verify-ca", "verify-full"];

/** Keys that the original's driver knows and that change nothing here. */
const WITHOUT_EFFECT = new Set(["fallback_application_name", "binary_parameters", "disable_prepared_binary_result"]);

/**
 * Reads a data source in either of its forms: `key=value` pairs, or a `postgres://` or `postgresql://` URL.
 * `readTimeout` and `writeTimeout` are matched without regard to case.
 * @param environment where `PGSSLMODE` is looked up when the source has no `sslmode`
 * @throws DatabaseError `bad_source`; the text never contains a value of the source that could be its password
 * @see sql-store.md 2
 */
export function parsePostgresSource(
  source: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): PostgresSource {
  const pairs = /^postgres(ql)?:\/\//.test(source) ? readUrl(source) : readPairs(source);
  const take = (key: string): string | undefined => {
    const value = pairs.get(key);
    pairs.delete(key);
    return value === "" ? undefined : value;
  };

  const readTimeoutMillis = takeDeadline(pairs, "readTimeout");
  const writeTimeoutMillis = takeDeadline(pairs, "writeTimeout");
  const host = take("host");
  const tlsMode = take("sslmode") ?? environment["PGSSLMODE"] ?? "require";
  const mode = TLS_MODES.find((known) => known === tlsMode);
  if (mode === undefined) {
    throw invalid(
      `unsupported sslmode "${tlsMode}"; only "require" (default), "verify-full", "verify-ca", and "disable" supported`,
    );
  }
  const encoding = take("client_encoding");
  if (encoding !== undefined && !/^utf-?8$/i.test(encoding)) {
    throw invalid("client_encoding must be absent or 'UTF8'");
  }
  for (const key of WITHOUT_EFFECT) pairs.delete(key);

  return {
    host,
    port: wholeNumber("port", take("port"), 65_535),
    user: take("user"),
    password: take("password"),
    database: take("dbname"),
    tls: {
      // A unix socket is not encrypted, whatever is asked for.
      mode: host?.startsWith("/") ? "disable" : mode,
      certificate: take("sslcert"),
      key: take("sslkey"),
      rootCertificate: take("sslrootcert"),
    },
    connectTimeoutMillis: (wholeNumber("connect_timeout", take("connect_timeout"), 86_400) ?? 0) * 1000,
    readTimeoutMillis,
    writeTimeoutMillis,
    applicationName: take("application_name"),
    settings: pairs,
  };
}

function takeDeadline(pairs: Map<string, string>, name: "readTimeout" | "writeTimeout"): number {
  let millis = 0;
  for (const [key, value] of pairs) {
    if (key.toLowerCase() !== name.toLowerCase()) continue;
    pairs.delete(key);
    const parsed = parseDuration(value);
    if (parsed.kind === "invalid") throw invalid(`unable to parse ${name}: ${parsed.message}`);
    millis = Math.max(0, durationToMillis(parsed.duration));
  }
  return millis;
}

function wholeNumber(key: string, value: string | undefined, max: number): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value) || Number(value) > max) {
    throw invalid(`${key} in the data source must be a whole number from 0 to ${max}, not "${value}"`);
  }
  return Number(value);
}

/** Pairs as libpq reads them: blanks around `=` are fine; values may be in single quotes; a backslash escapes. */
function readPairs(source: string): Map<string, string> {
  const pairs = new Map<string, string>();
  let i = 0;
  const skipBlanks = (): void => {
    while (i < source.length && isBlank(source[i])) i++;
  };
  for (skipBlanks(); i < source.length; skipBlanks()) {
    const start = i;
    while (i < source.length && source[i] !== "=" && !isBlank(source[i])) i++;
    const key = source.slice(start, i);
    skipBlanks();
    // What stands there may be a part of a password with a blank in it: it is not repeated.
    if (source[i] !== "=") {
      throw invalid(
        `missing "=" after key number ${pairs.size + 1} of the data source: values with blanks need quotes`,
      );
    }
    i++;
    skipBlanks();
    const quoted = source[i] === "'";
    if (quoted) i++;
    let value = "";
    for (; i < source.length && (quoted ? source[i] !== "'" : !isBlank(source[i])); i++) {
      if (source[i] === "\\") {
        i++;
        if (i === source.length) throw invalid(`missing character after backslash in "${key}" of the data source`);
      }
      value += source[i];
    }
    if (quoted) {
      if (i === source.length) throw invalid(`unterminated quoted string in "${key}" of the data source`);
      i++;
    }
    pairs.set(key, value);
  }
  return pairs;
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t" || character === "\n" || character === "\r";
}

function readUrl(source: string): Map<string, string> {
  let url: URL;
  try {
    url = new URL(source);
  } catch {
    // The error of the parser repeats the whole URL, password included.
    throw invalid(
      "the data source is not a URL: write postgres://user:password@host:port/database, special characters as %xx",
    );
  }
  const pairs = new Map<string, string>();
  const set = (key: string, text: string): void => {
    if (text === "") return;
    try {
      pairs.set(key, decodeURIComponent(text));
    } catch {
      throw invalid(`${key} in the data source has a "%" that begins no escape: write %25`);
    }
  };
  set("user", url.username);
  set("password", url.password);
  set("host", url.hostname.replace(/^\[(.*)\]$/, "$1"));
  set("port", url.port);
  set("dbname", url.pathname.replace(/^\//, ""));
  for (const [key, value] of url.searchParams) pairs.set(key, value);
  return pairs;
}

function invalid(message: string): DatabaseError {
  return new DatabaseError("bad_source", message);
}
