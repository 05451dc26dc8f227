import type { SubState } from "@nats-streaming/store";
import type { Subscription } from "./subscription.ts";

/** What the store keeps of a subscription. @see store-interface.md 1, protocol.md 6.1 */
export function recordOf(subscription: Subscription): SubState {
  const { group } = subscription;
  const isShadow = group !== undefined && subscription.state === "offline";
  return {
    id: subscription.id,
    // An offline group belongs to nobody; an offline durable stays its client's.
    clientId: isShadow ? "" : subscription.clientId,
    qGroup: group?.key ?? "",
    inbox: subscription.inbox,
    ackInbox: subscription.ackInbox,
    maxInFlight: subscription.maxInFlight,
    ackWaitInSecs: subscription.ackWaitMillis / 1000,
    durableName: subscription.durableName,
    lastSent: isShadow ? Math.max(subscription.lastSent, group.lastSent) : subscription.lastSent,
    isDurable: group?.isDurable ?? subscription.durableName !== "",
    isClosed: group === undefined && subscription.state === "offline",
  };
}
