export {
  type ChannelOptions,
  checkChannel,
  checkLiteralSubject,
  checkSubject,
  type GrammarOptions,
  isLiteralChannel,
  isLiteralSubject,
  isValidChannel,
  isValidLiteralSubject,
  isValidSubject,
  type NameCheck,
} from "./grammar.ts";
export type { InterestListener } from "./interest-watchers.ts";
export { matches } from "./matches.ts";
export { findOverlap, type Overlap, overlapsOf } from "./overlap-lists.ts";
export { isSubset, overlaps } from "./overlaps.ts";
export { createSubjectTree } from "./pattern-tree.ts";
export {
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
