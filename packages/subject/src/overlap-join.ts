import { FULL_TOKEN, STAR_TOKEN, type TokenTable } from "./token-table.ts";

/*
 * Two patterns overlap exactly when their lengths can agree and, at every place where both have a literal token, it is the
 * same token. Which places those are depends only on the shapes of the two: where each has `*`, whether it ends in `>`, and
 * how long it is. So the patterns of a list are grouped by shape, and two groups are joined like two tables of a database:
 * by a hash over the tokens at the places that are literal in both.
 *
 * What it buys: lists of n and m patterns in s and t shapes take t * n + s * m steps, instead of n * m comparisons, and no
 * mixture of crossing wildcards changes that. Lists written by people have few shapes.
 */

/** The patterns of a list, read and grouped. Invalid ones are in no group. */
export interface PatternGroups {
  /** The tokens of all patterns, one after the other; a last `>` is left out. */
  readonly tokens: Int32Array;
  /** Where the tokens of each pattern begin. */
  readonly starts: Int32Array;
  readonly groups: readonly PatternGroup[];
}

interface PatternGroup {
  /** For each token but a last `>`, whether it is literal. */
  readonly isLiteral: readonly boolean[];
  /** Ends in `>`. */
  readonly isOpen: boolean;
  /** Places in the list, ascending. */
  readonly members: number[];
}

/** Reads a list of patterns. Two lists that are to be compared are read with the same table. */
export function groupPatterns(table: TokenTable, patterns: readonly string[]): PatternGroups {
  const tokens: number[] = [];
  const starts = new Int32Array(patterns.length);
  const groups = new Map<string, PatternGroup>();
  for (const [place, pattern] of patterns.entries()) {
    const count = table.internPattern(pattern);
    if (count === 0) continue;
    starts[place] = tokens.length;
    const isOpen = table.path[count - 1] === FULL_TOKEN;
    const length = isOpen ? count - 1 : count;
    let shape = isOpen ? ">" : "";
    for (let i = 0; i < length; i++) {
      const token = table.path[i]!;
      tokens.push(token);
      shape += token === STAR_TOKEN ? "*" : "x";
    }
    let group = groups.get(shape);
    if (group === undefined) {
      const isLiteral = Array.from(table.path.subarray(0, length), (token) => token !== STAR_TOKEN);
      group = { isLiteral, isOpen, members: [] };
      groups.set(shape, group);
    }
    group.members.push(place);
  }
  return { tokens: Int32Array.from(tokens), starts, groups: [...groups.values()] };
}

/**
 * By place in the incoming list: 1 for each pattern that overlaps any own one; with `firstOnly` only for the first of
 * them. Both lists were read with the same table.
 */
export function markOverlapping(incoming: PatternGroups, own: PatternGroups, firstOnly: boolean): Uint8Array {
  const marks: Marks = { marked: new Uint8Array(incoming.starts.length), firstOnly, end: incoming.starts.length };
  let membersMax = 0;
  for (const group of own.groups) membersMax = Math.max(membersMax, group.members.length);
  const index: MemberIndex = { buckets: new Int32Array(roomFor(membersMax)), next: new Int32Array(membersMax) };
  for (const ownGroup of own.groups) {
    for (const group of incoming.groups) {
      const places = placesLiteralInBoth(group, ownGroup);
      if (places === undefined) continue;
      if (places.length > 0) joinGroups(marks, index, places, incoming, group, own, ownGroup);
      else for (const member of group.members) if (!mark(marks, member)) break;
    }
  }
  return marks.marked;
}

interface Marks {
  readonly marked: Uint8Array;
  readonly firstOnly: boolean;
  /** Patterns from this place on need no look. */
  end: number;
}

/** @returns whether later patterns are still of interest. */
function mark(marks: Marks, member: number): boolean {
  if (member >= marks.end) return false;
  if (marks.firstOnly) {
    if (marks.end < marks.marked.length) marks.marked[marks.end] = 0;
    marks.end = member;
  }
  marks.marked[member] = 1;
  return !marks.firstOnly;
}

/** Undefined when no subject has a length that suits both. */
function placesLiteralInBoth(a: PatternGroup, b: PatternGroup): number[] | undefined {
  const aLength = a.isLiteral.length;
  const bLength = b.isLiteral.length;
  if (!a.isOpen && (b.isOpen ? aLength <= bLength : aLength !== bLength)) return undefined;
  if (a.isOpen && !b.isOpen && bLength <= aLength) return undefined;
  const places: number[] = [];
  for (let i = 0; i < aLength && i < bLength; i++) {
    if (a.isLiteral[i] === true && b.isLiteral[i] === true) places.push(i);
  }
  return places;
}

/** A hash table of the members of one group, chained: numbers are 1 + the place in the group. */
interface MemberIndex {
  readonly buckets: Int32Array;
  readonly next: Int32Array;
}

/** A power of two, so that a hash is cut to it by a mask. */
function roomFor(members: number): number {
  let room = 1;
  while (room < members) room *= 2;
  return room;
}

function joinGroups(
  marks: Marks,
  index: MemberIndex,
  places: readonly number[],
  incoming: PatternGroups,
  group: PatternGroup,
  own: PatternGroups,
  ownGroup: PatternGroup,
): void {
  const mask = roomFor(ownGroup.members.length) - 1;
  index.buckets.fill(0, 0, mask + 1);
  for (const [i, member] of ownGroup.members.entries()) {
    const bucket = hashTokens(own.tokens, own.starts[member]!, places) & mask;
    index.next[i] = index.buckets[bucket]!;
    index.buckets[bucket] = i + 1;
  }
  for (const member of group.members) {
    if (member >= marks.end) return;
    if (marks.marked[member] !== 0) continue;
    const start = incoming.starts[member]!;
    let at = index.buckets[hashTokens(incoming.tokens, start, places) & mask]!;
    while (
      at !== 0 &&
      !sameTokens(incoming.tokens, start, own.tokens, own.starts[ownGroup.members[at - 1]!]!, places)
    ) {
      at = index.next[at - 1]!;
    }
    if (at !== 0 && !mark(marks, member)) return;
  }
}

function hashTokens(tokens: Int32Array, start: number, places: readonly number[]): number {
  let hash = 0;
  for (let i = 0; i < places.length; i++) {
    hash = Math.imul(hash ^ tokens[start + places[i]!]!, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

function sameTokens(a: Int32Array, aStart: number, b: Int32Array, bStart: number, places: readonly number[]): boolean {
  for (let i = 0; i < places.length; i++) {
    if (a[aStart + places[i]!] !== b[bStart + places[i]!]) return false;
  }
  return true;
}
