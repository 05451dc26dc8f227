import { checkLiteralSubject, checkPattern, isValidLiteralSubject, isValidPattern, type NameCheck } from "./grammar.ts";
import { type InterestListener, InterestWatchers } from "./interest-watchers.ts";
import { MatchCache } from "./match-cache.ts";
import { VALUE } from "./node-store.ts";
import { PatternIndex } from "./pattern-index.ts";
import { NOT_HELD, PatternValues } from "./pattern-values.ts";
import {
  CACHE_SIZE_DEFAULT,
  type InsertOutcome,
  type InterestCount,
  type InvalidSubject,
  type InvalidWeight,
  type NoMatch,
  type QueueMatch,
  type QueueMembership,
  type QueueName,
  type RemoveBatchFailure,
  type RemoveBatchOutcome,
  type RemoveOutcome,
  type SetWeightOutcome,
  type SubjectMatch,
  type SubjectTree,
  type SubjectTreeOptions,
  type SubjectTreeStatistics,
  type TreeEntry,
  type TreeEntryName,
  type WatchOutcome,
  WEIGHT_MAX,
} from "./subject-tree.ts";
import { FULL_TOKEN } from "./token-table.ts";
import type { Gathering } from "./value-bag.ts";
import { createNumberList, findMatching, visitOverlapping } from "./walks.ts";

/** Makes an empty tree of patterns with values. @see subject-matching sections 3 to 6 */
export function createSubjectTree<V>(options: SubjectTreeOptions = {}): SubjectTree<V> {
  const { cacheSize = CACHE_SIZE_DEFAULT, hashSeed = Math.floor(Math.random() * 2 ** 32) } = options;
  if (!Number.isSafeInteger(cacheSize) || cacheSize < 0) {
    throw new RangeError(`cacheSize is ${cacheSize}: give a whole number, 0 for no cache`);
  }
  return new PatternTree<V>(cacheSize, hashSeed | 0);
}

/** The tree behind {@link createSubjectTree}: paths, what they hold, recent results, and who watches. */
class PatternTree<V> implements SubjectTree<V> {
  readonly #index: PatternIndex;
  readonly #cache: MatchCache<SubjectMatch<V>> | undefined;
  readonly #watchers = new InterestWatchers();
  #values = new PatternValues<V>();
  #count = 0;
  #inserts = 0;
  #removes = 0;
  #matches = 0;
  #cacheHits = 0;

  constructor(cacheSize: number, hashSeed: number) {
    this.#index = new PatternIndex(hashSeed);
    this.#cache = cacheSize === 0 ? undefined : new MatchCache(cacheSize);
  }

  get count(): number {
    return this.#count;
  }

  get numLevels(): number {
    return this.#index.levels;
  }

  get cacheCount(): number {
    let count = 0;
    this.#cache?.visit(() => count++);
    return count;
  }

  insert(pattern: string, value: V, membership?: QueueMembership): InsertOutcome {
    if (!isValidPattern(pattern)) return invalidSubject(pattern);
    const queue = membership?.queue ?? "";
    const weight = membership?.weight ?? 1;
    if (!isWeight(weight)) return invalidWeight(weight);
    const node = this.#index.place(pattern);
    const { words } = this.#index.store;
    const isFirst = !this.#values.holdsAny(words[node + VALUE]!, queue);
    words[node + VALUE] = this.#values.add(words[node + VALUE]!, value, queue, weight);
    this.#count++;
    this.#inserts++;
    this.#cache?.patternChanged(pattern);
    if (isFirst) this.#watchers.tell(pattern, queue, true);
    return INSERTED;
  }

