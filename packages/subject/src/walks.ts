import {
  FIRST,
  FULL_CHILD,
  findLiteral,
  NEXT,
  type NodeStore,
  PARENT,
  ROOT,
  STAR_CHILD,
  TOKEN,
  VALUE,
} from "./node-store.ts";
import { FULL_TOKEN, UNKNOWN_TOKEN } from "./token-table.ts";

/** A list of numbers that keeps its room. */
export interface NumberList {
  items: Int32Array;
  length: number;
}

const LIST_ROOM = 64;

/** An empty list. */
export function createNumberList(): NumberList {
  return { items: new Int32Array(LIST_ROOM), length: 0 };
}

/** Adds an item at the end; may replace `items`. */
export function append(list: NumberList, item: number): void {
  if (list.length === list.items.length) {
    const grown = new Int32Array(list.length * 2);
    grown.set(list.items);
    list.items = grown;
  }
  list.items[list.length++] = item;
}

/**
 * Finds the values of all patterns that match the literal subject in `path`, from wide to narrow: at each level `>`,
 * then all below `*`, then the literal branch. Stops when `found` has `limit` items.
 *
 * Without recursion: `pending` holds (node, level) of the literal branches that wait for their `*` sibling, at most one
 * for each level. Each node of the tree is visited at most once.
 */
export function findMatching(
  store: NodeStore,
  path: Int32Array,
  count: number,
  found: NumberList,
  pending: NumberList,
  limit: number,
): void {
  const { words, buckets, seed } = store;
  found.length = 0;
  pending.length = 0;
  let node = ROOT;
  let level = 0;
  for (;;) {
    const full = words[node + FULL_CHILD]!;
    if (full !== 0) {
      append(found, words[full + VALUE]!);
      if (found.length >= limit) return;
    }
    const star = words[node + STAR_CHILD]!;
    const token = path[level]!;
    const literal = token === UNKNOWN_TOKEN ? 0 : findLiteral(words, buckets, seed, node, token);
    level++;
    if (level < count) {
      if (star !== 0) {
        if (literal !== 0) {
          append(pending, literal);
          append(pending, level);
        }
        node = star;
        continue;
      }
      if (literal !== 0) {
        node = literal;
        continue;
      }
    } else {
      if (star !== 0 && words[star + VALUE] !== 0) append(found, words[star + VALUE]!);
      if (literal !== 0 && words[literal + VALUE] !== 0) append(found, words[literal + VALUE]!);
    }
    if (pending.length === 0 || found.length >= limit) return;
    level = pending.items[--pending.length]!;
    node = pending.items[--pending.length]!;
  }
}

/**
 * Calls `visit` with every node that holds a value and whose pattern overlaps the pattern in `path`, widest first: per
 * level `>`, then `*` with all below it, then each literal branch with all below it. For the path `>` that is every node.
 * The store must not change meanwhile.
 *
 * Parent and sibling links are enough to go on, so that neither a deep tree nor a broad one needs a stack.
 */
export function visitOverlapping(
  store: NodeStore,
  path: Int32Array,
  count: number,
  visit: (node: number) => void,
): void {
  const words = store.words;
  const isOpen = path[count - 1] === FULL_TOKEN;
  // The token of `node` is the one of this place, counted from 0; below a last `>` anything goes.
  let depth = 0;
  let node = firstCandidate(store, ROOT, path[0]!);
  while (node !== 0) {
    const isFull = words[node + TOKEN] === FULL_TOKEN;
    const isPastLast = depth + 1 >= count;
    if ((isFull || isPastLast) && words[node + VALUE] !== 0) visit(node);
    if (!isFull && (!isPastLast || isOpen)) {
      const child = firstCandidate(store, node, depth + 1 < count ? path[depth + 1]! : FULL_TOKEN);
      if (child !== 0) {
        node = child;
        depth++;
        continue;
      }
    }
    let next = nextCandidate(store, node, depth < count ? path[depth]! : FULL_TOKEN);
    while (next === 0) {
      node = words[node + PARENT]!;
      if (node === ROOT) return;
      depth--;
      next = nextCandidate(store, node, depth < count ? path[depth]! : FULL_TOKEN);
    }
    node = next;
  }
}

/** The first branch of `parent` that a token `wanted` agrees with, or 0. */
function firstCandidate(store: NodeStore, parent: number, wanted: number): number {
  const full = store.words[parent + FULL_CHILD]!;
  if (full !== 0) return full;
  const star = store.words[parent + STAR_CHILD]!;
  return star !== 0 ? star : firstLiteralCandidate(store, parent, wanted);
}

/** The branch after `node`, of the same parent, that a token `wanted` agrees with, or 0. */
function nextCandidate(store: NodeStore, node: number, wanted: number): number {
  const words = store.words;
  const token = words[node + TOKEN]!;
  const parent = words[node + PARENT]!;
  if (token === FULL_TOKEN) {
    const star = words[parent + STAR_CHILD]!;
    if (star !== 0) return star;
  }
  if (token < 0) return firstLiteralCandidate(store, parent, wanted);
  return wanted < 0 ? words[node + NEXT]! : 0;
}

function firstLiteralCandidate(store: NodeStore, parent: number, wanted: number): number {
  if (wanted < 0) return store.words[parent + FIRST]!;
  if (wanted === UNKNOWN_TOKEN) return 0;
  return findLiteral(store.words, store.buckets, store.seed, parent, wanted);
}
