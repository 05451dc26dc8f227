import { seeded } from "./seeded.ts";

/** Values that each of the four tokens of a subject takes. */
const TOKEN_VALUES = 1_000;

/** What one run of the bench is given. */
export interface Workload {
  readonly patterns: readonly string[];
  /** Distinct literals, most of which match nothing or little: they miss every cache. */
  readonly distinct: readonly string[];
  /** The literals that are asked for again and again. */
  readonly hot: readonly string[];
}

/**
 * The load of subject-matching section 8: subjects of 4 tokens with 1000 values each; 10 % of the patterns contain one
 * `*`, 5 % end in `>`.
 */
export function createWorkload(entries: number, queries: number, seed: number): Workload {
  const random = seeded(seed);
  const token = (): string => `tok${Math.floor(random() * TOKEN_VALUES)}`;
  const literal = (): string[] => [token(), token(), token(), token()];
  const pattern = (): string => {
    const tokens = literal();
    const kind = random();
    if (kind < 0.1) tokens[Math.floor(random() * 4)] = "*";
    else if (kind < 0.15) tokens[3] = ">";
    return tokens.join(".");
  };
  const patterns = Array.from({ length: entries }, pattern);
  const distinct = [...new Set(Array.from({ length: queries }, () => literal().join(".")))];
  return { patterns, distinct, hot: distinct.slice(0, 500) };
}
