import { addChild, createNodeStore, findChild, type NodeStore, ROOT, VALUE } from "./node-store.ts";
import { groupPatterns, markOverlapping } from "./overlap-join.ts";
import { overlaps } from "./overlaps.ts";
import { TokenTable } from "./token-table.ts";
import { visitOverlapping } from "./walks.ts";

/** Two patterns of two lists that some literal subject matches both. The places count from 0. */
export interface Overlap {
  readonly incoming: string;
  readonly incomingIndex: number;
  readonly own: string;
  readonly ownIndex: number;
}

/**
 * The first overlap of two lists of patterns: of the incoming patterns the first, in list order, that overlaps any own
 * one, with the first own one that it overlaps. Exact, crossing wildcards included. Invalid patterns overlap nothing.
 *
 * Takes time by the lengths of the lists times the number of shapes in them (a shape is where a pattern has wildcards, and
 * how many tokens), not by the product of the lengths.
 * @see subject-matching section 4
 */
export function findOverlap(incoming: readonly string[], own: readonly string[]): Overlap | undefined {
  const table = new TokenTable();
  const marked = markOverlapping(groupPatterns(table, incoming), groupPatterns(table, own), true);
  const incomingIndex = marked.indexOf(1);
  const pattern = incoming[incomingIndex];
  if (pattern === undefined) return undefined;
  const ownIndex = own.findIndex((other) => overlaps(pattern, other));
  return { incoming: pattern, incomingIndex, own: own[ownIndex]!, ownIndex };
}

/**
 * All overlapping pairs of two lists, in the order of the incoming list, then of the own one. Repeated patterns appear as
 * often as they are listed. There may be as many pairs as the product of the lengths: they are found as they are asked
 * for, and held for one incoming pattern at a time. The lists must not change meanwhile.
 */
export function* overlapsOf(incoming: readonly string[], own: readonly string[]): Generator<Overlap, void, undefined> {
  const table = new TokenTable();
  const marked = markOverlapping(groupPatterns(table, incoming), groupPatterns(table, own), false);
  if (!marked.includes(1)) return;

  const ownTree = growTree(table, own);
  for (const [incomingIndex, pattern] of incoming.entries()) {
    if (marked[incomingIndex] === 0) continue;
    const partners: number[] = [];
    const count = table.readPattern(pattern);
    visitOverlapping(ownTree.store, table.path, count, (node) => {
      let place = ownTree.store.words[node + VALUE]!;
      for (; place !== 0; place = ownTree.same[place]!) partners.push(place - 1);
    });
    partners.sort((a, b) => a - b);
    for (const ownIndex of partners) yield { incoming: pattern, incomingIndex, own: own[ownIndex]!, ownIndex };
  }
}

interface PatternPlaces {
  /** The value of a node is 1 + the place of a pattern that ends there. */
  readonly store: NodeStore;
  /** For 1 + place: 1 + the place of another equal pattern, or 0. */
  readonly same: Int32Array;
}

function growTree(table: TokenTable, patterns: readonly string[]): PatternPlaces {
  // The tree lives for one call, so nobody can learn where its hash table is crowded: the seed may be any.
  const store = createNodeStore(0);
  const same = new Int32Array(patterns.length + 1);
  for (const [place, pattern] of patterns.entries()) {
    const count = table.internPattern(pattern);
    if (count === 0) continue;
    let node = ROOT;
    for (let level = 0; level < count; level++) {
      const token = table.path[level]!;
      const child = findChild(store, node, token);
      node = child !== 0 ? child : addChild(store, node, token);
    }
    same[place + 1] = store.words[node + VALUE]!;
    store.words[node + VALUE] = place + 1;
  }
  return { store, same };
}
