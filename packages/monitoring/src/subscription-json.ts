import type { JsonValue } from "./json.ts";
import type { SubscriptionSnapshot } from "./source.ts";

/** @see monitoring.md 7 */
export function subscriptionJson(subscription: SubscriptionSnapshot): JsonValue {
  return {
    client_id: subscription.clientId,
    inbox: subscription.inbox,
    ack_inbox: subscription.ackInbox,
    durable_name: subscription.durableName || undefined,
    queue_name: subscription.queueName || undefined,
    is_durable: subscription.isDurable,
    is_offline: subscription.isOffline,
    max_inflight: subscription.maxInFlight,
    ack_wait: subscription.ackWaitSeconds,
    last_sent: subscription.lastSent,
    pending_count: subscription.pendingCount,
    is_stalled: subscription.isStalled,
  };
}
