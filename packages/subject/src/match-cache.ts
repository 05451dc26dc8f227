import { DOT, FULL, isToken, STAR } from "./characters.ts";

/** Stamps of a cache: one for patterns that start with a wildcard, the rest shared by hash. A power of two. */
const STAMPS = 1024;

/**
 * Results by queried subject. What makes it cheap is that a change never walks the cached results:
 *
 * - A literal pattern concerns one query only, the equal one: that result is dropped.
 * - A pattern with wildcards raises a stamp, chosen by its literal tokens before the first wildcard (none: stamp 0; one:
 *   by that token; more: by the first two). A query depends on stamp 0, on that of its first token and on that of its
 *   first two; stamps only grow, so a result is still right exactly when their sum is what it was. Stamps shared by chance
 *   cost a needless look-up in the tree, never a wrong answer.
 *
 * Results that went out of date stay until they are asked for again or their turn to be evicted comes.
 */
export class MatchCache<R> {
  readonly #capacity: number;
  readonly #stamps = new Float64Array(STAMPS);
  readonly #results = new Map<string, CachedResult<R>>();
  /** The cached subjects in the order of arrival, as a ring: the oldest makes room for the newest. */
  readonly #ring: string[] = [];
  #hand = 0;

  /** @param capacity most results held, at least 1. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(subject: string): R | undefined {
    const cached = this.#results.get(subject);
    if (cached === undefined || cached.stamp !== this.#sum(cached.first, cached.second)) return undefined;
    return cached.result;
  }

  set(subject: string, result: R): void {
    const first = stampOf(subject, 1);
    const second = stampOf(subject, 2);
    const stamp = this.#sum(first, second);
    const present = this.#results.get(subject);
    if (present !== undefined) {
      present.result = result;
      present.stamp = stamp;
      return;
    }
    if (this.#ring.length < this.#capacity) this.#ring.push(subject);
    else {
      // Each cached subject stands in the ring at least once, so this keeps the map within the capacity.
      this.#results.delete(this.#ring[this.#hand]!);
      this.#ring[this.#hand] = subject;
      this.#hand = (this.#hand + 1) % this.#capacity;
    }
    this.#results.set(subject, { result, first, second, stamp });
  }

  /** Forgets what `pattern`, inserted or removed or weighed anew, makes wrong. */
  patternChanged(pattern: string): void {
    const literalTokens = countTokensBeforeWildcard(pattern);
    if (literalTokens === ALL_LITERAL) this.#results.delete(pattern);
    else this.#stamps[literalTokens === 0 ? 0 : stampOf(pattern, literalTokens === 1 ? 1 : 2)]!++;
  }

  /** Drops everything. */
  clear(): void {
    if (this.#ring.length === 0) return;
    this.#results.clear();
    this.#ring.length = 0;
    this.#hand = 0;
  }

  /** Calls `visit` with each result that is still right, and drops the others. Walks the whole cache. */
  visit(visit: (result: R) => void): void {
    for (const [subject, cached] of this.#results) {
      if (cached.stamp === this.#sum(cached.first, cached.second)) visit(cached.result);
      else this.#results.delete(subject);
    }
  }

  #sum(first: number, second: number): number {
    return this.#stamps[0]! + this.#stamps[first]! + this.#stamps[second]!;
  }
}

interface CachedResult<R> {
  result: R;
  readonly first: number;
  readonly second: number;
  stamp: number;
}

/** The stamp for the first `tokens` tokens of `subject`, or for all of it when it has fewer; never 0. */
function stampOf(subject: string, tokens: number): number {
  let hash = 0;
  let left = tokens;
  for (let i = 0; i < subject.length; i++) {
    const code = subject.charCodeAt(i);
    if (code === DOT && --left === 0) break;
    hash = Math.imul(hash ^ code, 0x01000193);
  }
  hash ^= hash >>> 15;
  return hash & (STAMPS - 1) || 1;
}

const ALL_LITERAL = -1;

function countTokensBeforeWildcard(pattern: string): number {
  let tokens = 0;
  let start = 0;
  for (let i = 0; i < pattern.length; i++) {
    const code = pattern.charCodeAt(i);
    if (code === DOT) {
      tokens++;
      start = i + 1;
    } else if (i === start && (code === STAR || code === FULL) && isToken(pattern, i, code)) return tokens;
  }
  return ALL_LITERAL;
}
