import { byteStringToText } from "@nats-streaming/protocol";
import type { Subscription } from "./subscription.ts";

/**
 * What the log says when a subscription begins or ends.
 * @param action such as `Started new durable` or `Removed member from queue`
 * @param sending where it starts, for a new one
 * @see operations.md 1.4
 */
export function subscriptionLine(action: string, subscription: Subscription, sending?: string): string {
  const { channel, clientId, durableName, group, id, inbox } = subscription;
  const specific =
    group !== undefined
      ? ` queue=${byteStringToText(group.key)},`
      : durableName !== ""
        ? ` durable=${byteStringToText(durableName)},`
        : "";
  return (
    `[Client:${byteStringToText(clientId)}] ${action} subscription, subject=${byteStringToText(channel.name)}, ` +
    `inbox=${byteStringToText(inbox)},${specific} subid=${id}${sending === undefined ? "" : `, ${sending}`}`
  );
}
