import { codeAt, DOT, FULL, hasTokens, isToken, STAR, sameTextLength, tokenEnd } from "./characters.ts";

/**
 * Whether `pattern` matches the literal `subject`: `*` any one token, a last `>` one or more, all else code unit by code
 * unit. A token `*` or `>` of `subject` is taken as text. False when either has an empty token, or `pattern` goes on
 * after `>`. Allocates nothing.
 * @see subject-matching sections 1 and 3
 */
export function matches(pattern: string, subject: string): boolean {
  // Both stand at the start of a token, and all tokens before agree.
  let p = 0;
  let s = 0;
  for (;;) {
    // Text first: where it is the same, nobody needs to know whether it is a wildcard.
    const length = sameTextLength(pattern, p, subject, s);
    if (codeAt(pattern, p + length) === DOT && codeAt(subject, s + length) === DOT) {
      if (length === 0) return false;
      p += length;
      s += length;
      if (length === 1 && pattern.charCodeAt(p - 1) === FULL) return p === pattern.length && hasTokens(subject, s - 1);
    } else if (isToken(pattern, p, STAR)) {
      const end = tokenEnd(subject, s);
      if (end === s) return false;
      p += 1;
      s = end;
    } else {
      return isToken(pattern, p, FULL) && p + 1 === pattern.length && hasTokens(subject, s);
    }
    if (p === pattern.length || s === subject.length) return p === pattern.length && s === subject.length;
    p++;
    s++;
  }
}
