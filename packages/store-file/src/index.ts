export type { CommitEntry, LogDamage, ReplayReport } from "./commit-log/commit-log.ts";
export {
  CACHE_BYTES_DEFAULT,
  type CommitLogStatistics,
  createFileStore,
  type FileStore,
  type FileStoreSetup,
  WRITTEN_AT_ONCE_DEFAULT,
} from "./file-store.ts";
export { type DirectoryLock, nativeDirectoryLock } from "./lock/directory-lock.ts";
export type { RunScript, ScriptOutcome } from "./messages/slice-archive.ts";
export { defaultFileStoreOptions, type FileStoreOptions, type RecoveryMode } from "./options.ts";
export type { QuarantinedChannel } from "./quarantine.ts";
export type { Damage, DamagedPlace } from "./recovery/damage.ts";
