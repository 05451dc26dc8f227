import { invariant } from "@nats-streaming/kernel";

/** What can be printed. Properties that are undefined are left out; a Map keeps its order, whatever its keys look like. */
export type JsonValue =
  | string
  | number
  | bigint
  | boolean
  | readonly JsonValue[]
  | ReadonlyMap<string, JsonValue>
  | { readonly [key: string]: JsonValue | undefined };

/**
 * Prints a value as the original prints it: two spaces per level, keys in the order given, integers with all their
 * digits, no newline at the end.
 * @param indent the white space that the line of the value begins with
 * @see monitoring.md 1
 */
export function toJson(value: JsonValue, indent = ""): string {
  switch (typeof value) {
    case "string":
      return jsonString(value);
    case "number":
      invariant(
        Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value)),
        `not an exact number: ${value}`,
      );
      return String(value);
    case "bigint":
    case "boolean":
      return String(value);
    default: {
      const inner = `${indent}  `;
      if (isArray(value)) {
        let items = "";
        for (const item of value) items += `${items === "" ? "" : ","}\n${inner}${toJson(item, inner)}`;
        return items === "" ? "[]" : `[${items}\n${indent}]`;
      }
      let properties = "";
      if (value instanceof Map) {
        for (const [key, item] of value) properties += property(properties === "", inner, key, item);
      } else if (isRecord(value)) {
        for (const key in value) {
          const item = value[key];
          if (item !== undefined) properties += property(properties === "", inner, key, item);
        }
      }
      return properties === "" ? "{}" : `{${properties}\n${indent}}`;
    }
  }
}

/** The text of an object with members up to its last one, for whoever adds more. */
export function withoutEnd(json: string): string {
  return json.slice(0, json.lastIndexOf("\n"));
}

function property(isFirst: boolean, indent: string, key: string, value: JsonValue): string {
  return `${isFirst ? "" : ","}\n${indent}${jsonString(key)}: ${toJson(value, indent)}`;
}

/** `Array.isArray` does not narrow readonly arrays. */
function isArray(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Neither an array nor a Map. */
function isRecord(value: object): value is { readonly [key: string]: JsonValue | undefined } {
  return !Array.isArray(value) && !(value instanceof Map);
}

/**
 * What JSON allows and a page that embeds the text may not: `<`, `>` and `&` could end a script element, the two line
 * separators break a script, which a JSONP answer is.
 */
const UNSAFE_IN_SCRIPT = /[<>&\u2028\u2029]/g;

/** What stands in a string as it is. Keys and most names are made of nothing else. */
const PLAIN = /^[ !#-%'-;=?-[\]-~]*$/;

/** A string with quotes. */
export function jsonString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(
    UNSAFE_IN_SCRIPT,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
