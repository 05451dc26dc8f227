export {
  type Bus,
  BusError,
  type BusErrorCode,
  type BusHandler,
  type BusMessage,
  type BusReply,
  type BusStatus,
  type BusSubscribeOptions,
  type BusSubscription,
} from "./bus.ts";
export {
  type Clock,
  nextTurn,
  nowMillis,
  nowNanos,
  systemClock,
  type Timer,
  type Timestamp,
  toNanos,
} from "./clock.ts";
export { type Deferred, deferred } from "./deferred.ts";
export { displayName, quoteName } from "./display-name.ts";
export {
  type DurationNanos,
  type DurationParse,
  durationFromMillis,
  durationNanos,
  durationToMillis,
  formatDuration,
  parseDuration,
} from "./duration.ts";
export { errorText } from "./error-text.ts";
export {
  type DirectoryEntry,
  FileError,
  type FileErrorCode,
  type FileStat,
  type FileSystem,
  type OpenFile,
  type OpenOptions,
} from "./file-system.ts";
export { InvariantError, invariant, unreachable } from "./invariant.ts";
export { type Logger, silentLogger } from "./logger.ts";
export { nuidSource } from "./nuid.ts";
export { type Random, systemRandom } from "./random.ts";
export { type Brand, type Sequence, sequence, type TimestampNanos, timestampNanos } from "./scalars.ts";
export { sortInSteps } from "./sort-in-steps.ts";
export { runSteps, runStepsInTurns } from "./steps.ts";
export { openFilesLimit, systemFileSystem } from "./system-file-system.ts";
