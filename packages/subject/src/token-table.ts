import { DOT, FULL, STAR } from "./characters.ts";

/** The token `*` of a pattern. */
export const STAR_TOKEN = -1;
/** The token `>` of a pattern. */
export const FULL_TOKEN = -2;
/** A token that no pattern uses: only a wildcard can match it. */
export const UNKNOWN_TOKEN = 0;

/** First size of the scratch; it grows to the token count of the longest subject ever read, and no further. */
const PATH_TOKENS = 32;

/** V8 makes a slice of this length or more a view that keeps its whole parent alive. */
const VIEW_LENGTH_MIN = 13;

/**
 * Tokens as small numbers, counted by use. What it buys: a query hashes the text of each of its tokens once, however
 * many branches of the tree ask for that token, and the tree compares and hashes numbers only.
 */
export class TokenTable {
  /** The tokens of what was read last; only the first `count` are meant, and only until the next read. */
  path: Int32Array = new Int32Array(PATH_TOKENS);
  readonly #ids = new Map<string, number>();
  readonly #names: string[] = [""];
  readonly #uses: number[] = [0];
  readonly #free: number[] = [];

  get size(): number {
    return this.#ids.size;
  }

  name(token: number): string {
    if (token === STAR_TOKEN) return "*";
    if (token === FULL_TOKEN) return ">";
    return this.#names[token]!;
  }

  /** The number of a token; a new one has no use yet. */
  intern(text: string): number {
    return this.#ids.get(text) ?? this.#add(text);
  }

  /** Counts one more use of a token that was interned. */
  retain(token: number): void {
    this.#uses[token]!++;
  }

  /** Counts one use less; a token that nobody uses any more is forgotten. */
  release(token: number): void {
    if (--this.#uses[token]! > 0) return;
    this.#ids.delete(this.#names[token]!);
    this.#names[token] = "";
    this.#free.push(token);
  }

  /**
   * Reads a literal subject into {@link path}; `*` and `>` are text that no branch holds, hence unknown.
   * @returns the number of tokens; 0 when one is empty.
   */
  readSubject(subject: string): number {
    const ids = this.#ids;
    let count = 0;
    let start = 0;
    for (let i = 0; i < subject.length; i++) {
      if (subject.charCodeAt(i) !== DOT) continue;
      if (i === start) return 0;
      if (count + 1 >= this.path.length) this.#growPath();
      this.path[count++] = ids.get(subject.slice(start, i)) ?? UNKNOWN_TOKEN;
      start = i + 1;
    }
    if (start >= subject.length) return 0;
    this.path[count++] = ids.get(subject.slice(start)) ?? UNKNOWN_TOKEN;
    return count;
  }

  /**
   * Reads a pattern into {@link path}, wildcards as such and tokens not in use as unknown.
   * @returns the number of tokens; 0 when one is empty or follows `>`.
   */
  readPattern(pattern: string): number {
    return this.#readPattern(pattern, false);
  }

  /** As {@link readPattern}, for a pattern that is known to be valid: new tokens get a number, yet without a use. */
  internPattern(pattern: string): number {
    return this.#readPattern(pattern, true);
  }

  #readPattern(pattern: string, intern: boolean): number {
    let count = 0;
    let start = 0;
    let closed = false;
    for (let i = 0; i <= pattern.length; i++) {
      if (i < pattern.length && pattern.charCodeAt(i) !== DOT) continue;
      if (i === start || closed) return 0;
      if (count >= this.path.length) this.#growPath();
      const only = i === start + 1 ? pattern.charCodeAt(start) : 0;
      if (only === STAR) this.path[count++] = STAR_TOKEN;
      else if (only === FULL) {
        this.path[count++] = FULL_TOKEN;
        closed = true;
      } else {
        const text = pattern.slice(start, i);
        this.path[count++] = intern ? this.intern(text) : (this.#ids.get(text) ?? UNKNOWN_TOKEN);
      }
      start = i + 1;
    }
    return count;
  }

  #add(text: string): number {
    // Appending and cutting makes a string of its own: a view would keep alive what it was cut from, perhaps a whole read
    // buffer's worth of text, for as long as the token is in use.
    const own = text.length >= VIEW_LENGTH_MIN ? ` ${text}`.slice(1) : text;
    const token = this.#free.pop() ?? this.#names.length;
    this.#names[token] = own;
    this.#uses[token] = 0;
    this.#ids.set(own, token);
    return token;
  }

  #growPath(): void {
    const grown = new Int32Array(this.path.length * 2);
    grown.set(this.path);
    this.path = grown;
  }
}
