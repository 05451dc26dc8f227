export { type ChannelLimits, defaultStoreLimits, type StoreLimits } from "./limits.ts";
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
