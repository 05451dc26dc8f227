import { backlogJson } from "./backlog-json.ts";
import { jsonString, toJson } from "./json.ts";
import { limitsJson } from "./limits-json.ts";
import { ELEMENT_INDENT, type Listing } from "./listing.ts";
import { readSource } from "./monitoring-error.ts";
import type { ChannelDirectory, MonitoredChannel } from "./source.ts";
import { subscriptionJson } from "./subscription-json.ts";

/** What to show of a channel. */
export interface ChannelView {
  readonly withSubscriptions: boolean;
  /** Limits and backlogs, which the original does not show. Milliseconds since 1970; undefined for without. */
  readonly detailsAt: number | undefined;
}

/** Names alone, or the channels with what the view asks for. @see monitoring.md 6 */
export function channelsListing(channels: ChannelDirectory, view: ChannelView): Listing {
  const { withSubscriptions, detailsAt } = view;
  if (!withSubscriptions && detailsAt === undefined) {
    return { key: "names", whenEmpty: "omitted", list: channels, element: jsonString };
  }
  return {
    key: "channels",
    whenEmpty: "omitted",
    list: channels,
    element(name): string | undefined {
      const channel = channels.find(name);
      return channel && channelJson(channel, view, ELEMENT_INDENT);
    },
  };
}

/** Names that are looked through in one turn: about a millisecond of work. */
const MATCHED_PER_TURN = 4_096;

/** The channels whose names contain a text. @param pause settles in a later turn */
export async function matchingChannels(
  channels: ChannelDirectory,
  text: string,
  pause: () => Promise<void>,
): Promise<ChannelDirectory> {
  const names: string[] = [];
  let looked = 0;
  for (const name of channels.page(0, channels.count)) {
    if (name.includes(text)) names.push(name);
    if (++looked % MATCHED_PER_TURN === 0) await pause();
  }
  return {
    count: names.length,
    page: (offset, limit) => names.slice(offset, offset + limit),
    find: (name) => channels.find(name),
  };
}

/** @throws MonitoringError `source_failed` */
export function channelJson(channel: MonitoredChannel, view: ChannelView, indent = ""): string {
  const { withSubscriptions, detailsAt } = view;
  const failure = `Error getting information about channel ${JSON.stringify(channel.name)}`;
  const state = readSource(`${failure}: unable to get message state`, () => channel.messageState());
  const sequences = readSource(`${failure}: unable to get first and last sequence`, () => channel.sequences());
  const subscriptions = withSubscriptions ? Array.from(channel.subscriptions(), subscriptionJson) : [];
  const limits = detailsAt === undefined ? undefined : channel.limits();
  return toJson(
    {
      name: channel.name,
      msgs: state.messages,
      bytes: state.bytes,
      first_seq: sequences.first,
      last_seq: sequences.last,
      subs_count: channel.subscriptionCount,
      subscriptions: subscriptions.length > 0 ? subscriptions : undefined,
      limits: limits && limitsJson(limits),
      backlogs: detailsAt === undefined ? undefined : channel.backlogs().map((one) => backlogJson(one, detailsAt)),
    },
    indent,
  );
}

/** Finds out what a single channel's backlogs do not know at once; what cannot be read stays unknown. */
export async function loadBacklogs(channel: MonitoredChannel): Promise<void> {
  const loads = channel.backlogs().flatMap(({ load }) => (load === undefined ? [] : [load]));
  await Promise.allSettled(loads.slice(0, LOADS_MAX).map((load) => load()));
}

/** Reads from disk for one answer at most. */
const LOADS_MAX = 64;
