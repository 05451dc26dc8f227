import { Char, END, isBlank, isDigit, isNewLine } from "./character-classes.ts";
import { ConfigError } from "./config-error.ts";
import { advance, type Cursor, here, peek, shown, syntaxError } from "./cursor.ts";
import type { ConfigPosition } from "./value.ts";

/** What began with a digit or a minus sign. */
export type ScannedNumber =
  | { readonly kind: "integer"; readonly value: bigint; readonly text: string; readonly overflow: boolean }
  /** A suffix that is none (`1kbb`): the original drops the pair without a word. */
  | { readonly kind: "bad_suffix"; readonly text: string }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "date"; readonly epochMillis: number }
  /** Two dots or more: an address or a version, kept as text. */
  | { readonly kind: "address"; readonly text: string }
  /** No number after all but a word that begins with digits; the cursor stands behind its first odd character. */
  | { readonly kind: "word" };

/**
 * Reads a number, a size, a date or an address.
 * @param inArray whether a `]` directly behind an integer ends it. The original lets the `]` become part of a word, so
 * that `[1,2]` fails there.
 * @see configuration.md 1.3, 1.4
 */
export function scanNumber(cursor: Cursor, inArray: boolean): ScannedNumber {
  const start = here(cursor);
  const startOffset = cursor.offset;
  const negative = peek(cursor) === Char.Minus;
  if (negative) {
    advance(cursor);
    if (!isDigit(peek(cursor))) throw notADigit(cursor);
  }
  skipDigits(cursor);
  const char = peek(cursor);
  if (char === Char.Dot) return scanFraction(cursor, startOffset, start);
  if (SUFFIX_LETTERS.includes(shown(cursor).toLowerCase())) return scanSuffix(cursor, startOffset, start, inArray);
  if (!negative) {
    if (char === Char.Minus) return scanDate(cursor, startOffset, start);
    if (!endsInteger(char, inArray)) {
      advance(cursor);
      return { kind: "word" };
    }
  }
  return integer(textFrom(cursor, startOffset), start);
}

const SUFFIX_LETTERS = ["k", "m", "g", "t", "p", "e"];

function endsInteger(char: number, inArray: boolean): boolean {
  return (
    char === END ||
    isNewLine(char) ||
    isBlank(char) ||
    char === Char.Comma ||
    char === Char.Semicolon ||
    char === Char.BraceClose ||
    (inArray && char === Char.BracketClose)
  );
}

function notADigit(cursor: Cursor): ConfigError {
  const text =
    peek(cursor) === Char.Dot
      ? "Floats must start with a digit, not '.'."
      : `Expected a digit but got '${shown(cursor)}'.`;
  return syntaxError(cursor, text, { code: "number", hint: 'a text that begins with "-" needs quotes' });
}

function scanFraction(cursor: Cursor, startOffset: number, start: ConfigPosition): ScannedNumber {
  advance(cursor);
  if (!isDigit(peek(cursor))) {
    const text = `Floats must have a digit after the '.', but got '${shown(cursor)}' instead.`;
    throw syntaxError(cursor, text, { code: "number" });
  }
  skipDigits(cursor);
  if (peek(cursor) === Char.Dot) {
    while (isDigit(peek(cursor)) || ADDRESS_MARKS.includes(peek(cursor))) advance(cursor);
    return { kind: "address", text: textFrom(cursor, startOffset) };
  }
  return float(textFrom(cursor, startOffset), start);
}

function float(text: string, position: ConfigPosition): ScannedNumber {
  const value = Number(text);
  if (Number.isFinite(value)) return { kind: "float", value };
  throw new ConfigError({ code: "number", message: `float '${text}' is out of the range`, position });
}

const ADDRESS_MARKS: readonly number[] = [Char.Dot, Char.Colon, Char.Minus];

function scanSuffix(cursor: Cursor, startOffset: number, start: ConfigPosition, inArray: boolean): ScannedNumber {
  advance(cursor);
  while (/[bi]/i.test(shown(cursor)) && peek(cursor) !== END) advance(cursor);
  // A digit behind the suffix ends the number too, and is then refused by whoever expects the end of the pair.
  if (!endsInteger(peek(cursor), inArray) && !isDigit(peek(cursor))) return { kind: "word" };
  return integer(textFrom(cursor, startOffset), start);
}

const SCALES: ReadonlyMap<string, bigint> = new Map(
  SUFFIX_LETTERS.flatMap((letter, index) => {
    const decimal = 1000n ** BigInt(index + 1);
    const binary = 1024n ** BigInt(index + 1);
    return [
      [letter, decimal],
      [`${letter}b`, binary],
      [`${letter}i`, binary],
      [`${letter}ib`, binary],
    ] satisfies [string, bigint][];
  }),
);

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Longest run of digits that can be a 64-bit number apart from leading zeros; longer ones are not even converted. */
const DIGITS_MAX = 19;

function integer(text: string, position: ConfigPosition): ScannedNumber {
  const digits = /^-?\d+/.exec(text)?.[0] ?? "";
  const significant = digits.replace(/^-?0*/, "");
  const number = significant.length > DIGITS_MAX ? INT64_MAX + 1n : BigInt(digits);
  if (number < INT64_MIN || number > INT64_MAX) {
    throw new ConfigError({
      code: "number",
      message: `integer '${text}' is out of the range`,
      position,
      hint: `the largest integer is ${INT64_MAX}; write a longer number in quotes`,
    });
  }
  const suffix = text.slice(digits.length).toLowerCase();
  if (suffix === "") return { kind: "integer", value: number, text, overflow: false };
  const scale = SCALES.get(suffix);
  if (scale === undefined) return { kind: "bad_suffix", text };
  const value = BigInt.asIntN(64, number * scale);
  return { kind: "integer", value, text, overflow: value !== number * scale };
}

/** `D` is a digit, every other character stands for itself. */
const DATE_FORM = "-DD-DDTDD:DD:DDZ";

function scanDate(cursor: Cursor, startOffset: number, start: ConfigPosition): ScannedNumber {
  if (cursor.offset - startOffset !== 4) {
    throw syntaxError(cursor, "All ISO8601 dates must be in full Zulu form.", {
      code: "number",
      position: start,
      hint: "write a date as 2020-01-02T03:04:05Z, and any other text in quotes",
    });
  }
  for (const expected of DATE_FORM) {
    if (expected === "D" ? !isDigit(peek(cursor)) : shown(cursor) !== expected) {
      const text =
        expected === "D"
          ? `Expected digit in ISO8601 datetime, but found '${shown(cursor)}' instead.`
          : `Expected '${expected}' in ISO8601 datetime, but found '${shown(cursor)}' instead.`;
      throw syntaxError(cursor, text, {
        code: "number",
        hint: "write a date as 2020-01-02T03:04:05Z, and any other text in quotes",
      });
    }
    advance(cursor);
  }
  const text = textFrom(cursor, startOffset);
  const epochMillis = Date.parse(text);
  // Date.parse takes 2020-02-31 and 24:00:00 for days that exist; printing it back shows that they do not.
  if (Number.isNaN(epochMillis) || new Date(epochMillis).toISOString() !== text.replace("Z", ".000Z")) {
    throw new ConfigError({
      code: "number",
      message: `expected Zulu formatted DateTime, but got '${text}'`,
      position: start,
      hint: "there is no such day or time of day",
    });
  }
  return { kind: "date", epochMillis };
}

function skipDigits(cursor: Cursor): void {
  while (isDigit(peek(cursor))) advance(cursor);
}

function textFrom(cursor: Cursor, startOffset: number): string {
  return cursor.source.text.slice(startOffset, cursor.offset);
}
