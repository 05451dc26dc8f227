import type { JsonValue } from "./json.ts";
import type { ChannelLimitsSnapshot } from "./source.ts";

/** @see monitoring.md 3 */
export function limitsJson(limits: ChannelLimitsSnapshot): { readonly [key: string]: JsonValue } {
  return {
    max_msgs: limits.maxMessages,
    max_bytes: limits.maxBytes,
    max_age: limits.maxAge,
    max_subscriptions: limits.maxSubscriptions,
    max_inactivity: limits.maxInactivity,
  };
}
