import { type ConfigEntry, ConfigError, quoteText } from "@nats-streaming/config";
import { durationNanos } from "@nats-streaming/kernel";
import type { ChannelLimits } from "@nats-streaming/store";
import { checkChannel } from "@nats-streaming/subject";
import type { Draft } from "./draft.ts";
import type { OptionDefinition } from "./option.ts";
import type { OptionWarning } from "./option-warning.ts";
import { keysOf, notAMap, readMapInto, warnOfUnknown } from "./read-map.ts";
import { channelLimitOptions } from "./streaming-table.ts";

const UNLIMITED = -1;

/**
 * Reads the per-channel section into `channels`, in file order, which is the order of the partition list. Per channel 0
 * means "inherit" and -1 "unlimited"; a 0 in the file says "unlimited".
 * @see configuration.md 2.3, store-limits.md 1 and 2, PART-D13
 */
export function readChannels(
  entry: ConfigEntry,
  channels: Map<string, ChannelLimits>,
  warnings: OptionWarning[],
): ConfigError | undefined {
  if (entry.value.kind !== "map") return notAMap("per channel limits", entry);
  for (const channel of entry.value.entries.values()) {
    if (channel.value.kind !== "map") return notAMap("channel limits", channel);
    const check = checkChannel(channel.key, { wildcards: true, strict: true });
    if (check.kind === "invalid") {
      const message = `invalid channel name ${quoteText(channel.key)}`;
      return new ConfigError({ code: "bad_value", message, position: channel.position, hint: check.reason });
    }
    const limits: Draft<ChannelLimits> = {
      maxSubscriptions: 0,
      maxMessages: 0,
      maxBytes: 0,
      maxAge: durationNanos(0n),
      maxInactivity: durationNanos(0n),
    };
    const outcome = readMapInto(channel.value, {
      options: channelLimitOptions,
      target: limits,
      warnings,
      other: (inner) => {
        warnOfUnknown(inner, keysOf(channelLimitOptions), warnings);
        return undefined;
      },
    });
    if (outcome.kind === "wrong") return outcome.error;
    for (const option of outcome.seen) unlimitedIfZero(option, limits);
    channels.set(channel.key, limits);
  }
  return undefined;
}

function unlimitedIfZero(option: OptionDefinition<Draft<ChannelLimits>>, limits: Draft<ChannelLimits>): void {
  if (option.kind === "duration" && option.get(limits) === 0n) {
    option.set(limits, durationNanos(BigInt(UNLIMITED)));
  } else if ((option.kind === "int" || option.kind === "size") && option.get(limits) === 0) {
    option.set(limits, UNLIMITED);
  }
}
