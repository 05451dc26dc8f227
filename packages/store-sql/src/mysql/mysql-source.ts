import { durationToMillis, parseDuration } from "@nats-streaming/kernel";
import { DatabaseError } from "../database.ts";

/** Whether and how TLS is used. `skip-verify`: encrypted, whoever answers; `preferred`: the same if the server can. */
export type MysqlTlsMode = "off" | "verify" | "skip-verify" | "preferred";

/** A MySQL data source in the form of the Go driver, read. */
export interface MysqlSource {
  readonly address: MysqlAddress;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: MysqlTlsMode;
  /** 0: no bound given. */
  readonly connectTimeoutMillis: number;
  /** Longest silence of the server while an answer is due; 0: none given. */
  readonly readTimeoutMillis: number;
  /** Longest time that sending may stand still; 0: none given. */
  readonly writeTimeoutMillis: number;
  /** Sends the password readable to a server that asks for it so. */
  readonly cleartextPasswords: boolean;
  readonly compress: boolean;
  /** Character sets to ask for, the first that the server has; empty: utf8mb4. */
  readonly charsets: readonly string[];
  readonly collation: string | undefined;
  /** Longest statement to send; 0: ask the server. */
  readonly maxAllowedPacket: number;
  /** System variables to set for each session, as written: name and SQL value. */
  readonly variables: ReadonlyMap<string, string>;
}

export type MysqlAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

const DEFAULT_PORT = 3306;

/** Parameters of the Go driver about its own interface, which change nothing here. Their values are checked as it does. */
const WITHOUT_EFFECT = new Set([
  "allowAllFiles",
  "allowFallbackToPlaintext",
  "allowNativePasswords",
  "allowOldPasswords",
  "checkConnLiveness",
  "clientFoundRows",
  "columnsWithAlias",
  "interpolateParams",
  "multiStatements",
  "parseTime",
  "rejectReadOnly",
]);

/** Parameters whose values are no truth values and which change nothing here. */
const IGNORED = new Set(["loc", "timeTruncate", "connectionAttributes"]);

/**
 * Reads `user:password@tcp(host:port)/database?param=value`. Like the Go driver it takes the last `/` for the end of the
 * address and the last `@` before it for the end of the password, so that passwords need no escapes.
 * @throws DatabaseError `bad_source`; the text never contains a part of the source that could be its password
 * @see sql-store.md 2
 */
export function parseMysqlSource(source: string): MysqlSource {
  const slash = source.lastIndexOf("/");
  if (slash < 0) throw invalid("invalid DSN: missing the slash separating the database name");
  const head = source.slice(0, slash);
  const tail = source.slice(slash + 1);

  const at = head.lastIndexOf("@");
  const credentials = at < 0 ? "" : head.slice(0, at);
  const colon = credentials.indexOf(":");
  const question = tail.indexOf("?");
  // First: where the address is wrong, what follows may be the rest of a password.
  const address = readAddress(head.slice(at + 1));
  const params = readParams(question < 0 ? "" : tail.slice(question + 1));
  return {
    address,
    user: colon < 0 ? credentials : credentials.slice(0, colon),
    password: colon < 0 ? "" : credentials.slice(colon + 1),
    database: unescapeText("the database name", question < 0 ? tail : tail.slice(0, question)),
    ...params,
  };
}

function readAddress(text: string): MysqlAddress {
  const open = text.indexOf("(");
  const protocol = open < 0 ? text : text.slice(0, open);
  let address = "";
  if (open >= 0) {
    if (!text.endsWith(")")) {
      throw invalid(
        text.includes(")")
          ? "invalid DSN: did you forget to escape a param value?"
          : "invalid DSN: network address not terminated (missing closing brace)",
      );
    }
    address = text.slice(open + 1, -1);
  }
  switch (protocol) {
    case "":
    case "tcp":
    case "tcp4":
    case "tcp6":
      return readHostAndPort(address);
    case "unix":
      return { kind: "unix", path: address === "" ? "/tmp/mysql.sock" : address };
    default:
      // Without an address this may be the end of a password in which an unescaped "/" was found.
      throw invalid(
        open < 0 || protocol.includes(":")
          ? "invalid DSN: the part between password and database must look like tcp(host:port) or unix(/path)"
          : `invalid DSN: network "${protocol}" is not supported: use tcp(host:port) or unix(/path)`,
      );
  }
}

