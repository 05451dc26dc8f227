export { type ChannelScope, channelScope, type ScopeOutcome } from "./channel-scope.ts";
export {
  type Partition,
  type PartitionOptions,
  type PartitionOutcome,
  type PartitionRefusal,
  startPartition,
} from "./start-partition.ts";
export { DEFAULT_TIMING, type PartitionTiming } from "./timing.ts";
