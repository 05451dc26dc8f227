import { type DurationNanos, parseDuration } from "@nats-streaming/kernel";
import { ConfigError } from "./config-error.ts";
import { quoteText, typeName } from "./go-text.ts";
import type { ConfigArray, ConfigEntry, ConfigMap, ConfigValue } from "./value.ts";

/** What a reader found: the value, or why there is none. */
export type Reading<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "wrong"; readonly error: ConfigError };

/** Reads the value of an entry. */
export type Reader<T> = (entry: ConfigEntry) => Reading<T>;

/** @see configuration.md 3: `parameter "x" value is expected to be string, got int64` */
export function readString(entry: ConfigEntry): Reading<string> {
  return entry.value.kind === "string" ? found(entry.value.value) : wrongType(entry, "string");
}

/** `true`, `yes`, `on` or their opposites. */
export function readBoolean(entry: ConfigEntry): Reading<boolean> {
  return entry.value.kind === "boolean" ? found(entry.value.value) : wrongType(entry, "bool");
}

/** A signed 64-bit integer. */
export function readInteger(entry: ConfigEntry): Reading<bigint> {
  return entry.value.kind === "integer" ? found(entry.value.value) : wrongType(entry, "int64");
}

/** A number of bytes; the language has multiplied its suffix out already. */
export function readSize(entry: ConfigEntry): Reading<bigint> {
  return entry.value.kind === "integer" ? found(entry.value.value) : wrongType(entry, "int64");
}

/** An integer or a float. */
export function readNumber(entry: ConfigEntry): Reading<number> {
  if (entry.value.kind === "integer") return found(Number(entry.value.value));
  return entry.value.kind === "float" ? found(entry.value.value) : wrongType(entry, "float64");
}

/** A span of time, written as text: `"1h30m"`, `10s`, `"0"`. */
export function readDuration(entry: ConfigEntry): Reading<DurationNanos> {
  if (entry.value.kind !== "string") return wrongType(entry, "string", durationHint(entry));
  const parsed = parseDuration(entry.value.value);
  if (parsed.kind === "duration") return found(parsed.duration);
  const hint = 'write a number with ns, us, ms, s, m or h, such as "1h30m"; there is no unit for days';
  return wrong(new ConfigError({ code: "bad_value", message: parsed.message, position: entry.value.position, hint }));
}

/** A map, that is a block in braces. */
export function readMap(entry: ConfigEntry): Reading<ConfigMap> {
  return entry.value.kind === "map" ? found(entry.value) : wrongType(entry, "map");
}

/** An array, of whatever items. */
export function readArray(entry: ConfigEntry): Reading<ConfigArray> {
  return entry.value.kind === "array" ? found(entry.value) : wrongType(entry, "slice");
}

/** An array of which every item is a string. */
export function readStringArray(entry: ConfigEntry): Reading<readonly string[]> {
  if (entry.value.kind !== "array") {
    return wrongType(entry, "slice", `write ${entry.key}: ["a", "b"]`);
  }
  const strings: string[] = [];
  for (const item of entry.value.items) {
    if (item.kind !== "string") return wrong(wrongTypeError(entry.key, "string", item, "put each item in quotes"));
    strings.push(item.value);
  }
  return found(strings);
}

/**
 * The error that every reader gives.
 * @param want the name of the type that was expected, as in `bool`, `int64`, `slice`.
 */
export function wrongTypeError(key: string, want: string, value: ConfigValue, hint = ""): ConfigError {
  return new ConfigError({
    code: "wrong_type",
    message: `parameter ${quoteText(key)} value is expected to be ${want}, got ${typeName(value)}`,
    position: value.position,
    hint,
  });
}

function found<T>(value: T): Reading<T> {
  return { kind: "value", value };
}

function wrong<T>(error: ConfigError): Reading<T> {
  return { kind: "wrong", error };
}

function wrongType<T>(entry: ConfigEntry, want: string, hint: string = typeHint(entry, want)): Reading<T> {
  return wrong(wrongTypeError(entry.key, want, entry.value, hint));
}

/** What was most likely meant. */
function typeHint(entry: ConfigEntry, want: string): string {
  const { key, value } = entry;
  if (want === "bool") return `write ${key}: true or ${key}: false, without quotes`;
  if (want === "int64" && value.kind === "string") {
    const number = /^-?\d+([kmgtpe](b|i|ib)?)?$/i.test(value.value);
    return number && value.quoted ? `write ${key}: ${value.value}, without quotes` : "write a whole number";
  }
  if (want === "string" && value.kind === "integer") return `write ${key}: "${value.text}"`;
  if (want === "string" && (value.kind === "boolean" || value.kind === "float")) return "put the text in quotes";
  if (want === "map") return `write ${key} { … }`;
  return "";
}

/** `5m` without quotes is five million: the commonest mistake with durations. */
function durationHint(entry: ConfigEntry): string {
  const { key, value } = entry;
  if (value.kind !== "integer") return `write a duration in quotes, such as ${key}: "1h30m"`;
  if (/[^-\d]/.test(value.text)) {
    return `${value.text} without quotes is the number ${value.value}; write ${key}: "${value.text.toLowerCase()}"`;
  }
  return `a duration needs a unit: write ${key}: "${value.text}s" for seconds`;
}