  remove(pattern: string, value: V, membership?: QueueName): RemoveOutcome {
    const node = this.#index.find(pattern);
    if (node < 0) return invalidSubject(pattern);
    if (node === 0) return NO_MATCH;
    const queue = membership?.queue ?? "";
    const { words } = this.#index.store;
    const holding = this.#values.remove(words[node + VALUE]!, value, queue);
    if (holding === NOT_HELD) return NO_MATCH;
    words[node + VALUE] = holding;
    const wasLast = !this.#values.holdsAny(holding, queue);
    this.#index.prune(node);
    this.#count--;
    this.#removes++;
    if (this.#count === 0) this.#cache?.clear();
    else this.#cache?.patternChanged(pattern);
    if (this.#index.isSparse) this.#compact();
    if (wasLast) this.#watchers.tell(pattern, queue, false);
    return REMOVED;
  }

  removeBatch(entries: Iterable<TreeEntryName<V>>): RemoveBatchOutcome {
    const failures: RemoveBatchFailure[] = [];
    let index = 0;
    for (const { subject, value, queue = "" } of entries) {
      const outcome = this.remove(subject, value, { queue });
      if (outcome.kind !== "removed") failures.push({ index, outcome });
      index++;
    }
    const removed = index - failures.length;
    return failures.length === 0 ? { kind: "removed", removed } : { kind: "incomplete", removed, failures };
  }

  setWeight(pattern: string, value: V, membership: Required<QueueMembership>): SetWeightOutcome {
    const { queue, weight } = membership;
    const node = this.#index.find(pattern);
    if (node < 0) return invalidSubject(pattern);
    if (!isWeight(weight)) return invalidWeight(weight);
    if (!this.#values.setWeight(this.#holdingOf(node), value, queue, weight)) return NO_MATCH;
    this.#cache?.patternChanged(pattern);
    return CHANGED;
  }

  match(subject: string): readonly V[] {
    return this.matchGroups(subject).values;
  }

  matchGroups(subject: string): SubjectMatch<V> {
    this.#matches++;
    const cached = this.#cache?.get(subject);
    if (cached !== undefined) {
      this.#cacheHits++;
      return cached;
    }
    if (!this.#find(subject, NO_LIMIT)) return EMPTY;
    const result = this.#gather();
    this.#cache?.set(subject, result);
    return result;
  }

  matchList(name: string): readonly V[] {
    return this.#find(name, NO_LIMIT) ? this.#gather().values : EMPTY.values;
  }

  hasInterest(subject: string): boolean {
    const cached = this.#cache?.get(subject);
    if (cached !== undefined) return cached !== EMPTY;
    return this.#find(subject, 1) && found.length > 0;
  }

  numInterest(subject: string): InterestCount {
    let plain = 0;
    let queue = 0;
    const cached = this.#cache?.get(subject);
    if (cached !== undefined) {
      plain = cached.values.length;
      for (const group of cached.queues) queue += group.values.length;
    } else if (this.#find(subject, NO_LIMIT)) {
      for (let i = 0; i < found.length; i++) {
        plain += this.#values.plainCount(found.items[i]!);
        queue += this.#values.queueWeight(found.items[i]!);
      }
    }
    return { plain, queue };
  }

  reverseMatch(pattern: string): readonly TreeEntry<V>[] {
    const { tokens } = this.#index;
    const count = tokens.readPattern(pattern);
    return count === 0 ? NO_ENTRIES : this.#entriesAlong(tokens.path, count);
  }

  subjects(): readonly string[] {
    const subjects: string[] = [];
    visitOverlapping(this.#index.store, EVERYTHING, 1, (node) => subjects.push(this.#index.patternOf(node)));
    return Object.freeze(subjects);
  }

  entries(): readonly TreeEntry<V>[] {
    return this.#entriesAlong(EVERYTHING, 1);
  }

  all(): readonly V[] {
    const values: V[] = [];
    visitOverlapping(this.#index.store, EVERYTHING, 1, (node) => {
      this.#values.visit(this.#holdingOf(node), (value) => values.push(value));
    });
    return Object.freeze(values);
  }

  statistics(): SubjectTreeStatistics {
    let cacheCount = 0;
    let fanoutMax = 0;
    let fanoutSum = 0;
    this.#cache?.visit((result) => {
      const fanout = result.values.length + result.queues.length;
      cacheCount++;
      fanoutSum += fanout;
      fanoutMax = Math.max(fanoutMax, fanout);
    });
    return {
      count: this.#count,
      numLevels: this.numLevels,
      inserts: this.#inserts,
      removes: this.#removes,
      matches: this.#matches,
      cacheHits: this.#cacheHits,
      cacheHitRate: this.#matches === 0 ? 0 : this.#cacheHits / this.#matches,
      cacheCount,
      fanoutMax,
      fanoutAverage: cacheCount === 0 ? 0 : fanoutSum / cacheCount,
      nodes: this.#index.store.live - 1,
      tokens: this.#index.tokens.size,
      sharedPatterns: this.#values.shared,
    };
  }

  watchInterest(subject: string, listener: InterestListener, group?: QueueName): WatchOutcome {
    if (!isValidLiteralSubject(subject)) return invalidSubject(subject, checkLiteralSubject(subject));
    const queue = group?.queue ?? "";
    if (!this.#watchers.add(subject, queue, listener)) return { kind: "already_watching" };
    return { kind: "watching", interested: this.#values.holdsAny(this.#holdingOf(this.#index.find(subject)), queue) };
  }

  unwatchInterest(subject: string, listener: InterestListener, group?: QueueName): boolean {
    return this.#watchers.remove(subject, group?.queue ?? "", listener);
  }

  /** Leaves the holdings of what matches in `found`, up to `limit`. @returns false when the subject is invalid. */
  #find(subject: string, limit: number): boolean {
    const { tokens, store } = this.#index;
    const count = tokens.readSubject(subject);
    if (count === 0) return false;
    findMatching(store, tokens.path, count, found, pending, limit);
    return true;
  }

  /** The result that `found` stands for. */
  #gather(): SubjectMatch<V> {
    if (found.length === 0) return EMPTY;
    const gathering: Gathering<V> = { values: [], queues: undefined };
    for (let i = 0; i < found.length; i++) this.#values.gather(found.items[i]!, gathering);
    const values: readonly V[] = gathering.values.length === 0 ? EMPTY.values : Object.freeze(gathering.values);
    if (gathering.queues === undefined) return Object.freeze({ values, queues: EMPTY.queues });
    const queues: QueueMatch<V>[] = [];
    for (const [queue, members] of gathering.queues) {
      queues.push(Object.freeze({ queue, values: Object.freeze(members) }));
    }
    return Object.freeze({ values, queues: Object.freeze(queues) });
  }

  #entriesAlong(path: Int32Array, count: number): readonly TreeEntry<V>[] {
    const entries: TreeEntry<V>[] = [];
    visitOverlapping(this.#index.store, path, count, (node) => {
      const subject = this.#index.patternOf(node);
      this.#values.visit(this.#holdingOf(node), (value, queue, weight) => {
        entries.push({ subject, value, queue, weight });
      });
    });
    return Object.freeze(entries);
  }

  /** What the pattern of `node` holds; nothing when the node is 0. */
  #holdingOf(node: number): number {
    return node === 0 ? 0 : this.#index.store.words[node + VALUE]!;
  }

  #compact(): void {
    this.#index.compact();
    const { store } = this.#index;
    const values = new PatternValues<V>();
    visitOverlapping(store, EVERYTHING, 1, (node) => {
      store.words[node + VALUE] = this.#values.copyTo(values, store.words[node + VALUE]!);
    });
    this.#values = values;
  }
}

