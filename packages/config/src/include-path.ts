import { Char, END, isBlank, isDigit, isNewLine } from "./character-classes.ts";
import { advance, type Cursor, here, peek, skipBlanks, syntaxError } from "./cursor.ts";
import type { ConfigPosition } from "./value.ts";

/** The path behind the word `include`. */
export interface IncludePath {
  readonly path: string;
  readonly position: ConfigPosition;
}

/** Reads `file`, `'file'` or `"file"`; the cursor stands behind the word `include`. @see configuration.md 1.7 */
export function scanIncludePath(cursor: Cursor): IncludePath {
  skipBlanks(cursor);
  const position = here(cursor);
  const first = peek(cursor);
  if (first === Char.SingleQuote || first === Char.DoubleQuote) return { path: scanQuoted(cursor, first), position };
  const wrong = UNEXPECTED.get(first) ?? (isDigit(first) ? "start of a number" : isNewLine(first) ? "new line" : "");
  if (wrong !== "") throw syntaxError(cursor, `Expected include value but found ${wrong}`, { hint: HINT });

  const start = cursor.offset;
  // A comma belongs to the name here.
  while (!endsPath(peek(cursor))) advance(cursor);
  const path = cursor.source.text.slice(start, cursor.offset);
  if (peek(cursor) === Char.SingleQuote) advance(cursor);
  return { path, position };
}

const HINT = 'write include "file.conf"';

const UNEXPECTED: ReadonlyMap<number, string> = new Map([
  [Char.BracketOpen, "start of an array"],
  [Char.BraceOpen, "start of a map"],
  [Char.ParenOpen, "start of a block"],
  [Char.Minus, "start of a number"],
  [Char.Backslash, "escape sequence"],
]);

function endsPath(char: number): boolean {
  return (
    char === END ||
    isNewLine(char) ||
    isBlank(char) ||
    char === Char.Semicolon ||
    char === Char.BraceClose ||
    char === Char.SingleQuote
  );
}

function scanQuoted(cursor: Cursor, quote: number): string {
  const position = here(cursor);
  advance(cursor);
  const start = cursor.offset;
  while (peek(cursor) !== quote) {
    if (peek(cursor) === END) {
      const kind = quote === Char.DoubleQuote ? "double quoted" : "quoted";
      throw syntaxError(cursor, `Unexpected EOF in ${kind} include`, { code: "unterminated", position });
    }
    advance(cursor);
  }
  const path = cursor.source.text.slice(start, cursor.offset);
  advance(cursor);
  return path;
}
