import { type JsonValue, toJson, withoutEnd } from "./json.ts";
import { ELEMENT_INDENT } from "./listing.ts";
import type { LongElement } from "./long-document.ts";

/** An array as `toJson` prints it, in parts, so that no turn has to print all of it. @param indent the white space that its line begins with */
export function* arrayTexts<T>(items: Iterable<T>, indent: string, value: (item: T) => JsonValue): Iterable<string> {
  const inner = `${indent}  `;
  let isEmpty = true;
  for (const item of items) {
    yield `${isEmpty ? "[" : ","}\n${inner}${toJson(value(item), inner)}`;
    isEmpty = false;
  }
  yield isEmpty ? "[]" : `\n${indent}]`;
}

/** An element of a document's list whose last member is an array, in parts. @param object everything before that member */
export function* elementWithArray<T>(
  object: JsonValue,
  key: string,
  items: Iterable<T>,
  value: (item: T) => JsonValue,
): Iterable<LongElement> {
  const inner = `${ELEMENT_INDENT}  `;
  yield `\n${ELEMENT_INDENT}${withoutEnd(toJson(object, ELEMENT_INDENT))},\n${inner}"${key}": `;
  for (const more of arrayTexts(items, inner, value)) yield { more };
  yield { more: `\n${ELEMENT_INDENT}}` };
}
