/**
 * Names in byte order, for lists that are read by the page: what {@link ClientDirectory.page} and
 * {@link ChannelDirectory.page} need. Adding and deleting cost one set operation; the order is brought up to date by the
 * next reader, in one pass over the names and a sort of only the new ones.
 */
export interface NameIndex {
  readonly size: number;
  has(name: string): boolean;
  /** @returns false when it was there already. */
  add(name: string): boolean;
  /** @returns false when it was not there. */
  delete(name: string): boolean;
  /** The names `[offset, offset + limit)`; fewer or none at the end. */
  page(offset: number, limit: number): readonly string[];
}

export function createNameIndex(): NameIndex {
  const members = new Set<string>();
  // What `members` has and `sorted` has not, and the other way round. Each is at most as large as its set.
  const added = new Set<string>();
  const deleted = new Set<string>();
  let sorted: readonly string[] = [];

  return {
    get size(): number {
      return members.size;
    },
    has: (name) => members.has(name),
    add(name): boolean {
      if (members.has(name)) return false;
      members.add(name);
      if (!deleted.delete(name)) added.add(name);
      return true;
    },
    delete(name): boolean {
      if (!members.delete(name)) return false;
      if (!added.delete(name)) deleted.add(name);
      return true;
    },
    page(offset, limit): readonly string[] {
      if (added.size > 0 || deleted.size > 0) {
        sorted = merge(sorted, [...added].sort(compareNames), deleted);
        added.clear();
        deleted.clear();
      }
      return sorted.slice(offset, offset + limit);
    },
  };
}

/** Compares as the UTF-8 bytes of the names would; negative, zero or positive. */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA !== unitB) return utf8Rank(unitA) - utf8Rank(unitB);
  }
  return a.length - b.length;
}

/** Surrogates stand for characters beyond U+FFFF and sort after all others, though their code units do not. */
function utf8Rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

function merge(sorted: readonly string[], added: readonly string[], deleted: ReadonlySet<string>): readonly string[] {
  const merged: string[] = [];
  let next = 0;
  for (const name of sorted) {
    if (deleted.has(name)) continue;
    while (next < added.length && compareNames(added[next]!, name) < 0) merged.push(added[next++]!);
    merged.push(name);
  }
  while (next < added.length) merged.push(added[next++]!);
  return merged;
}
