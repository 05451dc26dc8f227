import { Char, END, isBlank, isKeySeparator, isNewLine } from "./character-classes.ts";
import { ConfigError } from "./config-error.ts";
import {
  advance,
  type Cursor,
  cursorAt,
  here,
  peek,
  shown,
  skipBlanks,
  skipComment,
  skipSpaces,
  syntaxError,
} from "./cursor.ts";
import { include } from "./include.ts";
import { scanIncludePath } from "./include-path.ts";
import { type ScannedKey, scanKey } from "./keys.ts";
import { DEPTH_MAX, define, type ParseState, type Scope } from "./parse-state.ts";
import { parseScalar } from "./scalars.ts";
import type { ConfigArray, ConfigMap, ConfigPosition, ConfigSource, ConfigValue } from "./value.ts";

/**
 * Parses a whole text: the pairs of the outermost map.
 *
 * ```text
 * text  = { "{" | pair end }          end   = NL | "," | ";" | "}" | comment | EOF
 * pair  = key [ ":" | "=" ] value | "include" path
 * value = map | array | block | string | number | date | word
 * map   = "{" { pair ( NL | "," | ";" | comment ) } "}"
 * array = "[" { value ( NL | "," | comment ) } "]"
 * ```
 *
 * @throws ConfigError
 */
export function parseText(state: ParseState, source: ConfigSource): ConfigMap {
  const cursor = cursorAt(source);
  const position = here(cursor);
  refuseNul(cursor);
  const scope: Scope = { entries: new Map(), outer: undefined };
  for (;;) {
    skipSpaces(cursor);
    const char = peek(cursor);
    if (char === END) return { kind: "map", entries: scope.entries, position };
    if (skipComment(cursor)) continue;
    if (char === Char.BraceOpen) {
      advance(cursor);
      continue;
    }
    if (char === Char.Slash)
      throw syntaxError(cursor, "Unexpected EOF.", { hint: 'a comment begins with "//" or "#"' });
    parsePair(state, cursor, scope, 0);
    endTopPair(cursor);
  }
}

/** A text with a NUL is no text: most likely UTF-16. The original takes a NUL for the end of the file. */
function refuseNul(cursor: Cursor): void {
  const at = cursor.source.text.indexOf("\0");
  if (at === -1) return;
  while (cursor.offset < at) advance(cursor);
  throw syntaxError(cursor, "Unexpected EOF.", {
    hint: "there is a NUL character here; a configuration file is plain UTF-8 text",
  });
}

/** Reads one pair and puts it into the map. `depth` is 0 at top level, else how deep the map is. */
function parsePair(state: ParseState, cursor: Cursor, scope: Scope, depth: number): void {
  const inMap = depth > 0;
  const scanned = scanKey(cursor, inMap);
  if (scanned.kind === "include") {
    include(state, scope, scanIncludePath(cursor));
    return;
  }
  warnOfBrace(state, cursor, scanned);
  const { key, position } = scanned;
  const separated = skipSeparator(cursor, inMap);
  const char = peek(cursor);
  if (inMap ? char === Char.BraceClose : char === END && !separated) {
    // A lone "}" at the end closes the brace that may open a file.
    if (!inMap && !scanned.quoted && key === "}") return;
    state.warnings.push({ code: "missing_value", message: `key "${key}" has no value and is ignored`, position });
    return;
  }
  refuseMissingValue(cursor, key, inMap);
  if (!separated && cursor.line !== position.line && !opensNested(char)) {
    const message = `key "${key}" has no value on its line; what stands on the next line was taken as its value`;
    state.warnings.push({ code: "value_on_next_line", message, position });
  }
  const value = parseValue(state, cursor, scope, depth, false);
  if (value !== undefined) define(state, scope, { key, position, value, usedAsVariable: false });
}

/** Goes to the value of a pair. Behind a separator, only a map lets the value begin on another line. */
function skipSeparator(cursor: Cursor, inMap: boolean): boolean {
  skipSpaces(cursor);
  if (!isKeySeparator(peek(cursor))) return false;
  advance(cursor);
  if (inMap) skipSpaces(cursor);
  else skipBlanks(cursor);
  return true;
}

function refuseMissingValue(cursor: Cursor, key: string, inMap: boolean): void {
  if (inMap && peek(cursor) === Char.Comma) {
    throw syntaxError(cursor, 'Unexpected map value terminator ",".', { hint: `key "${key}" has no value` });
  }
  if (!inMap && isNewLine(peek(cursor))) {
    const hint = `write the value of "${key}" on the same line`;
    throw syntaxError(cursor, "Expected value but found new line", { hint });
  }
}

function warnOfBrace(state: ParseState, cursor: Cursor, key: ScannedKey & { kind: "key" }): void {
  if (key.quoted || !/[{}]/.test(key.key) || (key.key === "}" && onlySpaceAhead(cursor))) return;
  const message = `"${key.key}" was read as one key, for a brace does not end a key: put a space or ":" before the "{"`;
  state.warnings.push({ code: "brace_in_key", message, position: key.position });
}

function onlySpaceAhead(cursor: Cursor): boolean {
  const ahead: Cursor = { ...cursor };
  skipSpaces(ahead);
  return peek(ahead) === END;
}

