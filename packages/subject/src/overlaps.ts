import { codeAt, DOT, FULL, hasPatternTokens, isToken, STAR, sameTextLength, tokenEnd } from "./characters.ts";

/**
 * Whether some literal subject is matched by both patterns (the *collide* of the specification). Exact, for literals and
 * wildcards in any mixture: `foo.*.c` and `foo.b.*` overlap in `foo.b.c`. A pattern with an empty token, or with a token
 * after `>`, matches nothing and so overlaps nothing. Allocates nothing.
 * @see subject-matching section 4
 */
export function overlaps(a: string, b: string): boolean {
  let i = 0;
  let j = 0;
  for (;;) {
    const aStart = i;
    const bStart = j;
    // Text first: where it is the same, nobody needs to know whether it is a wildcard.
    let aCode = codeAt(a, i);
    let bCode = codeAt(b, j);
    while (aCode === bCode && aCode !== DOT) {
      aCode = codeAt(a, ++i);
      bCode = codeAt(b, ++j);
    }
    if (aCode === bCode) {
      if (i === aStart) return false;
      if (i === aStart + 1 && a.charCodeAt(aStart) === FULL) return i === a.length && j === b.length;
    } else {
      if (isToken(a, aStart, FULL)) return aStart + 1 === a.length && hasPatternTokens(b, bStart);
      if (isToken(b, bStart, FULL)) return bStart + 1 === b.length && hasPatternTokens(a, aStart);
      if (!isToken(a, aStart, STAR) && !isToken(b, bStart, STAR)) return false;
      i = tokenEnd(a, i);
      j = tokenEnd(b, j);
      if (i === aStart || j === bStart) return false;
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
