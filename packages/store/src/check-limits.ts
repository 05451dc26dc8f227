import { type DurationNanos, formatDuration, quoteName } from "@nats-streaming/kernel";
import { isLiteralChannel, isValidChannel } from "@nats-streaming/subject";
import type { StoreLimits } from "./limits.ts";

/**
 * The first fault of `limits` as configured, in the exact text that a failed start prints; undefined when there is none.
 * Per channel any whole number is fine: below 0 is unlimited there.
 * @see store-limits.md 3
 */
export function checkLimits(limits: StoreLimits): string | undefined {
  return (
    checkNumber("channels", limits.maxChannels) ??
    checkNumber("subscriptions", limits.maxSubscriptions) ??
    checkNumber("messages", limits.maxMessages) ??
    checkNumber("bytes", limits.maxBytes) ??
    checkDuration("age", limits.maxAge) ??
    checkDuration("inactivity", limits.maxInactivity) ??
    checkChannels(limits)
  );
}

function checkNumber(what: string, value: number): string | undefined {
  if (value < 0) return `max ${what} limit cannot be negative (${value})`;
  // The original reads whole numbers only; a caller of ours could hand over anything.
  if (!Number.isSafeInteger(value)) return `max ${what} limit must be a whole number (${value})`;
  return undefined;
}

function checkDuration(what: string, value: DurationNanos): string | undefined {
  return value < 0n ? `max ${what} limit cannot be negative (${formatDuration(value)})` : undefined;
}

function checkChannels(limits: StoreLimits): string | undefined {
  let literals = 0;
  for (const [name, channel] of limits.channels) {
    if (!isValidChannel(name, { wildcards: true })) return `invalid channel name ${quoteName(name)}`;
    for (const value of [channel.maxSubscriptions, channel.maxMessages, channel.maxBytes]) {
      if (!Number.isSafeInteger(value)) return `limits of channel ${quoteName(name)} must be whole numbers (${value})`;
    }
    if (!isLiteralChannel(name)) continue;
    literals++;
    if (limits.maxChannels > 0 && literals > limits.maxChannels) {
      return `too many channels defined (${literals}). The max channels limit is set to ${limits.maxChannels}`;
    }
  }
  return undefined;
}
