export { checkLimits } from "./check-limits.ts";
export { describeLimits } from "./describe-limits.ts";
export { type FixedTextCode, storeError, storeErrorTexts } from "./errors.ts";
export { friendlyBytes } from "./friendly-bytes.ts";
export { type ChannelLimits, defaultStoreLimits, type StoreLimits } from "./limits.ts";
export { cloneChannelLimits, cloneLimits, type LimitsInForce, limitsInForce } from "./limits-in-force.ts";
export { limitsReachedText } from "./limits-warning.ts";
export { type ByteRange, createMessageArena, type MessageArena, type SizeAt } from "./message-arena/message-arena.ts";
export type { ClientInfo, ServerInfo, SubState } from "./records.ts";
export {
  type ChannelStore,
  type IncomingMessage,
  LOOKUP_COLD,
  LOOKUP_FOUND,
  LOOKUP_NONE,
  type LockOutcome,
  type Lookup,
  type MessageLog,
  type RecoveredChannel,
  type RecoveredState,
  type RecoveredSubscription,
  type Store,
  type StoredMessage,
  StoreError,
  type StoreErrorCode,
  type StoreKind,
  type SubscriptionLog,
} from "./store.ts";
