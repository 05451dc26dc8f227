/** `.` parts tokens. */
export const DOT = 0x2e;
/** `*` as a whole token stands for exactly one token. */
export const STAR = 0x2a;
/** `>` as the whole last token stands for one or more tokens. */
export const FULL = 0x3e;

/** Whether every token of `text` from `start` on is non-empty. */
export function hasTokens(text: string, start: number): boolean {
  let tokenStart = start;
  for (let i = start; i < text.length; i++) {
    if (text.charCodeAt(i) !== DOT) continue;
    if (i === tokenStart) return false;
    tokenStart = i + 1;
  }
  return tokenStart < text.length;
}

/** As {@link hasTokens}, and no token before the last is `>`. */
export function hasPatternTokens(text: string, start: number): boolean {
  let tokenStart = start;
  for (let i = start; i < text.length; i++) {
    if (text.charCodeAt(i) !== DOT) continue;
    if (i === tokenStart) return false;
    if (i === tokenStart + 1 && text.charCodeAt(tokenStart) === FULL) return false;
    tokenStart = i + 1;
  }
  return tokenStart < text.length;
}

/** Where the token that `i` is in ends: the place of its dot, or the length of `text`. */
export function tokenEnd(text: string, i: number): number {
  let end = i;
  while (end < text.length && text.charCodeAt(end) !== DOT) end++;
  return end;
}

/** Whether the token that starts at `i` is just the one character `code`. */
export function isToken(text: string, i: number, code: number): boolean {
  return text.charCodeAt(i) === code && (i + 1 === text.length || text.charCodeAt(i + 1) === DOT);
}

/** The code unit at `i`; the end of the text counts as the dot that ends a token. */
export function codeAt(text: string, i: number): number {
  return i < text.length ? text.charCodeAt(i) : DOT;
}

/** How far the tokens that start at `i` of `a` and `j` of `b` are the same text, at most to the end of either. */
export function sameTextLength(a: string, i: number, b: string, j: number): number {
  let length = 0;
  let code = codeAt(a, i);
  while (code !== DOT && code === codeAt(b, j + length)) code = codeAt(a, i + ++length);
  return length;
}