function readHostAndPort(text: string): MysqlAddress {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(text);
  const port = match?.[3] === undefined || match[3] === "" ? DEFAULT_PORT : Number(match[3]);
  if (match === null || port > 65_535) throw invalid(`invalid DSN: "${text}" is not host:port`);
  return { kind: "tcp", host: match[1] || match[2] || "127.0.0.1", port };
}

type Params = Omit<MysqlSource, "address" | "user" | "password" | "database">;

function readParams(text: string): Params {
  let tls: MysqlTlsMode = "off";
  let connectTimeoutMillis = 0;
  let readTimeoutMillis = 0;
  let writeTimeoutMillis = 0;
  let cleartextPasswords = false;
  let compress = false;
  let charsets: readonly string[] = [];
  let collation: string | undefined;
  let maxAllowedPacket = 0;
  const variables = new Map<string, string>();

  for (const param of text.split("&")) {
    const equals = param.indexOf("=");
    if (equals < 0) {
      if (param === "") continue;
      throw invalid(`parameter "${param}" of the data source has no value: write ${param}=value`);
    }
    const name = param.slice(0, equals);
    const value = unescapeText(`parameter "${name}"`, param.slice(equals + 1).replaceAll("+", " "));
    switch (name) {
      case "tls":
        tls = readTls(value);
        break;
      case "timeout":
        connectTimeoutMillis = readMillis(name, value);
        break;
      case "readTimeout":
        readTimeoutMillis = readMillis(name, value);
        break;
      case "writeTimeout":
        writeTimeoutMillis = readMillis(name, value);
        break;
      case "allowCleartextPasswords":
        cleartextPasswords = readBool(name, value);
        break;
      case "compress":
        compress = readBool(name, value);
        break;
      case "charset":
        charsets = value.split(",").map((charset) => readWord(name, charset));
        break;
      case "collation":
        collation = readWord(name, value);
        break;
      case "maxAllowedPacket":
        maxAllowedPacket = readSize(name, value);
        break;
      case "serverPubKey":
        throw invalid('parameter "serverPubKey" of the data source is not supported: use tls=true');
      default:
        if (WITHOUT_EFFECT.has(name)) readBool(name, value);
        // As with the Go driver, every other name is a system variable; the server refuses what it does not know.
        else if (!IGNORED.has(name)) variables.set(readWord("parameter", name), value);
    }
  }
  return {
    tls,
    connectTimeoutMillis,
    readTimeoutMillis,
    writeTimeoutMillis,
    cleartextPasswords,
    compress,
    charsets,
    collation,
    maxAllowedPacket,
    variables,
  };
}

function readTls(value: string): MysqlTlsMode {
  if (value === "skip-verify" || value === "preferred") return value;
  if (isBool(value)) return isTrue(value) ? "verify" : "off";
  throw invalid(`parameter "tls" of the data source must be true, false, skip-verify or preferred, not "${value}"`);
}

function readMillis(name: string, value: string): number {
  const parsed = parseDuration(value);
  if (parsed.kind === "invalid") throw invalid(`parameter "${name}" of the data source: ${parsed.message}`);
  return Math.max(0, durationToMillis(parsed.duration));
}

function readSize(name: string, value: string): number {
  if (!/^\d{1,10}$/.test(value)) throw invalid(`parameter "${name}" of the data source must be a number of bytes`);
  return Number(value);
}

function readBool(name: string, value: string): boolean {
  if (!isBool(value)) throw invalid(`parameter "${name}" of the data source: invalid bool value: ${value}`);
  return isTrue(value);
}

function isBool(value: string): boolean {
  return ["1", "true", "TRUE", "True", "0", "false", "FALSE", "False"].includes(value);
}

function isTrue(value: string): boolean {
  return value === "1" || value.toLowerCase() === "true";
}

/** Names become part of a statement. */
function readWord(name: string, value: string): string {
  if (!/^[A-Za-z0-9_.]+$/.test(value)) {
    throw invalid(`parameter "${name}" of the data source: "${value}" is not a name`);
  }
  return value;
}

function unescapeText(what: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`${what} in the data source has a "%" that begins no escape: write %25`);
  }
}

function invalid(message: string): DatabaseError {
  return new DatabaseError("bad_source", message);
}
