import type { InterestListener } from "./interest-watchers.ts";

/** Results that a tree caches unless told otherwise: as many as the NATS server does before it sweeps. */
export const CACHE_SIZE_DEFAULT = 1024;

/** Largest weight of a queue group member: each unit is a place in a result, so this bounds what one insertion can cost. */
export const WEIGHT_MAX = 65_536;

/** How a tree is made. */
export interface SubjectTreeOptions {
  /** Most results cached; 0 for no cache. Default {@link CACHE_SIZE_DEFAULT}. */
  readonly cacheSize?: number;
  /**
   * Mixed into the tree's hash table so that who chooses subjects cannot aim at its weak spots; an int32. No result
   * depends on it. Default: random.
   */
  readonly hashSeed?: number;
}

/**
 * Patterns with values, and which of them a literal subject meets.
 *
 * A pattern is any text of non-empty tokens parted by `.`, where a token `*` stands for one token and a last token `>` for
 * one or more. The same value may be inserted several times, under one pattern or many; each insertion counts, is
 * returned and is removed by itself. Values are told apart as by `Map`.
 *
 * All results are frozen and stay as they are when the tree changes.
 */
export interface SubjectTree<V> {
  /** Insertions held. */
  readonly count: number;
  /** Results in the cache that are still right. Walks the cache. */
  readonly cacheCount: number;
  /** Tokens of the longest pattern held; 0 when empty. */
  readonly numLevels: number;

  /**
   * Adds a value, to a queue group when one is named. A pattern that is refused leaves no trace.
   * Takes time by the number of tokens, whatever the tree and its cache hold.
   */
  insert(pattern: string, value: V, membership?: QueueMembership): InsertOutcome;

  /** Takes out one insertion of a value. Costs as {@link insert}. */
  remove(pattern: string, value: V, membership?: QueueName): RemoveOutcome;

  /** Takes out many; those that cannot be are reported, and do not keep the others from being removed. */
  removeBatch(entries: Iterable<TreeEntryName<V>>): RemoveBatchOutcome;

  /** Gives a member of a queue group another weight, 1 to {@link WEIGHT_MAX}; of several equal ones, the oldest. */
  setWeight(pattern: string, value: V, membership: Required<QueueMembership>): SetWeightOutcome;

  /**
   * The plain values of all patterns that match, from wide to narrow: per level those of `>`, then everything below `*`,
   * then the literal branch. A token `*` or `>` of `subject` is taken as text. An invalid subject matches nothing.
   * @returns an array shared with the cache; for no value always the same one.
   */
  match(subject: string): readonly V[];

  /** As {@link match}, with the queue groups. Both come from the same cached result. */
  matchGroups(subject: string): SubjectMatch<V>;

  /**
   * The match list of a name, literal or pattern, in the order of {@link match}: wildcard tokens of the name are tokens
   * that only wildcards of the tree meet, so the list of `foo.>` holds `*.*` and `foo.*`. Not cached and not counted.
   * @see store-limits section 4
   */
  matchList(name: string): readonly V[];

  /** Whether {@link matchGroups} has any value. Stops at the first; may use the cache, never fills it. */
  hasInterest(subject: string): boolean;

  /** How many values {@link matchGroups} has: plain ones, and those of queue groups with their weights. */
  numInterest(subject: string): InterestCount;

  /** All entries whose pattern overlaps `pattern`, in the order of {@link entries}; none for an invalid pattern. */
  reverseMatch(pattern: string): readonly TreeEntry<V>[];

  /**
   * The patterns held, widest first: per level `>`, then `*` with all below it, then each literal token with all below
   * it, in the order in which the literal tokens appeared.
   */
  subjects(): readonly string[];

  /** All insertions, in the order of {@link subjects}; of one pattern, plain values first, then group by group. */
  entries(): readonly TreeEntry<V>[];

  /** The values of {@link entries}. */
  all(): readonly V[];

  /** Figures for monitoring. Walks the cache. */
  statistics(): SubjectTreeStatistics;

  /**
   * Tells `listener` whenever the literal `subject` gets its first plain value (or, with a queue, that group its first
   * member) and whenever it loses the last. Patterns with wildcards do not count. An error of the listener reaches whoever
   * made the change, which stays made.
   */
  watchInterest(subject: string, listener: InterestListener, group?: QueueName): WatchOutcome;

