import { createSubjectTree, isLiteralChannel, isValidSubject, type SubjectTree } from "@nats-streaming/subject";

/** The lists of other servers, as far as they have been heard of. Byte strings. */
export interface KnownLists {
  /** Whether everything that was heard is held; there is a bound. */
  readonly isComplete: boolean;
  /**
   * A list, or a part of it.
   * @param group the same for the parts of one list; another one begins it anew
   */
  heard(serverId: string, group: string, names: readonly string[]): void;
  forget(serverId: string): void;
  has(serverId: string): boolean;
  /** Who has listed a channel, as far as is known. */
  ownersOf(channel: string): readonly string[];
  entries(): IterableIterator<readonly [serverId: string, names: readonly string[]]>;
}

/**
 * Servers, names, and patterns among them held at most, so that forged lists can neither fill the memory nor hold up
 * anything: a pattern takes microseconds to put into the tree.
 */
const SERVERS_MAX = 16_384;
const NAMES_MAX = 1_000_000;
const PATTERNS_MAX = 100_000;

interface KnownList {
  group: string;
  readonly names: Set<string>;
}

export function createKnownLists(): KnownLists {
  const lists = new Map<string, KnownList>();
  /** Who lists a literal name; nearly always one. */
  const literals = new Map<string, readonly string[]>();
  const patterns: SubjectTree<string> = createSubjectTree<string>();
  let count = 0;
  let isComplete = true;

  const add = (serverId: string, name: string): boolean => {
    if (!isValidSubject(name)) return false;
    if (isLiteralChannel(name)) {
      const others = literals.get(name);
      literals.set(name, others === undefined ? [serverId] : [...others, serverId]);
      return true;
    }
    if (patterns.count >= PATTERNS_MAX) {
      isComplete = false;
      return false;
    }
    return patterns.insert(name, serverId).kind === "inserted";
  };

  const remove = (serverId: string, name: string): void => {
    const others = literals.get(name);
    if (others === undefined) patterns.remove(name, serverId);
    else if (others.length === 1) literals.delete(name);
    else
      literals.set(
        name,
        others.filter((other) => other !== serverId),
      );
  };

  const clear = (serverId: string, list: KnownList): void => {
    for (const name of list.names) remove(serverId, name);
    count -= list.names.size;
    list.names.clear();
  };

  return {
    get isComplete() {
      return isComplete;
    },
    heard(serverId, group, names): void {
      let list = lists.get(serverId);
      if (list === undefined) {
        if (lists.size >= SERVERS_MAX) {
          isComplete = false;
          return;
        }
        list = { group, names: new Set() };
        lists.set(serverId, list);
      }
      if (list.group !== group) {
        clear(serverId, list);
        list.group = group;
      }
      for (const name of names) {
        if (list.names.has(name)) continue;
        if (count >= NAMES_MAX) {
          isComplete = false;
          return;
        }
        if (!add(serverId, name)) continue;
        list.names.add(name);
        count++;
      }
    },
    forget(serverId): void {
      const list = lists.get(serverId);
      if (list === undefined) return;
      clear(serverId, list);
      lists.delete(serverId);
      if (lists.size === 0) isComplete = true;
    },
    has: (serverId) => lists.has(serverId),
    ownersOf(channel): readonly string[] {
      const byPattern = patterns.count === 0 ? NOBODY : patterns.match(channel);
      const byName = literals.get(channel);
      if (byName === undefined) return byPattern;
      return byPattern.length === 0 ? byName : [...byName, ...byPattern];
    },
    *entries(): IterableIterator<readonly [string, readonly string[]]> {
      for (const [serverId, list] of lists) yield [serverId, [...list.names]];
    },
  };
}

const NOBODY: readonly string[] = [];
