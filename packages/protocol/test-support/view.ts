import { expect } from "vitest";
import { WireFault } from "../src/wire/fault.ts";
import { surrounded } from "./hex.ts";
import { type ReferenceValue, referenceDecode } from "./reference-decoder.ts";

export type FieldsOfView = Readonly<Record<string, string | number | bigint | boolean>>;

/**
 * Checks what an in-place decoder made of `message` against the rules: its verdict, and every field that it shows, up to
 * the fault if there is one.
 * @param read decodes and shows the view's fields, text and bytes as byte strings
 */
export function expectViewAsReference(
  type: string,
  message: Uint8Array,
  read: (bytes: Uint8Array, start: number, end: number) => { readonly fault: WireFault; readonly fields: FieldsOfView },
): void {
  const { bytes, start, end } = surrounded(message);
  const { fault, fields } = read(bytes, start, end);
  const reference = referenceDecode(type, message);
  expect(fault === WireFault.none).toBe(reference.valid);
  for (const [name, held] of Object.entries(fields)) {
    const expected = reference.fields.get(name) ?? defaultLike(held);
    // A number of the hot path is the nearest double.
    expect(held).toBe(typeof held === "number" ? Number(expected) : expected);
  }
}

function defaultLike(held: FieldsOfView[string]): ReferenceValue {
  return typeof held === "string" ? "" : typeof held === "boolean" ? false : 0n;
}
