import { FULL_TOKEN, STAR_TOKEN } from "./token-table.ts";

/*
 * The nodes of a token tree in one Int32Array. A node is named by the offset of its first word; 0 is no node.
 *
 *   +0 parent    +1 token    +2 chain     next node of the same hash bucket, or next free node
 *   +3 star      +4 full     +5 value     the branches `*` and `>`; what the owner of the tree keeps here, 0 for nothing
 *   +6 first     +7 last     +8 next      +9 previous     literal branches, in the order in which they appeared
 *   +10 children number of literal branches               +11 unused
 *
 * The literal branch of (parent, token) is found through one hash table for the whole tree, chained through the nodes.
 *
 * What it buys, against a Map per node: at a million patterns a third of the memory, no work for the garbage collector,
 * and two cache misses for a step down rather than six.
 */
export interface NodeStore {
  words: Int32Array;
  /** Heads of the chains; the length is a power of two. */
  buckets: Int32Array;
  /** Offset of the first node never used. */
  top: number;
  /** Head of the list of freed nodes. */
  free: number;
  /** Nodes in use, the root included. */
  live: number;
  readonly seed: number;
}

/** Words of one node. */
export const NODE_WORDS = 12;
/** The node that every store begins with; it has no token and no value. */
export const ROOT: number = NODE_WORDS;

// The words of a node, as drawn above.
export const PARENT = 0;
export const TOKEN = 1;
export const CHAIN = 2;
export const STAR_CHILD = 3;
export const FULL_CHILD = 4;
export const VALUE = 5;
export const FIRST = 6;
export const LAST = 7;
export const NEXT = 8;
export const PREVIOUS = 9;
export const CHILDREN = 10;

/** Nodes that a new store has room for; under this size it is never made smaller. */
const NODES_MIN = 16;
/** Growth of the words; less than doubling, since at a million patterns the unused part is what counts. */
const GROWTH = 1.5;
/** A store that uses less than this part of its room is made smaller. */
const USED_MIN = 0.25;
/** Offsets are int32. */
const WORDS_MAX = 0x7fff_ffff;

/** A token tree that holds only its root. `seed` makes the places in the hash table unguessable for who names tokens. */
export function createNodeStore(seed: number): NodeStore {
  const store: NodeStore = {
    words: new Int32Array((NODES_MIN + 1) * NODE_WORDS),
    buckets: new Int32Array(NODES_MIN),
    top: ROOT + NODE_WORDS,
    free: 0,
    live: 1,
    seed,
  };
  return store;
}

/** The literal branch `token` of `parent`, or 0. */
export function findLiteral(
  words: Int32Array,
  buckets: Int32Array,
  seed: number,
  parent: number,
  token: number,
): number {
  // Most nodes of a large tree have one branch or none: that saves the way through the table, and its cache misses.
  const first = words[parent + FIRST]!;
  if (first === words[parent + LAST]) return first !== 0 && words[first + TOKEN] === token ? first : 0;
  let node = buckets[hash(seed, parent, token) & (buckets.length - 1)]!;
  while (node !== 0 && (words[node + TOKEN] !== token || words[node + PARENT] !== parent)) node = words[node + CHAIN]!;
  return node;
}

/** The branch `token` of `parent`, literal or wildcard, or 0. */
export function findChild(store: NodeStore, parent: number, token: number): number {
  if (token === STAR_TOKEN) return store.words[parent + STAR_CHILD]!;
  if (token === FULL_TOKEN) return store.words[parent + FULL_CHILD]!;
  return findLiteral(store.words, store.buckets, store.seed, parent, token);
}

/** Adds the branch `token` to `parent`, which has none such. May replace `words` and `buckets`. */
export function addChild(store: NodeStore, parent: number, token: number): number {
  const node = takeNode(store);
  const words = store.words;
  words[node + PARENT] = parent;
  words[node + TOKEN] = token;
  if (token === STAR_TOKEN) words[parent + STAR_CHILD] = node;
  else if (token === FULL_TOKEN) words[parent + FULL_CHILD] = node;
  else {
    const last = words[parent + LAST]!;
    if (last === 0) words[parent + FIRST] = node;
    else words[last + NEXT] = node;
    words[node + PREVIOUS] = last;
    words[parent + LAST] = node;
    words[parent + CHILDREN]!++;
    link(store, node);
  }
  return node;
}

/** Whether nothing hangs on `node` any more. */
export function isBare(store: NodeStore, node: number): boolean {
  const words = store.words;
  return (
    words[node + VALUE] === 0 &&
    words[node + FIRST] === 0 &&
    words[node + STAR_CHILD] === 0 &&
    words[node + FULL_CHILD] === 0
  );
}

