import type { ConfigPosition } from "./value.ts";

/** Longest piece of a line that an excerpt shows, so that a file of one huge line gives a readable message. */
const EXCERPT_LENGTH_MAX = 100;

/**
 * The line at `position` with a caret under the place:
 *
 * ```text
 *   max_age: 5m
 *            ^
 * ```
 *
 * Empty for an environment variable, whose text is never shown.
 */
export function excerpt(position: ConfigPosition): string {
  const { source } = position;
  if (source.hidden) return "";
  const line = lineAt(source.text, position.line);
  const at = Math.min(position.column - 1, line.length);
  const from = Math.max(0, Math.min(at - EXCERPT_LENGTH_MAX / 2, line.length - EXCERPT_LENGTH_MAX));
  const shown = line.slice(from, from + EXCERPT_LENGTH_MAX);
  // Tabs stay tabs and everything else becomes one blank per character, so that the caret stands right in any terminal.
  const padding = Array.from(line.slice(from, at), (char) => (char === "\t" ? "\t" : " ")).join("");
  return `  ${shown}\n  ${padding}^`;
}

/** `file:line:column`, or `line:column` for a text without a file. */
export function formatPosition(position: ConfigPosition): string {
  const place = `${position.line}:${position.column}`;
  return position.file === "" ? place : `${position.file}:${place}`;
}

function lineAt(text: string, line: number): string {
  let start = 0;
  for (let count = 1; count < line; count++) {
    const end = text.indexOf("\n", start);
    if (end === -1) return "";
    start = end + 1;
  }
  const end = text.indexOf("\n", start);
  return text.slice(start, end === -1 ? text.length : end).replace(/\r$/, "");
}