const NO_LIMIT = 0x7fff_ffff;

// Scratch for one call at a time: no code of a caller runs while it is in use.
const found = createNumberList();
const pending = createNumberList();

/** The pattern `>`, which overlaps every other. */
const EVERYTHING = Int32Array.of(FULL_TOKEN);

const EMPTY: SubjectMatch<never> = Object.freeze({ values: Object.freeze([]), queues: Object.freeze([]) });
const NO_ENTRIES: readonly TreeEntry<never>[] = Object.freeze([]);
const INSERTED: InsertOutcome = Object.freeze({ kind: "inserted" });
const REMOVED: RemoveOutcome = Object.freeze({ kind: "removed" });
const CHANGED: SetWeightOutcome = Object.freeze({ kind: "changed" });
const NO_MATCH: NoMatch = Object.freeze({ kind: "no_match", message: "sublist: no match found" });

function invalidSubject(subject: string, check: NameCheck = checkPattern(subject)): InvalidSubject {
  const { position, reason } = check.kind === "invalid" ? check : { position: 0, reason: "" };
  return { kind: "invalid_subject", message: "sublist: invalid subject", subject, position, reason };
}

function isWeight(weight: number): boolean {
  return Number.isInteger(weight) && weight >= 1 && weight <= WEIGHT_MAX;
}

function invalidWeight(weight: number): InvalidWeight {
  const message = `the weight ${weight} is not a whole number from 1 to ${WEIGHT_MAX}`;
  return { kind: "invalid_weight", message };
}
