/** What a text of the command line is as a number or boolean. */
export type Parsed<Value> =
  | { readonly kind: "value"; readonly value: Value }
  /** `reason` is what the original says: `parse error`, `value out of range`. */
  | { readonly kind: "invalid"; readonly reason: "parse error" | "value out of range" };

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "true", "TRUE", "True"].map((text): [string, boolean] => [text, true]),
  ...["0", "f", "F", "false", "FALSE", "False"].map((text): [string, boolean] => [text, false]),
]);

/** The boolean of a `-flag=value`. @see configuration.md 4.1 */
export function parseFlagBoolean(text: string): Parsed<boolean> {
  const value = BOOLEANS.get(text);
  return value === undefined ? { kind: "invalid", reason: "parse error" } : { kind: "value", value };
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Longest text of a 64-bit number: a sign, `0b`, 64 digits, and as many underscores. */
const INTEGER_LENGTH_MAX = 132;

/**
 * A signed 64-bit integer: decimal, `0x`, `0o` or `0` for octal, `0b`; with `_` between digits.
 * @see configuration.md 4.1
 */
export function parseFlagInteger(text: string): Parsed<bigint> {
  const match = /^([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO]?(?:_?[0-7])+|[1-9](?:_?\d)*|0)$/.exec(text);
  if (match === null) return { kind: "invalid", reason: "parse error" };
  if (text.length > INTEGER_LENGTH_MAX) return { kind: "invalid", reason: "value out of range" };
  const digits = (match[2] ?? "").replaceAll("_", "");
  const magnitude = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const value = match[1] === "-" ? -magnitude : magnitude;
  if (value < INT64_MIN || value > INT64_MAX) return { kind: "invalid", reason: "value out of range" };
  return { kind: "value", value };
}
