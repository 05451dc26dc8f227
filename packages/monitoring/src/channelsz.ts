import { jsonString, toJson } from "./json.ts";
import { ELEMENT_INDENT, type Listing } from "./listing.ts";
import { readSource } from "./monitoring-error.ts";
import type { ChannelDirectory, MonitoredChannel } from "./source.ts";
import { subscriptionJson } from "./subscription-json.ts";

/** Names alone, or the channels with their subscriptions. @see monitoring.md 6 */
export function channelsListing(channels: ChannelDirectory, withSubscriptions: boolean): Listing {
  if (!withSubscriptions) return { key: "names", whenEmpty: "omitted", list: channels, element: jsonString };
  return {
    key: "channels",
    whenEmpty: "omitted",
    list: channels,
    element(name): string | undefined {
      const channel = channels.find(name);
      return channel && channelJson(channel, true, ELEMENT_INDENT);
    },
  };
}

/** @throws MonitoringError `source_failed` */
export function channelJson(channel: MonitoredChannel, withSubscriptions: boolean, indent = ""): string {
  const failure = `Error getting information about channel ${JSON.stringify(channel.name)}`;
  const state = readSource(`${failure}: unable to get message state`, () => channel.messageState());
  const sequences = readSource(`${failure}: unable to get first and last sequence`, () => channel.sequences());
  const subscriptions = withSubscriptions ? Array.from(channel.subscriptions(), subscriptionJson) : [];
  return toJson(
    {
      name: channel.name,
      msgs: state.messages,
      bytes: state.bytes,
      first_seq: sequences.first,
      last_seq: sequences.last,
      subs_count: channel.subscriptionCount,
      subscriptions: subscriptions.length > 0 ? subscriptions : undefined,
    },
    indent,
  );
}
