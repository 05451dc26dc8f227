import { Char, END, endsWord, isNewLine } from "./character-classes.ts";
import { advance, type Cursor, here, peek, shown, syntaxError } from "./cursor.ts";
import type { ConfigPosition } from "./value.ts";

/** Text that was read, and whether its `\x` escapes were UTF-8. */
export interface ScannedText {
  readonly text: string;
  readonly escaped: boolean;
  readonly validUtf8: boolean;
}

/** `"text"` with escapes, over as many lines as it likes. The cursor stands on the opening quote. */
export function scanDoubleQuoted(cursor: Cursor): ScannedText {
  const opening = here(cursor);
  advance(cursor);
  const parts = beginText(cursor, cursor.offset);
  for (;;) {
    const char = peek(cursor);
    if (char === END) throw unterminatedQuote(cursor, opening);
    if (char === Char.DoubleQuote) break;
    if (char === Char.Backslash) addEscape(parts);
    else advance(cursor);
  }
  const scanned = finishText(parts);
  advance(cursor);
  return scanned;
}

/** `'text'` as it stands, over as many lines as it likes. The cursor stands on the opening quote. */
export function scanSingleQuoted(cursor: Cursor): string {
  const opening = here(cursor);
  advance(cursor);
  const start = cursor.offset;
  while (peek(cursor) !== Char.SingleQuote) {
    if (peek(cursor) === END) throw unterminatedQuote(cursor, opening);
    advance(cursor);
  }
  const text = cursor.source.text.slice(start, cursor.offset);
  advance(cursor);
  return text;
}

/** What a bare word was: only one that is neither escaped nor ended by a `'` can be a boolean or a variable. */
export interface ScannedWord extends ScannedText {
  readonly literal: boolean;
}

/** Text without quotes, up to what ends a word, or up to a `'`, which is swallowed. May be empty. */
export function scanWord(cursor: Cursor, start: number = cursor.offset): ScannedWord {
  const parts = beginText(cursor, start);
  for (;;) {
    const char = peek(cursor);
    if (endsWord(char)) {
      const scanned = finishText(parts);
      return { ...scanned, literal: scanned.escaped };
    }
    if (char === Char.SingleQuote) {
      const scanned = finishText(parts);
      advance(cursor);
      return { ...scanned, literal: true };
    }
    if (char === Char.Backslash) addEscape(parts);
    else advance(cursor);
  }
}

/** `( … )`: everything up to a `)` that has its line to itself. The cursor stands on the opening parenthesis. */
export function scanBlock(cursor: Cursor): string {
  const opening = here(cursor);
  const { text } = cursor.source;
  advance(cursor);
  const start = cursor.offset;
  for (;;) {
    const char = peek(cursor);
    if (char === END) {
      throw syntaxError(cursor, "Unexpected EOF processing block.", {
        code: "unterminated",
        position: opening,
        hint: 'close the block with a ")" alone at the beginning of a line, or write the text in quotes',
      });
    }
    if (
      char === Char.ParenClose &&
      cursor.offset === cursor.lineStart &&
      /^\)\r?(?:\n|$)/.test(text.slice(cursor.offset, cursor.offset + 3))
    ) {
      const block = text.slice(start, cursor.offset);
      advance(cursor);
      return block;
    }
    advance(cursor);
  }
}

/** A text of which parts are taken as they stand and parts come from escapes. */
interface TextParts {
  readonly cursor: Cursor;
  text: string;
  /** Where the part begins that is taken as it stands. */
  start: number;
  escaped: boolean;
  validUtf8: boolean;
}

function beginText(cursor: Cursor, start: number): TextParts {
  return { cursor, text: "", start, escaped: false, validUtf8: true };
}

function finishText(parts: TextParts): ScannedText {
  const text = parts.text + parts.cursor.source.text.slice(parts.start, parts.cursor.offset);
  return { text, escaped: parts.escaped, validUtf8: parts.validUtf8 };
}

/** The cursor stands on the backslash, and behind the escape when this returns. */
function addEscape(parts: TextParts): void {
  const { cursor } = parts;
  const position = here(cursor);
  parts.text += cursor.source.text.slice(parts.start, cursor.offset);
  parts.escaped = true;
  advance(cursor);
  if (peek(cursor) === LETTER_X) {
    addHexRun(parts, position);
  } else {
    const replacement = ESCAPES.get(peek(cursor));
    if (replacement === undefined) {
      const text = `Invalid escape character '${shown(cursor)}'. Only the following escape characters are allowed: ${ALLOWED}`;
      throw syntaxError(cursor, text, { position, hint: 'write "\\\\" for a backslash, or use single quotes' });
    }
    advance(cursor);
    parts.text += replacement;
  }
  parts.start = cursor.offset;
}

/** Escapes give bytes, texts are UTF-8: a run of `\xHH` is decoded as a whole. The cursor stands on the first `x`. */
function addHexRun(parts: TextParts, position: ConfigPosition): void {
  const { cursor } = parts;
  const { text } = cursor.source;
  const bytes: number[] = [];
  for (;;) {
    advance(cursor);
    bytes.push(hexByte(cursor, position));
    if (text.charCodeAt(cursor.offset) !== Char.Backslash || text.charCodeAt(cursor.offset + 1) !== LETTER_X) break;
    advance(cursor);
  }
  const raw = Buffer.from(bytes);
  const decoded = raw.toString("utf8");
  if (!Buffer.from(decoded, "utf8").equals(raw)) parts.validUtf8 = false;
  parts.text += decoded;
}

const LETTER_X = 0x78;

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x74, "\t"],
  [0x6e, "\n"],
  [0x72, "\r"],
  [Char.DoubleQuote, '"'],
  [Char.Backslash, "\\"],
]);

const ALLOWED = '\\xXX, \\t, \\n, \\r, \\", \\\\.';

function hexByte(cursor: Cursor, position: ConfigPosition): number {
  const start = cursor.offset;
  for (let digit = 0; digit < 2; digit++) {
    if (peek(cursor) === END || isNewLine(peek(cursor))) {
      throw syntaxError(cursor, "Expected two hexadecimal digits after '\\x', but hit end of line", { position });
    }
    advance(cursor);
  }
  const digits = cursor.source.text.slice(start, cursor.offset);
  if (!/^[0-9a-fA-F]{2}$/.test(digits)) {
    throw syntaxError(cursor, `Expected two hexadecimal digits after '\\x', but got '${digits}'`, { position });
  }
  return Number.parseInt(digits, 16);
}

function unterminatedQuote(cursor: Cursor, opening: ConfigPosition): Error {
  return syntaxError(cursor, "Unexpected EOF.", {
    code: "unterminated",
    position: opening,
    hint: "this quote is never closed",
  });
}
