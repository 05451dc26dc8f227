import { utf8 } from "./ascii.ts";

/** The fields of a JSON object whose types are the reader's business. */
export type JsonFields = Readonly<Record<string, unknown>>;

/** The object in `bytes[start, end)`, or undefined when it is none. */
export function jsonFields(bytes: Uint8Array, start: number, end: number): JsonFields | undefined {
  let value: unknown;
  try {
    value = JSON.parse(utf8(bytes, start, end));
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value));
}

/** A field as text; what is no text counts as empty. */
export function textField(fields: JsonFields, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}

/** A field as a truth value; what is none counts as false. */
export function flagField(fields: JsonFields, name: string): boolean {
  return fields[name] === true;
}

/** A field as a whole number; what is none counts as 0. */
export function wholeField(fields: JsonFields, name: string): number {
  const value = fields[name];
  return typeof value === "number" && Number.isSafeInteger(value) ? value : 0;
}

/** A field as a list of texts; what is no text is left out. */
export function textsField(fields: JsonFields, name: string): readonly string[] {
  const value = fields[name];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}