function opensNested(char: number): boolean {
  return char === Char.BraceOpen || char === Char.BracketOpen || char === Char.ParenOpen;
}

/** Undefined for a value that is dropped: its key is as if it had not been written. */
function parseValue(
  state: ParseState,
  cursor: Cursor,
  scope: Scope,
  depth: number,
  inArray: boolean,
): ConfigValue | undefined {
  const char = peek(cursor);
  if (char === Char.BraceOpen) return parseMap(state, cursor, scope, depth + 1);
  if (char === Char.BracketOpen) return parseArray(state, cursor, scope, depth + 1);
  return parseScalar(state, cursor, scope, inArray);
}

function parseMap(state: ParseState, cursor: Cursor, outer: Scope, depth: number): ConfigMap {
  const position = here(cursor);
  boundDepth(depth, position);
  advance(cursor);
  const scope: Scope = { entries: new Map(), outer };
  for (;;) {
    skipSpaces(cursor);
    if (skipComment(cursor)) continue;
    if (peek(cursor) === Char.BraceClose) break;
    if (peek(cursor) === END) throw unterminated(cursor, "Unexpected EOF processing map.", position);
    if (peek(cursor) === Char.BracketClose) {
      throw syntaxError(cursor, "Unexpected array end ']' processing map.", { hint: 'a "}" is missing before it' });
    }
    parsePair(state, cursor, scope, depth);
    if (endMapPair(cursor, position) === "map") break;
  }
  advance(cursor);
  return { kind: "map", entries: scope.entries, position };
}

function parseArray(state: ParseState, cursor: Cursor, scope: Scope, depth: number): ConfigArray {
  const position = here(cursor);
  boundDepth(depth, position);
  advance(cursor);
  const items: ConfigValue[] = [];
  for (;;) {
    skipSpaces(cursor);
    if (skipComment(cursor)) continue;
    const char = peek(cursor);
    if (char === Char.BracketClose) break;
    if (char === Char.Comma || char === Char.Slash) {
      const hint =
        char === Char.Comma ? "there is no value before this comma" : 'a value that begins with "/" needs quotes here';
      throw syntaxError(cursor, "Unexpected array value terminator ','.", { hint });
    }
    const value = parseValue(state, cursor, scope, depth, true);
    if (value !== undefined) items.push(value);
    if (endArrayItem(cursor, position) === "array") break;
  }
  advance(cursor);
  return { kind: "array", items, position };
}

/** Whether the pair or item is over, or also what holds it; the closing character is left for the caller. */
type Ended = "item" | "map" | "array";

function endTopPair(cursor: Cursor): void {
  for (;;) {
    const char = peek(cursor);
    if (skipComment(cursor)) return;
    // A single slash here counts as white space.
    if (isBlank(char) || char === Char.Slash) {
      advance(cursor);
    } else if (
      char === END ||
      isNewLine(char) ||
      char === Char.Comma ||
      char === Char.Semicolon ||
      char === Char.BraceClose
    ) {
      advance(cursor);
      return;
    } else {
      const text = `Expected a top-level value to end with a new line, comment or EOF, but got '${shown(cursor)}' instead.`;
      throw syntaxError(cursor, text, { hint: "put each pair on a line of its own, and a text with spaces in quotes" });
    }
  }
}

function endMapPair(cursor: Cursor, opening: ConfigPosition): Ended {
  for (;;) {
    skipBlanks(cursor);
    if (skipComment(cursor)) continue;
    const char = peek(cursor);
    if (char === Char.BraceClose) return "map";
    if (isNewLine(char) || endsItem(char) || char === Char.Semicolon) {
      advance(cursor);
      return "item";
    }
    const text = `Expected a map value terminator "," or a map terminator "}", but got '${shown(cursor)}' instead.`;
    if (char === END) throw unterminated(cursor, text, opening);
    throw syntaxError(cursor, text, {
      hint: 'put "," or a new line between two pairs, and a text with spaces in quotes',
    });
  }
}

function endArrayItem(cursor: Cursor, opening: ConfigPosition): Ended {
  for (;;) {
    skipBlanks(cursor);
    if (skipComment(cursor)) continue;
    const char = peek(cursor);
    if (char === Char.BracketClose) return "array";
    if (isNewLine(char) || endsItem(char)) {
      advance(cursor);
      return "item";
    }
    const text = `Expected an array value terminator "," or an array terminator "]", but got '${shown(cursor)}' instead.`;
    if (char === END) throw unterminated(cursor, text, opening);
    throw syntaxError(cursor, text, { hint: 'put "," or a new line between two values' });
  }
}

/** A single slash separates as a comma does: an accident of the original that files may lean on. */
function endsItem(char: number): boolean {
  return char === Char.Comma || char === Char.Slash;
}

function unterminated(cursor: Cursor, text: string, position: ConfigPosition): ConfigError {
  return syntaxError(cursor, text, { code: "unterminated", position, hint: "what is opened here is never closed" });
}

function boundDepth(depth: number, position: ConfigPosition): void {
  if (depth <= DEPTH_MAX) return;
  throw new ConfigError({
    code: "too_deep",
    message: `maps and arrays are nested more than ${DEPTH_MAX} deep`,
    position,
  });
}
