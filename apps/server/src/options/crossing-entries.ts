import { isSubset, overlaps } from "@nats-streaming/subject";

/** Patterns that are compared with each other: a longer list is not written by hand, nor read. */
const PATTERNS_MAX = 1_000;
/** Remarks at most; who has that many has understood. */
const REMARKS_MAX = 10;

/**
 * Entries of one list that match some channels in common without either being the wider one, such as `foo.*` and `*.bar`. That
 * is allowed, and seldom meant: a channel of both takes the limits of one.
 * @returns one sentence for each pair, in the order of the list
 * @see store-limits.md 5 B
 */
export function crossingEntries(names: Iterable<string>): string[] {
  const patterns = [...names].filter((name) => /(^|\.)[*>](\.|$)/.test(name)).slice(0, PATTERNS_MAX);
  const remarks: string[] = [];
  for (const [index, a] of patterns.entries()) {
    for (const b of patterns.slice(index + 1)) {
      if (!overlaps(a, b) || isSubset(a, b) || isSubset(b, a)) continue;
      remarks.push(
        `the entries "${a}" and "${b}" cross: a channel that both match takes the limits of only one of them`,
      );
      if (remarks.length === REMARKS_MAX) return remarks;
    }
  }
  return remarks;
}
