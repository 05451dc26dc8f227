import { quoteName } from "@nats-streaming/kernel";
import { friendlyBytes } from "./friendly-bytes.ts";
import type { ChannelLimits } from "./limits.ts";

/**
 * The line that a log prints once in its life, when max_msgs or max_bytes first remove a message.
 * @param count messages after that first removal; @param bytes their size
 * @see store-interface.md 6
 */
export function limitsReachedText(channel: string, count: number, bytes: number, limits: ChannelLimits): string {
  return (
    `Reached limits for store ${quoteName(channel)} (msgs=${count}/${limits.maxMessages} ` +
    `bytes=${friendlyBytes(bytes)}/${friendlyBytes(limits.maxBytes)}), dropping old messages to make room for new ones`
  );
}
