/** How one channel list differs from another: entries in the order of the list that has them. */
export interface ListChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Lists in one form of names, text or byte strings, none of them twice. */
export function listChange(before: readonly string[], after: readonly string[]): ListChange {
  return { added: without(after, before), removed: without(before, after) };
}

function without(names: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others);
  return names.filter((name) => !known.has(name));
}