  /** Ends {@link watchInterest}. @returns whether this listener was watching. */
  unwatchInterest(subject: string, listener: InterestListener, group?: QueueName): boolean;
}

/** Which queue group; an empty name is none. */
export interface QueueName {
  readonly queue: string;
}

/** Which queue group, and how much of it. */
export interface QueueMembership extends QueueName {
  /** How often the member appears in its group's list; 1 to {@link WEIGHT_MAX}, default 1. */
  readonly weight?: number;
}

/** What it takes to name one insertion. */
export interface TreeEntryName<V> {
  readonly subject: string;
  readonly value: V;
  readonly queue?: string;
}

/** One insertion: its pattern, its value, its queue group ("" for none) and weight there (1 for none). */
export interface TreeEntry<V> {
  readonly subject: string;
  readonly value: V;
  readonly queue: string;
  readonly weight: number;
}

/** What a subject meets. */
export interface SubjectMatch<V> {
  /** Plain values, from wide to narrow. */
  readonly values: readonly V[];
  /** One list per queue name, in the order in which the walk met the names. */
  readonly queues: readonly QueueMatch<V>[];
}

/** The members of one queue group that a subject meets: one of them is to be picked. */
export interface QueueMatch<V> {
  readonly queue: string;
  /** Never empty. A member of weight n appears n times. */
  readonly values: readonly V[];
}

/** How many values a subject meets: plain ones, and members of queue groups with their weights. */
export interface InterestCount {
  readonly plain: number;
  readonly queue: number;
}

/** Figures of a tree since it was made. */
export interface SubjectTreeStatistics {
  readonly count: number;
  readonly numLevels: number;
  readonly inserts: number;
  readonly removes: number;
  /** Calls of `match` and `matchGroups`. */
  readonly matches: number;
  readonly cacheHits: number;
  /** Hits per match, 0 to 1; 0 when nothing was matched yet. */
  readonly cacheHitRate: number;
  readonly cacheCount: number;
  /** Plain values and queue groups of a cached result: the most, and the mean. */
  readonly fanoutMax: number;
  readonly fanoutAverage: number;
  /** Nodes of the tree, the root not counted. */
  readonly nodes: number;
  /** Different literal tokens. */
  readonly tokens: number;
  /** Patterns that hold more than one plain value, or a queue group: these cost more memory. */
  readonly sharedPatterns: number;
}

/** An empty token, or a token after `>`; `message` is the text that users of the original know. */
export interface InvalidSubject {
  readonly kind: "invalid_subject";
  readonly message: "sublist: invalid subject";
  readonly subject: string;
  /** Code units from the start, from 0. */
  readonly position: number;
  /** What is wrong at that position and what to do about it. */
  readonly reason: string;
}

/** The pattern does not hold the value (or its queue group does not). Nothing was changed. */
export interface NoMatch {
  readonly kind: "no_match";
  readonly message: "sublist: no match found";
}

/** Not a whole number from 1 to {@link WEIGHT_MAX}. */
export interface InvalidWeight {
  readonly kind: "invalid_weight";
  readonly message: string;
}

/** What became of an insertion; unless it is `inserted`, nothing was changed. */
export type InsertOutcome = { readonly kind: "inserted" } | InvalidSubject | InvalidWeight;
/** What became of a removal; unless it is `removed`, nothing was changed. */
export type RemoveOutcome = { readonly kind: "removed" } | InvalidSubject | NoMatch;
/** What became of a new weight; unless it is `changed`, nothing was. */
export type SetWeightOutcome = { readonly kind: "changed" } | InvalidSubject | NoMatch | InvalidWeight;

/** What became of a batch: all removed, or all but the failures. */
export type RemoveBatchOutcome =
  | { readonly kind: "removed"; readonly removed: number }
  | { readonly kind: "incomplete"; readonly removed: number; readonly failures: readonly RemoveBatchFailure[] };

/** One entry of a batch that could not be removed. */
export interface RemoveBatchFailure {
  /** Place in the batch, from 0. */
  readonly index: number;
  readonly outcome: InvalidSubject | NoMatch;
}

/** What became of the wish to watch a subject. */
export type WatchOutcome =
  /** `interested` is the state now; the listener hears of changes only. */
  | { readonly kind: "watching"; readonly interested: boolean }
  | { readonly kind: "already_watching" }
  /** Not a literal subject. */
  | InvalidSubject;
