import { Char, END, isBlank, isNewLine, isSpace } from "./character-classes.ts";
import { ConfigError, type ConfigErrorCode } from "./config-error.ts";
import type { ConfigPosition, ConfigSource } from "./value.ts";

/** A reading place that knows its line. Only {@link advance} moves it, so that the line is always right. */
export interface Cursor {
  readonly source: ConfigSource;
  offset: number;
  line: number;
  /** Offset of the first character of the line. */
  lineStart: number;
}

export function cursorAt(source: ConfigSource): Cursor {
  return { source, offset: 0, line: 1, lineStart: 0 };
}

/** The character ahead, as a UTF-16 unit; {@link END} at the end. */
export function peek(cursor: Cursor): number {
  const { text } = cursor.source;
  return cursor.offset < text.length ? text.charCodeAt(cursor.offset) : END;
}

/** The character after the one ahead. */
export function peekSecond(cursor: Cursor): number {
  const { text } = cursor.source;
  return cursor.offset + 1 < text.length ? text.charCodeAt(cursor.offset + 1) : END;
}

/** Steps over one character; at the end it stays. */
export function advance(cursor: Cursor): void {
  const { text } = cursor.source;
  if (cursor.offset >= text.length) return;
  const wasNewLine = text.charCodeAt(cursor.offset) === Char.LineFeed;
  cursor.offset++;
  if (wasNewLine) {
    cursor.line++;
    cursor.lineStart = cursor.offset;
  }
}

export function skipBlanks(cursor: Cursor): void {
  while (isBlank(peek(cursor))) advance(cursor);
}

/** Skips white space of every kind, new lines too. */
export function skipSpaces(cursor: Cursor): void {
  while (isSpace(peek(cursor))) advance(cursor);
}

/** Skips a comment if one begins here. */
export function skipComment(cursor: Cursor): boolean {
  const begins = peek(cursor) === Char.Hash || (peek(cursor) === Char.Slash && peekSecond(cursor) === Char.Slash);
  if (!begins) return false;
  while (peek(cursor) !== END && !isNewLine(peek(cursor))) advance(cursor);
  return true;
}

export function here(cursor: Cursor): ConfigPosition {
  const { source, line } = cursor;
  return { file: source.file, line, column: cursor.offset - cursor.lineStart + 1, source };
}

/** The character ahead as messages show it. */
export function shown(cursor: Cursor): string {
  const code = cursor.source.text.codePointAt(cursor.offset);
  if (code === undefined) return "EOF";
  return code === Char.LineFeed ? "\\n" : String.fromCodePoint(code);
}

export interface SyntaxErrorOptions {
  readonly code?: ConfigErrorCode;
  /** Where the fault is, when not at the cursor. */
  readonly position?: ConfigPosition;
  readonly hint?: string;
}

/**
 * An error at the character ahead. The original has read that character when it complains, so a line feed counts as
 * part of the next line in its message; the position names the line that it ends.
 * @see configuration.md 1.8
 */
export function syntaxError(cursor: Cursor, text: string, options: SyntaxErrorOptions = {}): ConfigError {
  const line = cursor.line + (peek(cursor) === Char.LineFeed ? 1 : 0);
  return new ConfigError({
    code: options.code ?? "syntax",
    message: `Parse error on line ${line}: '${text}'`,
    position: options.position ?? here(cursor),
    ...(options.hint === undefined ? {} : { hint: options.hint }),
  });
}
