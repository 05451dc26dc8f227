import { type JsonValue, toJson } from "./json.ts";

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
