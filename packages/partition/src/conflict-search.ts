import { createSubjectTree, isLiteralChannel, type SubjectTree } from "@nats-streaming/subject";

/** Finds what of another server's list overlaps the own one. */
export interface ConflictSearch {
  /**
   * The name to report for a conflict with `incoming`, or undefined when no literal channel is in both lists.
   *
   * The original only finds pairs where a name, taken letter by letter, is matched by the other side: it goes through
   * the incoming names first and reports the incoming one, then through the own ones and reports the own one. That choice
   * is kept. Patterns that merely cross (`foo.*` and `*.bar`) come last, with the incoming name.
   * Costs one walk per name as long as there is no conflict.
   * @see partitioning.md 6.3 step 5 and 7
   */
  find(incoming: readonly string[]): string | undefined;
}

/** @param own byte strings, in list order */
export function createConflictSearch(own: readonly string[]): ConflictSearch {
  const literals = own.filter(isLiteralChannel);
  const literalSet = new Set(literals);
  const wildcards = treeOf(own.filter((name) => !literalSet.has(name)));
  // Only patterns of others need it; most lists hold none.
  let literalTree: SubjectTree<true> | undefined;

  const matchesOwn = (name: string): boolean => literalSet.has(name) || wildcards.hasInterest(name);

  const overlapsOwn = (pattern: string): boolean => {
    if (wildcards.reverseMatch(pattern).length > 0) return true;
    literalTree ??= treeOf(literals);
    return literalTree.reverseMatch(pattern).length > 0;
  };

  return {
    find(incoming): string | undefined {
      let overlapping: string | undefined;
      const patterns: string[] = [];
      for (const name of incoming) {
        if (matchesOwn(name)) return name;
        if (isLiteralChannel(name)) continue;
        patterns.push(name);
        if (overlapping === undefined && overlapsOwn(name)) overlapping = name;
      }
      if (overlapping === undefined) return undefined;
      const theirs = treeOf(patterns);
      return own.find((name) => theirs.hasInterest(name)) ?? overlapping;
    },
  };
}

/** Without a cache: each name is looked up once per list. What is no valid pattern is left out; it overlaps nothing. */
function treeOf(names: readonly string[]): SubjectTree<true> {
  const tree = createSubjectTree<true>({ cacheSize: 0 });
  for (const name of names) tree.insert(name, true);
  return tree;
}
