import { BusError } from "@nats-streaming/kernel";

/** What server URLs say. */
export interface Servers {
  /** `host` or `host:port`, without scheme and credentials; never empty. */
  readonly hosts: readonly string[];
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** A URL begins with `tls://`. */
  readonly tls: boolean;
}

/** More seeds than any cluster needs; servers announce the rest. */
const SERVERS_MAX = 64;

const URL_PATTERN = /^(?:([a-z]+):\/\/)?(?:([^@/]*)@)?(\[[0-9A-Fa-f:.]+\]|[^\s@:/[\]]+)(?::(\d{1,5}))?\/?$/;

/**
 * Reads a list of server URLs; each entry may hold several, with commas.
 * @throws BusError `connect_failed` that names the entry and what is wrong with it, without showing credentials
 */
export function parseServers(servers: string | readonly string[]): Servers {
  const entries = (typeof servers === "string" ? [servers] : servers)
    .flatMap((entry) => entry.split(","))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  if (entries.length === 0) throw refused("no NATS server given: name at least one, such as nats://127.0.0.1:4222");
  if (entries.length > SERVERS_MAX) throw refused(`${entries.length} NATS servers given: at most ${SERVERS_MAX}`);

  const hosts: string[] = [];
  let tls = false;
  let userInfo: string | undefined;
  for (const entry of entries) {
    const match = URL_PATTERN.exec(entry);
    const shown = redactUrl(entry);
    const [, scheme = "nats", credentials, host = "", port] = match ?? [];
    if (match === null || Number(port ?? 0) > 65_535) {
      throw refused(`invalid NATS server URL "${shown}": expected nats://host:port`);
    }
    if (scheme !== "nats" && scheme !== "tls") {
      throw refused(`invalid NATS server URL "${shown}": the scheme has to be nats or tls`);
    }
    tls ||= scheme === "tls";
    if (credentials !== undefined) {
      if (userInfo !== undefined && userInfo !== credentials) {
        throw refused(`NATS server URLs hold different credentials (at "${shown}"): give one user for all`);
      }
      userInfo = credentials;
    }
    hosts.push(port === undefined ? host : `${host}:${port}`);
  }
  return { hosts, tls, ...(userInfo === undefined ? {} : readUserInfo(userInfo)) };
}

/** A URL fit for a log line: user info is shown as `[REDACTED]`. */
export function redactUrl(url: string): string {
  return url.replace(/^([a-z]+:\/\/)?.*@/, "$1[REDACTED]@");
}

function readUserInfo(userInfo: string): { user: string; pass: string } | { token: string } {
  const colon = userInfo.indexOf(":");
  if (colon < 0) return { token: decode(userInfo) };
  return { user: decode(userInfo.slice(0, colon)), pass: decode(userInfo.slice(colon + 1)) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused("credentials in a NATS server URL hold a % that is no escape: write it as %25");
  }
}

function refused(message: string): BusError {
  return new BusError("connect_failed", message);
}
