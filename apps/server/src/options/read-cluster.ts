import {
  type ConfigEntry,
  type ConfigError,
  readBoolean,
  readInteger,
  readMap,
  readString,
  typeName,
} from "@nats-streaming/config";
import type { Draft, OptionsDraft } from "./draft.ts";
import { parseHostPort } from "./host-port.ts";
import { atKey, natsError, unknownField } from "./nats-error.ts";
import { emptyTlsBlock, type RouteOptions, type TlsBlock } from "./nats-options.ts";
import { CLUSTER_KEYS } from "./nats-table.ts";
import { safeNumber } from "./option.ts";
import type { OptionWarning } from "./option-warning.ts";
import { readSeconds } from "./read-seconds.ts";
import { readTlsBlock } from "./read-tls.ts";

/** Reads the NATS `cluster` block; what the original would refuse is refused. */
export function readCluster(
  entry: ConfigEntry,
  draft: OptionsDraft,
  warnings: OptionWarning[],
  hint: string,
): ConfigError | undefined {
  const { value } = entry;
  if (value.kind !== "map") {
    return natsError(entry.position, `Expected map to define cluster, got ${typeName(value)}`, "", "wrong_type");
  }
  for (const inner of value.entries.values()) {
    const error = readKey(inner, inner.key.toLowerCase(), draft.routes, warnings, hint);
    if (error !== undefined) return error;
  }
  return undefined;
}

function readKey(
  entry: ConfigEntry,
  key: string,
  routes: Draft<RouteOptions>,
  warnings: OptionWarning[],
  hint: string,
): ConfigError | undefined {
  switch (key) {
    case "name":
      return text(entry, (value) => {
        routes.name = value;
      });
    case "listen":
      return readListen(entry, routes);
    case "host":
    case "net":
      return text(entry, (value) => {
        routes.host = value;
      });
    case "port":
      return integer(entry, (value) => {
        routes.port = value;
      });
    case "authorization":
      return readLogin(entry, routes);
    case "routes":
      return readRoutes(entry, routes);
    case "cluster_advertise":
    case "advertise":
      return text(entry, (value) => {
        routes.advertise = value;
      });
    case "no_advertise": {
      const reading = readBoolean(entry);
      if (reading.kind === "wrong") return atKey(reading.error, entry);
      routes.noAdvertise = reading.value;
      return undefined;
    }
    case "connect_retries":
      return integer(entry, (value) => {
        routes.connectRetries = value;
      });
    case "tls": {
      const tls: Draft<TlsBlock> = { ...emptyTlsBlock };
      const error = readTlsBlock(entry, tls, warnings, hint);
      if (error === undefined) routes.tls = tls;
      return error;
    }
    case "permissions": {
      const message =
        "the embedded NATS server has no permissions of routes: run a nats-server and connect to it with -ns";
      return natsError(entry.position, message);
    }
    default:
      return unknownField(entry, CLUSTER_KEYS, hint);
  }
}

function readListen(entry: ConfigEntry, routes: Draft<RouteOptions>): ConfigError | undefined {
  const { value } = entry;
  if (value.kind === "integer") {
    routes.port = safeNumber(value.value);
    return undefined;
  }
  const hint = `write ${entry.key}: "host:port"`;
  if (value.kind !== "string") {
    return natsError(entry.position, `expected port or host:port, got ${typeName(value)}`, hint, "wrong_type");
  }
  const address = parseHostPort(value.value);
  if (address.kind === "invalid") return natsError(entry.position, address.message, hint);
  routes.host = address.host;
  routes.port = address.port;
  return undefined;
}

function readRoutes(entry: ConfigEntry, routes: Draft<RouteOptions>): ConfigError | undefined {
  const { value } = entry;
  const items = value.kind === "array" ? value.items : [value];
  const urls: string[] = [];
  for (const item of items) {
    if (item.kind !== "string") {
      return natsError(item.position, "route is not a URL", 'write routes: ["nats://host:6222"]', "wrong_type");
    }
    urls.push(item.value);
  }
  routes.urls = urls;
  return undefined;
}

function readLogin(entry: ConfigEntry, routes: Draft<RouteOptions>): ConfigError | undefined {
  const block = readMap(entry);
  if (block.kind === "wrong") return atKey(block.error, entry);
  for (const inner of block.value.entries.values()) {
    const error = readLoginKey(inner, routes);
    if (error !== undefined) return error;
  }
  return undefined;
}

function readLoginKey(entry: ConfigEntry, routes: Draft<RouteOptions>): ConfigError | undefined {
  switch (entry.key.toLowerCase()) {
    case "user":
    case "username":
      return text(entry, (value) => {
        routes.user = value;
      });
    case "pass":
    case "password":
      return text(entry, (value) => {
        routes.password = value;
      });
    case "timeout":
      return readSeconds(entry, (timeout) => {
        routes.timeout = timeout;
      });
    default:
      return unknownField(entry, ["user", "password", "timeout"], "routes know one user with a password");
  }
}

function text(entry: ConfigEntry, set: (value: string) => void): ConfigError | undefined {
  const reading = readString(entry);
  if (reading.kind === "wrong") return atKey(reading.error, entry);
  set(reading.value);
  return undefined;
}

function integer(entry: ConfigEntry, set: (value: number) => void): ConfigError | undefined {
  const reading = readInteger(entry);
  if (reading.kind === "wrong") return atKey(reading.error, entry);
  set(safeNumber(reading.value));
  return undefined;
}
