export { type ChannelScope, channelScope, type ScopeOutcome } from "./channel-scope.ts";
export { type CheckConflict, checkAgainstMap, type MapCheck } from "./check-map.ts";
export type { CollectOutcome } from "./client-collector.ts";
export type { ClientKnowledge, ClientQuestion, ClientSource } from "./client-source.ts";
export { type CollectMapOptions, collectMap } from "./collect-map.ts";
export type { RefusalReason } from "./coordinator-io.ts";
export type { ListChange } from "./list-change.ts";
export type { MapConflict, MappedServer, PartitionMap, StoredChannel } from "./partition-map.ts";
export type { PartitionPeers } from "./partition-peers.ts";
export type { ReloadOutcome, ScopeListener } from "./partition-server.ts";
export type { LookupResult } from "./peer-link.ts";
export { renderCheckJson, renderCheckText, renderMapJson, renderMapText } from "./render-map.ts";
export type { ConflictRule } from "./seniority.ts";
export { type ActivationOptions, type PartitionWatch, type WatchOptions, watchPartition } from "./standby.ts";
export {
  type Partition,
  type PartitionOptions,
  type PartitionOutcome,
  type PartitionRefusal,
  startPartition,
} from "./start-partition.ts";
export { DEFAULT_TIMING, type PartitionTiming } from "./timing.ts";
export { type GuardOptions, guardUnpartitioned, type UnpartitionedGuard } from "./unpartitioned-guard.ts";
