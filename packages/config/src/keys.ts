import { Char, END, isKeySeparator, isSpace } from "./character-classes.ts";
import { advance, type Cursor, here, peek, syntaxError } from "./cursor.ts";
import type { ConfigPosition } from "./value.ts";

export type ScannedKey =
  | { readonly kind: "key"; readonly key: string; readonly quoted: boolean; readonly position: ConfigPosition }
  /** The word `include` with a space behind it. */
  | { readonly kind: "include" };

/**
 * Reads a key. Quotes know no escapes; a bare key runs up to white space, `:` or `=`, whatever it holds.
 * @param inMap whether a `}` is still missing, which changes the words of the messages.
 * @see configuration.md 1.2
 */
export function scanKey(cursor: Cursor, inMap: boolean): ScannedKey {
  const first = peek(cursor);
  if (isKeySeparator(first)) {
    // The original ends this sentence with a dot inside a map and without one at top level.
    const text = `Unexpected key separator '${String.fromCharCode(first)}'${inMap ? "." : ""}`;
    throw syntaxError(cursor, text, { hint: "there is no key before this separator" });
  }
  if (first === Char.DoubleQuote || first === Char.SingleQuote) return scanQuotedKey(cursor, first, inMap);
  return scanBareKey(cursor, inMap);
}

function scanQuotedKey(cursor: Cursor, quote: number, inMap: boolean): ScannedKey {
  advance(cursor);
  const position = here(cursor);
  const start = cursor.offset;
  while (peek(cursor) !== quote) {
    if (peek(cursor) === END) {
      const kind = quote === Char.DoubleQuote ? "double quoted" : "quoted";
      const text = inMap ? `Unexpected EOF processing ${kind} map key.` : "Unexpected EOF.";
      throw syntaxError(cursor, text, { code: "unterminated", position, hint: "this quote is never closed" });
    }
    advance(cursor);
  }
  const key = cursor.source.text.slice(start, cursor.offset);
  advance(cursor);
  return { kind: "key", key, quoted: true, position };
}

function scanBareKey(cursor: Cursor, inMap: boolean): ScannedKey {
  const position = here(cursor);
  const start = cursor.offset;
  while (peek(cursor) !== END && !isSpace(peek(cursor)) && !isKeySeparator(peek(cursor))) advance(cursor);
  if (inMap && peek(cursor) === END) {
    throw syntaxError(cursor, "Unexpected EOF processing map key.", {
      code: "unterminated",
      position,
      hint: 'a "}" is missing',
    });
  }
  const key = cursor.source.text.slice(start, cursor.offset);
  if (key.toLowerCase() === "include" && isSpace(peek(cursor))) return { kind: "include" };
  return { kind: "key", key, quoted: false, position };
}
