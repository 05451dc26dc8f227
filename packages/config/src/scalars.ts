import { Char, isDigit } from "./character-classes.ts";
import { type Cursor, here, peek, syntaxError } from "./cursor.ts";
import { scanNumber } from "./numbers.ts";
import type { ParseState, Scope } from "./parse-state.ts";
import { type ScannedText, scanBlock, scanDoubleQuoted, scanSingleQuoted, scanWord } from "./strings.ts";
import type { ConfigPosition, ConfigString, ConfigValue } from "./value.ts";
import { resolveVariable } from "./variables.ts";

/**
 * Reads a value that is neither map nor array. Undefined for a number with an unknown suffix, which is dropped.
 * @see configuration.md 1.3
 */
export function parseScalar(
  state: ParseState,
  cursor: Cursor,
  scope: Scope,
  inArray: boolean,
): ConfigValue | undefined {
  const position = here(cursor);
  const char = peek(cursor);
  if (char === Char.DoubleQuote) {
    return string(checked(state, scanDoubleQuoted(cursor), position).text, true, position);
  }
  if (char === Char.SingleQuote) return string(scanSingleQuoted(cursor), true, position);
  if (char === Char.ParenOpen) return string(scanBlock(cursor), true, position);
  if (char === Char.Dot) {
    throw syntaxError(cursor, "Floats must start with a digit", {
      code: "number",
      hint: 'write 0 before the dot; a text that begins with "." needs quotes',
    });
  }
  if (isDigit(char) || char === Char.Minus) return parseNumber(state, cursor, position, inArray);
  return parseWord(state, cursor, scope, position);
}

function parseNumber(
  state: ParseState,
  cursor: Cursor,
  position: ConfigPosition,
  inArray: boolean,
): ConfigValue | undefined {
  const start = cursor.offset;
  const scanned = scanNumber(cursor, inArray);
  switch (scanned.kind) {
    case "integer": {
      const { value, text } = scanned;
      if (scanned.overflow) {
        const message = `${text} does not fit into 64 bits and becomes ${value}`;
        state.warnings.push({ code: "overflow", message, position });
      }
      return { kind: "integer", value, text, position };
    }
    case "bad_suffix": {
      const message = `${scanned.text} is neither a number nor a text and is ignored; size suffixes are k, kb, kib, m, mb, …`;
      state.warnings.push({ code: "bad_suffix", message, position });
      return undefined;
    }
    case "float":
      return { kind: "float", value: scanned.value, position };
    case "date":
      return { kind: "date", epochMillis: scanned.epochMillis, position };
    case "address":
      return string(scanned.text, false, position);
    case "word":
      return string(checked(state, scanWord(cursor, start), position).text, false, position);
  }
}

const WORDS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["yes", true],
  ["on", true],
  ["false", false],
  ["no", false],
  ["off", false],
]);

function parseWord(state: ParseState, cursor: Cursor, scope: Scope, position: ConfigPosition): ConfigValue {
  const word = scanWord(cursor);
  const { text } = checked(state, word, position);
  if (word.literal) return string(text, false, position);
  const boolean = WORDS.get(text.toLowerCase());
  if (boolean !== undefined) return { kind: "boolean", value: boolean, position };
  if (text.startsWith("$")) return resolveVariable(state, scope, text.slice(1), position);
  return string(text, false, position);
}

function string(value: string, quoted: boolean, position: ConfigPosition): ConfigString {
  return { kind: "string", value, quoted, position };
}

function checked(state: ParseState, text: ScannedText, position: ConfigPosition): ScannedText {
  if (!text.validUtf8) {
    const message = "the bytes that the \\x escapes name are not UTF-8 and were replaced";
    state.warnings.push({ code: "bad_utf8", message, position });
  }
  return text;
}
