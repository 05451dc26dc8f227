import { createSubjectTree, type SubjectTree } from "@nats-streaming/subject";

/**
 * The names of per-channel limits, as inheritance sees them: its match list gives the entries that a name inherits
 * from, wide to narrow, and its subjects all entries, widest first.
 * @param names valid patterns of channel names
 * @see store-limits.md 4
 */
export function createLimitsTree(names: Iterable<string>): SubjectTree<string> {
  // No cache: a name is looked up when its channel is made, and hardly ever again.
  const tree = createSubjectTree<string>({ cacheSize: 0 });
  for (const name of names) tree.insert(name, name);
  return tree;
}
