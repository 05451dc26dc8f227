import type { ConfigValue } from "./value.ts";

/** A configuration without its places: maps as objects without a prototype, integers as bigint, dates as Date. */
export type PlainValue =
  | string
  | bigint
  | number
  | boolean
  | Date
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue };

/** Takes the places out of a value. */
export function toPlain(value: ConfigValue): PlainValue {
  switch (value.kind) {
    case "date":
      return new Date(value.epochMillis);
    case "array":
      return value.items.map(toPlain);
    case "map": {
      // Without a prototype, so that a key such as __proto__ is a key like any other.
      const plain: Record<string, PlainValue> = Object.create(null);
      for (const entry of value.entries.values()) plain[entry.key] = toPlain(entry.value);
      return plain;
    }
    default:
      return value.value;
  }
}
