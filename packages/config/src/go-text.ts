import type { ConfigArray, ConfigMap, ConfigValue } from "./value.ts";

/** The name that messages give to the type of a value. @see configuration.md 3 */
export function typeName(value: ConfigValue): string {
  switch (value.kind) {
    case "string":
      return "string";
    case "integer":
      return "int64";
    case "float":
      return "float64";
    case "boolean":
      return "bool";
    case "date":
      return "struct";
    case "array":
      return "slice";
    case "map":
      return "map";
  }
}

/** Longest text that {@link valueText} gives, so that a message stays a message. */
const VALUE_TEXT_LENGTH_MAX = 200;

/** A value as messages show it: `5`, `foo`, `[a b]`, `map[a:1 b:2]`. Cut when it is very long. */
export function valueText(value: ConfigValue): string {
  const parts: string[] = [];
  appendValue(value, parts, { left: VALUE_TEXT_LENGTH_MAX });
  const text = parts.join("");
  return text.length > VALUE_TEXT_LENGTH_MAX ? `${text.slice(0, VALUE_TEXT_LENGTH_MAX)}…` : text;
}

/** A text in double quotes, with what cannot be printed escaped. */
export function quoteText(text: string): string {
  let quoted = "";
  for (const char of text) quoted += escapeCharacter(char);
  return `"${quoted}"`;
}

function escapeCharacter(char: string): string {
  const short = SHORT_ESCAPES.get(char);
  if (short !== undefined) return short;
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, "0")}`;
  if ((code >= 0x80 && code < 0xa1) || code === 0xad || (code >= 0x2000 && code <= 0x200f) || code === 0xfeff) {
    return `\\u${code.toString(16).padStart(4, "0")}`;
  }
  return char;
}

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
]);

/** Stops early: a value built from variables may be far larger than the text it came from. */
function appendValue(value: ConfigValue, parts: string[], budget: { left: number }): void {
  if (budget.left < 0) return;
  if (value.kind === "array") {
    put("[", parts, budget);
    value.items.forEach((item, index) => {
      if (index > 0) put(" ", parts, budget);
      appendValue(item, parts, budget);
    });
    put("]", parts, budget);
  } else if (value.kind === "map") {
    put("map[", parts, budget);
    const sorted = [...value.entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    sorted.forEach((entry, index) => {
      put(`${index > 0 ? " " : ""}${entry.key}:`, parts, budget);
      appendValue(entry.value, parts, budget);
    });
    put("]", parts, budget);
  } else {
    put(scalarText(value), parts, budget);
  }
}

function put(text: string, parts: string[], budget: { left: number }): void {
  budget.left -= text.length;
  parts.push(text);
}

function scalarText(value: Exclude<ConfigValue, ConfigArray | ConfigMap>): string {
  switch (value.kind) {
    case "date":
      return new Date(value.epochMillis).toISOString().replace("T", " ").replace(".000Z", " +0000 UTC");
    case "float":
      return floatText(value.value);
    default:
      return String(value.value);
  }
}

/** The shortest text that reads back as the number; an exponent has two digits at least. */
function floatText(value: number): string {
  const text = String(value);
  if (Object.is(value, -0)) return "-0";
  const small = /^(-?)0\.0000(0*)([1-9]\d*)$/.exec(text);
  const exponent = small === null ? text : value.toExponential();
  return exponent.replace(/e([+-])(\d)$/, "e$10$2");
}
