import { codeAt, DOT, FULL, hasPatternTokens, isToken, STAR, sameTextLength, tokenEnd } from "./characters.ts";

/**
 * Whether some literal subject is matched by both patterns (the *collide* of the specification). Exact, for literals and
 * wildcards in any mixture: `foo.*.c` and `foo.b.*` overlap in `foo.b.c`. A pattern with an empty token, or with a token
 * after `>`, matches nothing and so overlaps nothing. Allocates nothing.
 * @see subject-matching section 4
 */
export function overlaps(a: string, b: string): boolean {
  // Both stand at the start of a token, and all tokens before agree.
  let i = 0;
  let j = 0;
  for (;;) {
    // Text first: where it is the same, nobody needs to know whether it is a wildcard.
    const length = sameTextLength(a, i, b, j);
    if (codeAt(a, i + length) === DOT && codeAt(b, j + length) === DOT) {
      if (length === 0) return false;
      i += length;
      j += length;
      if (length === 1 && a.charCodeAt(i - 1) === FULL) return i === a.length && j === b.length;
    } else {
      if (isToken(a, i, FULL)) return i + 1 === a.length && hasPatternTokens(b, j);
      if (isToken(b, j, FULL)) return j + 1 === b.length && hasPatternTokens(a, i);
      if (!isToken(a, i, STAR) && !isToken(b, j, STAR)) return false;
      const aEnd = tokenEnd(a, i);
      const bEnd = tokenEnd(b, j);
      if (aEnd === i || bEnd === j) return false;
      i = aEnd;
      j = bEnd;
    }
    if (i === a.length || j === b.length) return i === a.length && j === b.length;
    i++;
    j++;
  }
}

/**
 * Whether every literal subject that `a` matches is matched by `b` too. False when either has an empty token, or a token
 * after `>`. Allocates nothing.
 * @see subject-matching section 4
 */
export function isSubset(a: string, b: string): boolean {
  let i = 0;
  let j = 0;
  for (;;) {
    const length = sameTextLength(a, i, b, j);
    if (codeAt(a, i + length) === DOT && codeAt(b, j + length) === DOT) {
      if (length === 0) return false;
      i += length;
      j += length;
      if (length === 1 && a.charCodeAt(i - 1) === FULL) return i === a.length && j === b.length;
    } else if (isToken(b, j, STAR) && !isToken(a, i, FULL)) {
      const end = tokenEnd(a, i);
      if (end === i) return false;
      i = end;
      j += 1;
    } else {
      return isToken(b, j, FULL) && j + 1 === b.length && hasPatternTokens(a, i);
    }
    if (i === a.length || j === b.length) return i === a.length && j === b.length;
    i++;
    j++;
  }
}