/** Takes a bare node out of the tree. */
export function removeNode(store: NodeStore, node: number): void {
  const words = store.words;
  const parent = words[node + PARENT]!;
  const token = words[node + TOKEN]!;
  if (token === STAR_TOKEN) words[parent + STAR_CHILD] = 0;
  else if (token === FULL_TOKEN) words[parent + FULL_CHILD] = 0;
  else {
    unlink(store, node);
    const next = words[node + NEXT]!;
    const previous = words[node + PREVIOUS]!;
    if (previous === 0) words[parent + FIRST] = next;
    else words[previous + NEXT] = next;
    if (next === 0) words[parent + LAST] = previous;
    else words[next + PREVIOUS] = previous;
    words[parent + CHILDREN]!--;
  }
  // Bare: star, full, value, first, last and children are 0 already. A call of `fill` would cost more than these stores.
  words[node + PARENT] = 0;
  words[node + TOKEN] = 0;
  words[node + NEXT] = 0;
  words[node + PREVIOUS] = 0;
  words[node + CHAIN] = store.free;
  store.free = node;
  store.live--;
}

/** Whether the store holds so much unused room that {@link compact} pays. True at most once in many removals. */
export function isSparse(store: NodeStore): boolean {
  return store.words.length > (NODES_MIN + 1) * NODE_WORDS && store.live * NODE_WORDS < store.words.length * USED_MIN;
}

/** Moves all nodes together and gives the rest of the room back. Every node gets a new offset; the root keeps its own. */
export function compact(store: NodeStore): void {
  const { words, top } = store;
  const moved = new Int32Array(top / NODE_WORDS);
  let next = ROOT;
  for (let node = ROOT; node < top; node += NODE_WORDS) {
    if (node !== ROOT && words[node + TOKEN] === 0) continue;
    moved[node / NODE_WORDS] = next;
    next += NODE_WORDS;
  }
  const room = Math.max((NODES_MIN + 1) * NODE_WORDS, Math.ceil((next / NODE_WORDS) * GROWTH) * NODE_WORDS);
  const fresh = new Int32Array(room);
  for (let node = ROOT; node < top; node += NODE_WORDS) {
    const target = moved[node / NODE_WORDS]!;
    if (target === 0) continue;
    for (let word = 0; word < NODE_WORDS; word++) {
      const isNode = word !== TOKEN && word !== VALUE && word !== CHILDREN && word !== CHAIN;
      const value = words[node + word]!;
      fresh[target + word] = isNode ? moved[value / NODE_WORDS]! : value;
    }
  }
  store.words = fresh;
  store.top = next;
  store.free = 0;
  let buckets = NODES_MIN;
  while (buckets < store.live) buckets *= 2;
  rehash(store, buckets);
}

function takeNode(store: NodeStore): number {
  const freed = store.free;
  if (freed !== 0) {
    store.free = store.words[freed + CHAIN]!;
    store.words[freed + CHAIN] = 0;
    store.live++;
    return freed;
  }
  const node = store.top;
  if (node + NODE_WORDS > store.words.length) {
    const nodes = Math.min(Math.ceil((node / NODE_WORDS) * GROWTH), Math.floor(WORDS_MAX / NODE_WORDS));
    if (nodes * NODE_WORDS <= node) throw new RangeError("the subject tree has no room for more nodes");
    const grown = new Int32Array(nodes * NODE_WORDS);
    grown.set(store.words);
    store.words = grown;
  }
  store.top = node + NODE_WORDS;
  store.live++;
  if (store.live > store.buckets.length) rehash(store, store.buckets.length * 2);
  return node;
}

function rehash(store: NodeStore, buckets: number): void {
  store.buckets = new Int32Array(buckets);
  const words = store.words;
  for (let node = ROOT + NODE_WORDS; node < store.top; node += NODE_WORDS) {
    if (words[node + TOKEN]! > 0) link(store, node);
  }
}

function link(store: NodeStore, node: number): void {
  const words = store.words;
  const bucket = hash(store.seed, words[node + PARENT]!, words[node + TOKEN]!) & (store.buckets.length - 1);
  words[node + CHAIN] = store.buckets[bucket]!;
  store.buckets[bucket] = node;
}

function unlink(store: NodeStore, node: number): void {
  const { words, buckets } = store;
  const bucket = hash(store.seed, words[node + PARENT]!, words[node + TOKEN]!) & (buckets.length - 1);
  let at = buckets[bucket]!;
  if (at === node) {
    buckets[bucket] = words[node + CHAIN]!;
    return;
  }
  while (words[at + CHAIN] !== node) at = words[at + CHAIN]!;
  words[at + CHAIN] = words[node + CHAIN]!;
}

function hash(seed: number, parent: number, token: number): number {
  let mixed = Math.imul(parent ^ seed, 0x9e3779b1) + token;
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
