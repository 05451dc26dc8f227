import { ConfigError } from "./config-error.ts";
import { quoteText } from "./go-text.ts";
import type { ConfigMap, ConfigValue } from "./value.ts";

/**
 * Writes a configuration that parses back to the same values in the same order: one pair per line, nested by two blanks.
 * Comments, includes and variables are gone, for the values do not have them.
 * @throws ConfigError `unprintable` for what the language cannot say: a key with both kinds of quotes and white space or
 * a separator in it, or a float that is not finite.
 */
export function printConfig(root: ConfigMap): string {
  return printEntries(root, "");
}

/** Writes one value, as it may stand behind a key. @throws ConfigError `unprintable` */
export function printValue(value: ConfigValue): string {
  return print(value, "");
}

function printEntries(map: ConfigMap, indent: string): string {
  let text = "";
  for (const entry of map.entries.values()) {
    text += `${indent}${printKey(entry.key)}: ${print(entry.value, indent)}\n`;
  }
  return text;
}

function print(value: ConfigValue, indent: string): string {
  switch (value.kind) {
    case "string":
      return printString(value.value);
    case "integer":
    case "boolean":
      return String(value.value);
    case "float":
      return printFloat(value.value);
    case "date":
      return new Date(value.epochMillis).toISOString().replace(".000Z", "Z");
    case "array": {
      const inner = `${indent}  `;
      const items = value.items.map((item) => `${inner}${print(item, inner)}\n`);
      return items.length === 0 ? "[]" : `[\n${items.join("")}${indent}]`;
    }
    case "map":
      return value.entries.size === 0 ? "{}" : `{\n${printEntries(value, `${indent}  `)}${indent}}`;
  }
}

/** A bare key that no reader can take for anything else. */
const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_.*>-]*$/;

function printKey(key: string): string {
  if (PLAIN_KEY.test(key) && key.toLowerCase() !== "include") return key;
  if (!key.includes("\0")) {
    if (!key.includes('"')) return `"${key}"`;
    if (!key.includes("'")) return `'${key}'`;
    if (!/[\s\u0085:={}]/.test(key) && !/^["'#/]/.test(key)) return key;
  }
  throw new ConfigError({
    code: "unprintable",
    message: `key ${quoteText(key)} cannot be written in any kind of quotes`,
  });
}

function printString(text: string): string {
  let escaped = "";
  for (const char of text) escaped += ESCAPES.get(char) ?? (char < " " || char === "\x7f" ? hexEscape(char) : char);
  return `"${escaped}"`;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

function hexEscape(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/** The language knows no exponents: the digits are written out. */
function printFloat(value: number): string {
  if (!Number.isFinite(value)) {
    throw new ConfigError({ code: "unprintable", message: `the float ${value} cannot be written` });
  }
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const [mantissa = "", exponent = "0"] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  // The value is 0.digits times ten to the power of `point`.
  const point = Number(exponent) + 1;
  const whole = point <= 0 ? "0" : digits.slice(0, point).padEnd(point, "0");
  const fraction = point <= 0 ? `${"0".repeat(-point)}${digits}` : digits.slice(point);
  return `${sign}${whole}.${fraction === "" ? "0" : fraction}`;
}
