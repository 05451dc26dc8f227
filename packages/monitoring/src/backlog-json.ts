import type { BacklogSnapshot } from "./backlog-snapshot.ts";
import type { JsonValue } from "./json.ts";

/** A backlog as `details=1` shows it. @param nowMillis milliseconds since 1970 */
export function backlogJson(backlog: BacklogSnapshot, nowMillis: number): JsonValue {
  const { oldestMillis } = backlog;
  return {
    kind: backlog.kind,
    name: backlog.name || undefined,
    client_id: backlog.clientId || undefined,
    is_durable: backlog.isDurable,
    is_offline: backlog.isOffline,
    members: backlog.members,
    last_sent: backlog.lastSent,
    pending_count: backlog.pendingCount,
    lag_msgs: backlog.lagMessages,
    lag_bytes: backlog.lagBytes,
    oldest_seq: backlog.oldestSequence || undefined,
    oldest_age_ms: oldestMillis === undefined ? undefined : Math.max(0, Math.round(nowMillis - oldestMillis)),
    redelivering: backlog.redelivering,
    stalled_count: backlog.stalledCount,
    stalled_ms: Math.round(backlog.stalledMillis),
  };
}
