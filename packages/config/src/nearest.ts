/** Longest name that is compared; a longer one is no slip of the finger. */
const NAME_LENGTH_MAX = 64;

/**
 * The candidate that `name` was most likely meant to be, or undefined when none is near. Upper and lower case count as
 * the same; one slip (a letter too many, too few, wrong, or two swapped) is allowed for every three letters.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > NAME_LENGTH_MAX) return undefined;
  const wanted = name.toLowerCase();
  let limit = Math.max(1, Math.floor(name.length / 3));
  let nearest: string | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > limit || candidate.length > NAME_LENGTH_MAX) continue;
    const slips = countSlips(wanted, candidate.toLowerCase());
    // A name of one or two letters that has nothing in common with the candidate is not near it.
    if (slips > limit || slips >= Math.max(name.length, candidate.length)) continue;
    if (nearest === undefined || slips < limit) {
      nearest = candidate;
      limit = slips;
    }
    if (slips === 0) break;
  }
  return nearest;
}

/** Number of single-letter changes and swaps of neighbours between two texts. */
function countSlips(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
