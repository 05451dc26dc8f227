import { type ConfigEntry, ConfigError, quoteText } from "@nats-streaming/config";
import { checkChannel, isLiteralChannel, matches } from "@nats-streaming/subject";
import type { Draft, OptionsDraft } from "./draft.ts";
import type { OptionWarning } from "./option-warning.ts";
import { keysOf, notAMap, readMapInto, warnOfUnknown } from "./read-map.ts";
import type { DeliveryOptions, RedeliveryRule, StreamingOptions } from "./streaming-options.ts";
import { redeliveryOptions } from "./streaming-table.ts";

/** Reads the per-channel section of the delivery options into `channels`, in file order. */
export function readDeliveryChannels(
  entry: ConfigEntry,
  channels: OptionsDraft["deliveryChannels"],
  warnings: OptionWarning[],
): ConfigError | undefined {
  if (entry.value.kind !== "map") return notAMap("per channel delivery options", entry);
  for (const channel of entry.value.entries.values()) {
    if (channel.value.kind !== "map") return notAMap("channel delivery options", channel);
    const check = checkChannel(channel.key, { wildcards: true, strict: true });
    if (check.kind === "invalid") {
      const message = `invalid channel name ${quoteText(channel.key)}`;
      return new ConfigError({ code: "bad_value", message, position: channel.position, hint: check.reason });
    }
    const rule: Draft<RedeliveryRule> = { maxRedeliveries: -1, deadLetter: "" };
    const outcome = readMapInto(channel.value, {
      options: redeliveryOptions,
      target: rule,
      warnings,
      other: (inner) => {
        warnOfUnknown(inner, keysOf(redeliveryOptions), warnings);
        return undefined;
      },
    });
    if (outcome.kind === "wrong") return outcome.error;
    channels.set(channel.key, rule);
  }
  return undefined;
}

/**
 * Why the rules of redelivery cannot be followed, if they cannot: an end of redelivering without a channel for what is
 * left would lose messages, and so would a channel that this server does not handle.
 */
export function deliveryError(streaming: StreamingOptions): string | undefined {
  const { delivery } = streaming;
  for (const [where, rule] of rulesOf(delivery)) {
    if (rule.maxRedeliveries < 0) return `max_redeliveries of ${where} must not be negative`;
    if (rule.maxRedeliveries === 0) continue;
    if (rule.deadLetter === "") {
      return `max_redeliveries of ${where} needs a dead_letter channel: without one its messages would be lost`;
    }
    const check = checkChannel(rule.deadLetter, { strict: true });
    if (check.kind === "invalid" || !isLiteralChannel(rule.deadLetter)) {
      return `dead_letter of ${where} is no channel name: ${quoteText(rule.deadLetter)}`;
    }
    const entries = [...streaming.storeLimits.channels.keys()];
    if (streaming.partitioning && !entries.some((entry) => matches(entry, rule.deadLetter))) {
      return `dead_letter of ${where} is outside of the channels that this server handles: add ${quoteText(rule.deadLetter)} to the list`;
    }
  }
  return undefined;
}

/** The rules in force, each with a word for where it stands. */
function rulesOf(delivery: DeliveryOptions): (readonly [string, RedeliveryRule])[] {
  const own = [...delivery.channels].map(([name, rule]): readonly [string, RedeliveryRule] => [
    `channel ${quoteText(name)}`,
    inForce(rule, delivery),
  ]);
  return [["delivery", delivery], ...own];
}

/** A channel's rule with what it leaves to the one for all channels. */
export function inForce(rule: RedeliveryRule, forAll: RedeliveryRule): RedeliveryRule {
  return {
    maxRedeliveries: rule.maxRedeliveries === -1 ? forAll.maxRedeliveries : rule.maxRedeliveries,
    deadLetter: rule.deadLetter === "" ? forAll.deadLetter : rule.deadLetter,
  };
}
