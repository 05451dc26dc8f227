import { type ConfigEntry, type ConfigError, type ConfigMap, readMap } from "@nats-streaming/config";
import type { DurationNanos } from "@nats-streaming/kernel";
import type { Draft } from "./draft.ts";
import { atKey, natsError } from "./nats-error.ts";
import type { TlsBlock } from "./nats-options.ts";
import { TLS_KEYS } from "./nats-table.ts";
import type { OptionWarning } from "./option-warning.ts";
import { readSeconds } from "./read-seconds.ts";

/** Keys that are taken, and mean nothing here. */
const WITHOUT_EFFECT = ["connection_rate_limit"];
/** Keys that would make connections safer than this server makes them: they are not passed over. */
const NOT_THERE = ["verify_cert_and_check_known_urls", "pinned_certs"];

/**
 * Reads a `tls` block of NATS into the target.
 * @param hint for keys that it does not know
 */
export function readTlsBlock(
  entry: ConfigEntry,
  target: Draft<TlsBlock>,
  warnings: OptionWarning[],
  hint: string,
): ConfigError | undefined {
  const block = readMap(entry);
  if (block.kind === "wrong") return atKey(block.error, entry);
  for (const inner of block.value.entries.values()) {
    const error = readTlsKey(inner, inner.key.toLowerCase(), target, warnings, hint);
    if (error !== undefined) return error;
  }
  return certificateMissing(block.value, target);
}

function readTlsKey(
  entry: ConfigEntry,
  key: string,
  target: Draft<TlsBlock>,
  warnings: OptionWarning[],
  hint: string,
): ConfigError | undefined {
  switch (key) {
    case "cert_file":
      return readFile(entry, (file) => {
        target.certFile = file;
      });
    case "key_file":
      return readFile(entry, (file) => {
        target.keyFile = file;
      });
    case "ca_file":
      return readFile(entry, (file) => {
        target.caFile = file;
      });
    case "verify":
      return readSwitch(entry, (on) => {
        target.verify = on;
      });
    case "verify_and_map":
      return readSwitch(entry, (on) => {
        target.verifyAndMap = on;
        if (on) target.verify = true;
      });
    case "insecure":
      return readSwitch(entry, (on) => {
        target.insecure = on;
      });
    case "timeout":
      return readSeconds(entry, (timeout: DurationNanos) => {
        target.timeout = timeout;
      });
    case "cipher_suites":
      return readNames(entry, (names) => {
        target.cipherSuites = names;
      });
    case "curve_preferences":
      return readNames(entry, (names) => {
        target.curves = names;
      });
    default:
      return readOther(entry, key, warnings, hint);
  }
}

function readOther(entry: ConfigEntry, key: string, warnings: OptionWarning[], hint: string): ConfigError | undefined {
  if (WITHOUT_EFFECT.includes(key)) {
    const message = `"${entry.key}" has no effect on the embedded NATS server`;
    warnings.push({ code: "no_effect", message, position: entry.position });
    return undefined;
  }
  if (NOT_THERE.includes(key)) {
    const message = `the embedded NATS server has no ${key}: run a nats-server with this configuration and connect to it with -ns`;
    return natsError(entry.position, message);
  }
  const known = TLS_KEYS.includes(key);
  const message = `error parsing tls config, unknown field ["${entry.key}"]`;
  return known ? undefined : natsError(entry.position, message, hint);
}

function readFile(entry: ConfigEntry, set: (file: string) => void): ConfigError | undefined {
  if (entry.value.kind !== "string") {
    return natsError(entry.position, `error parsing tls config, expected '${entry.key}' to be filename`);
  }
  set(entry.value.value);
  return undefined;
}

function readSwitch(entry: ConfigEntry, set: (on: boolean) => void): ConfigError | undefined {
  if (entry.value.kind !== "boolean") {
    return natsError(entry.position, `error parsing tls config, expected '${entry.key}' to be a boolean`);
  }
  set(entry.value.value);
  return undefined;
}

function readNames(entry: ConfigEntry, set: (names: readonly string[]) => void): ConfigError | undefined {
  const { value } = entry;
  if (value.kind !== "array" || value.items.length === 0) {
    return natsError(entry.position, `error parsing tls config, '${entry.key}' cannot be empty`);
  }
  const names: string[] = [];
  for (const item of value.items) {
    if (item.kind !== "string") {
      return natsError(item.position, `error parsing tls config, expected names in '${entry.key}'`);
    }
    names.push(item.value);
  }
  set(names);
  return undefined;
}

function certificateMissing(block: ConfigMap, { certFile, keyFile }: TlsBlock): ConfigError | undefined {
  if (certFile !== "" && keyFile !== "") return undefined;
  const missing = certFile === "" ? "cert_file" : "key_file";
  return natsError(block.position, `missing '${missing}' in TLS configuration`, "name the certificate and its key");
}
