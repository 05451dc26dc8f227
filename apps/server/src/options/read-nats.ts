import {
  type ConfigEntry,
  type ConfigError,
  type ConfigMap,
  type ConfigValue,
  readString,
  typeName,
} from "@nats-streaming/config";
import type { OptionsDraft } from "./draft.ts";
import { parseHostPort } from "./host-port.ts";
import { atKey, natsError } from "./nats-error.ts";
import { KEYS_OF_FULL_SERVER, KEYS_WITHOUT_EFFECT, natsGeneral } from "./nats-table.ts";
import { safeNumber } from "./option.ts";
import type { OptionWarning } from "./option-warning.ts";
import { readAuthorization } from "./read-authorization.ts";
import { readCluster } from "./read-cluster.ts";
import { readMapInto } from "./read-map.ts";
import { readTlsBlock } from "./read-tls.ts";

/** A feature in the configuration that the embedded server does not have. */
export interface FullServerFeature {
  readonly error: ConfigError;
  /** The same as a warning, for a server that embeds nothing. */
  readonly warning: OptionWarning;
}

/**
 * Reads the NATS options of a parsed file into the draft, in file order; stops at the first fault. Keys at the top that
 * nobody knows are not its business: it only refuses them inside blocks.
 * @param features gathers what only the full NATS server has.
 * @see configuration.md 6, 7
 */
export function readNats(
  root: ConfigMap,
  draft: OptionsDraft,
  warnings: OptionWarning[],
  features: FullServerFeature[],
): ConfigError | undefined {
  const other = (entry: ConfigEntry, key: string): ConfigError | undefined => {
    switch (key) {
      case "listen":
        return readListen(entry, (host, port) => setAddress(draft, host, port));
      case "http":
        return readListen(entry, (host, port) => setMonitor(draft, host, port, "httpPort"));
      case "https":
        return readListen(entry, (host, port) => setMonitor(draft, host, port, "httpsPort"));
      case "authorization":
        return readAuthorization(entry, draft, warnings);
      case "cluster":
        return readCluster(entry, draft, warnings, HINT_STREAMING_SECTION);
      case "tls":
        return readTls(entry, draft, warnings);
      case "no_auth_user":
        return readNoAuthUser(entry, draft);
      default:
        noteOthers(entry, key, warnings, features);
        return undefined;
    }
  };
  const outcome = readMapInto(withSeconds(root, warnings), {
    options: natsGeneral,
    target: draft,
    warnings,
    other,
    explain: atKey,
  });
  return outcome.kind === "wrong" ? outcome.error : undefined;
}

function setAddress(draft: OptionsDraft, host: string | undefined, port: number): void {
  if (host !== undefined) draft.nats.host = host;
  draft.nats.port = port;
}

function setMonitor(
  draft: OptionsDraft,
  host: string | undefined,
  port: number,
  which: "httpPort" | "httpsPort",
): void {
  if (host !== undefined) draft.nats.httpHost = host;
  draft.nats[which] = port;
}

/** A port, or `host:port`. */
function readListen(
  entry: ConfigEntry,
  set: (host: string | undefined, port: number) => void,
): ConfigError | undefined {
  const { value } = entry;
  if (value.kind === "integer") {
    set(undefined, safeNumber(value.value));
    return undefined;
  }
  const hint = `write ${entry.key}: "host:port" or ${entry.key}: 4222`;
  if (value.kind !== "string") {
    return natsError(entry.position, `expected port or host:port, got ${typeName(value)}`, hint, "wrong_type");
  }
  const address = parseHostPort(value.value);
  if (address.kind === "invalid") return natsError(entry.position, address.message, hint);
  set(address.host, address.port);
  return undefined;
}

const HINT_STREAMING_SECTION =
  "at the top of a file this is a block of the NATS server; put streaming options inside streaming { }";

function readNoAuthUser(entry: ConfigEntry, draft: OptionsDraft): ConfigError | undefined {
  const reading = readString(entry);
  if (reading.kind === "wrong") return atKey(reading.error, entry);
  draft.authorization.noAuthUser = reading.value;
  return undefined;
}

function readTls(entry: ConfigEntry, draft: OptionsDraft, warnings: OptionWarning[]): ConfigError | undefined {
  draft.natsTls.enabled = true;
  return readTlsBlock(entry, draft.natsTls, warnings, HINT_STREAMING_SECTION);
}

function noteOthers(entry: ConfigEntry, key: string, warnings: OptionWarning[], features: FullServerFeature[]): void {
  const { position } = entry;
  if (KEYS_WITHOUT_EFFECT.includes(key)) {
    const message = `"${entry.key}" has no effect on the embedded NATS server`;
    warnings.push({ code: "no_effect", message, position });
    return;
  }
  const feature = KEYS_OF_FULL_SERVER.get(key);
  if (feature === undefined) return;
  if (isOff(entry.value)) {
    const message = `"${entry.key}" is switched off, as it always is: the embedded NATS server has no ${feature}`;
    warnings.push({ code: "no_effect", message, position });
    return;
  }
  const message = `the embedded NATS server has no ${feature}: run a nats-server with this configuration and connect to it with -ns nats://host:4222`;
  const warning = `"${entry.key}" has no effect: it belongs to the configuration of the NATS server itself`;
  features.push({
    error: natsError(position, message),
    warning: { code: "no_effect", message: warning, position },
  });
}

/** Whether a feature is named only to say that it is not wanted. */
function isOff(value: ConfigValue): boolean {
  switch (value.kind) {
    case "boolean":
      return !value.value;
    case "string":
      return ["", "disabled", "disable", "false"].includes(value.value.toLowerCase());
    case "array":
      return value.items.length === 0;
    case "map": {
      const enabled = [...value.entries.values()].find((entry) => entry.key.toLowerCase().startsWith("enable"));
      return value.entries.size === 0 || (enabled?.value.kind === "boolean" && !enabled.value.value);
    }
    default:
      return false;
  }
}

const SECONDS_KEYS: readonly string[] = ["write_deadline", "ping_interval", "lame_duck_duration"];

/** Three durations were once given as a number of seconds; such files still work, with a warning. */
function withSeconds(root: ConfigMap, warnings: OptionWarning[]): ConfigMap {
  const entries = new Map(root.entries);
  for (const entry of root.entries.values()) {
    const { value } = entry;
    const key = entry.key.toLowerCase();
    if (value.kind !== "integer" || !SECONDS_KEYS.includes(key)) continue;
    const message = `invalid use of field "${entry.key}": ${key} should be converted to a duration; ${value.value} is taken as seconds`;
    warnings.push({ code: "outdated", message, position: entry.position });
    const text = `${value.value}s`;
    entries.set(entry.key, {
      ...entry,
      value: { kind: "string", value: text, quoted: true, position: value.position },
    });
  }
  return { ...root, entries };
}
