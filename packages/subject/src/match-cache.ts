import { DOT, FULL, isToken, STAR } from "./characters.ts";

/** Stamps of a cache: one for patterns that start with a wildcard, the rest shared by hash. A power of two. */
const STAMPS = 1024;

/** Subjects remembered as asked for once, by hash, when the cache is full. A power of two, some times the usual capacity. */
const SEEN = 4096;

/**
 * Results by queried subject. What makes it cheap is that a change never walks the cached results:
 *
 * - A literal pattern concerns one query only, the equal one: that result is dropped.
 * - A pattern with wildcards raises a stamp, chosen by its literal tokens before the first wildcard (none: stamp 0; one:
 *   by that token; more: by the first two). A query depends on stamp 0, on that of its first token and on that of its
 *   first two; stamps only grow, so a result is still right exactly when their sum is what it was. Stamps shared by chance
 *   cost a needless look-up in the tree, never a wrong answer.
 *
 * A full cache takes in only what is asked for a second time: subjects that are used once, such as reply inboxes, then
 * neither push out the busy ones nor pay for a place of their own.
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
  /** By the low bits of its hash, the hash of the last subject that a full cache turned away. */
  #seen: Int32Array | undefined;

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
    const present = this.#results.get(subject);
    if (present !== undefined) {
      present.result = result;
      present.stamp = this.#sum(present.first, present.second);
      return;
    }
    if (this.#ring.length < this.#capacity) this.#ring.push(subject);
    else {
      if (!this.#isKnown(hashTail(subject))) return;
      // Each cached subject stands in the ring at least once, so this keeps the map within the capacity.
      this.#results.delete(this.#ring[this.#hand]!);
      this.#ring[this.#hand] = subject;
      this.#hand = (this.#hand + 1) % this.#capacity;
    }
    findStamps(subject);
    const { first, second } = stamps;
    this.#results.set(subject, { result, first, second, stamp: this.#sum(first, second) });
  }

  /** Forgets what `pattern`, inserted or removed or weighed anew, makes wrong. */
  patternChanged(pattern: string): void {
    const literalTokens = countTokensBeforeWildcard(pattern);
    if (literalTokens === ALL_LITERAL) this.#results.delete(pattern);
    else if (literalTokens === 0) this.#stamps[0]!++;
    else {
      findStamps(pattern);
      this.#stamps[literalTokens === 1 ? stamps.first : stamps.second]!++;
    }
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

  /** Whether a subject of this hash was turned away before; from now on it was. Taking two for one only lets one in. */
  #isKnown(hash: number): boolean {
    this.#seen ??= new Int32Array(SEEN);
    if (this.#seen[hash & (SEEN - 1)] === hash) return true;
    this.#seen[hash & (SEEN - 1)] = hash;
    return false;
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

/** What {@link findStamps} found last: an object of its own, so that the hot path makes none. */
const stamps = { first: 1, second: 1 };

/** Finds the stamp for the first token of `subject` and the one for the first two; of all of it when it has fewer. */
function findStamps(subject: string): void {
  let hash = 0;
  let dots = 0;
  for (let i = 0; i < subject.length; i++) {
    const code = subject.charCodeAt(i);
    if (code === DOT) {
      dots++;
      if (dots === 1) stamps.first = toStamp(hash);
      else break;
    }
    hash = Math.imul(hash ^ code, HASH_FACTOR);
  }
  if (dots === 0) stamps.first = toStamp(hash);
  stamps.second = toStamp(hash);
}

const HASH_FACTOR = 0x01000193;

/** Never 0, which is the stamp of patterns that start with a wildcard. */
function toStamp(hash: number): number {
  return (hash ^ (hash >>> 15)) & (STAMPS - 1) || 1;
}

/** Code units that tell subjects apart well enough: those that are used once differ at the end. */
const TAIL = 16;

function hashTail(subject: string): number {
  let hash = subject.length;
  for (let i = Math.max(0, subject.length - TAIL); i < subject.length; i++) {
    hash = Math.imul(hash ^ subject.charCodeAt(i), HASH_FACTOR);
  }
  return hash ^ (hash >>> 15);
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
