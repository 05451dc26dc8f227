import { arrayTexts } from "./array-texts.ts";
import { backlogJson } from "./backlog-json.ts";
import { jsonString, toJson, withoutEnd } from "./json.ts";
import { limitsJson } from "./limits-json.ts";
import { ELEMENT_INDENT, type Listing } from "./listing.ts";
import type { LongDocument, LongElement } from "./long-document.ts";
import { readSource } from "./monitoring-error.ts";
import type { ChannelDirectory, MonitoredChannel } from "./source.ts";
import { subscriptionJson } from "./subscription-json.ts";
import type { Turns } from "./turns.ts";

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
    return { key: "names", whenEmpty: "omitted", list: channels, element: (name) => [jsonString(name)] };
  }
  return {
    key: "channels",
    whenEmpty: "omitted",
    list: channels,
    *element(name): Iterable<LongElement> {
      const channel = channels.find(name);
      // What has gone counts as work, too.
      if (channel === undefined) yield undefined;
      else yield* channelTexts(channel, view, ELEMENT_INDENT);
    },
  };
}

/** The channels whose names contain a text. */
export async function matchingChannels(
  channels: ChannelDirectory,
  text: string,
  turns: Turns,
): Promise<ChannelDirectory> {
  const names: string[] = [];
  for (const name of channels.page(0, channels.count)) {
    if (name.includes(text)) names.push(name);
    if (turns.isOver()) await turns.next();
  }
  return {
    count: names.length,
    page: (offset, limit) => names.slice(offset, offset + limit),
    find: (name) => channels.find(name),
  };
}

/** One channel alone. Reading it throws MonitoringError `source_failed`. */
export function channelDocument(channel: MonitoredChannel, view: ChannelView): LongDocument {
  return { head: () => "", elements: channelTexts(channel, view, ""), expected: 1, tail: () => "" };
}

/**
 * A channel may have thousands of subscriptions: each is a part of its own.
 * @throws MonitoringError `source_failed`
 */
function* channelTexts(channel: MonitoredChannel, view: ChannelView, indent: string): Iterable<LongElement> {
  const { withSubscriptions, detailsAt } = view;
  const failure = `Error getting information about channel ${JSON.stringify(channel.name)}`;
  const state = readSource(`${failure}: unable to get message state`, () => channel.messageState());
  const sequences = readSource(`${failure}: unable to get first and last sequence`, () => channel.sequences());
  const limits = detailsAt === undefined ? undefined : channel.limits();
  const opening = toJson(
    {
      name: channel.name,
      msgs: state.messages,
      bytes: state.bytes,
      first_seq: sequences.first,
      last_seq: sequences.last,
      subs_count: channel.subscriptionCount,
    },
    indent,
  );
  const inner = `${indent}  `;
  yield withoutEnd(opening);
  if (withSubscriptions && channel.subscriptionCount > 0) {
    let isFirst = true;
    for (const subscription of channel.subscriptions()) {
      const text = `\n${inner}  ${toJson(subscriptionJson(subscription), `${inner}  `)}`;
      yield { more: isFirst ? `,\n${inner}"subscriptions": [${text}` : `,${text}` };
      isFirst = false;
    }
    if (!isFirst) yield { more: `\n${inner}]` };
  }
  if (limits !== undefined) yield { more: `,\n${inner}"limits": ${toJson(limitsJson(limits), inner)}` };
  if (detailsAt !== undefined) {
    yield { more: `,\n${inner}"backlogs": ` };
    for (const more of arrayTexts(channel.backlogs(), inner, (one) => backlogJson(one, detailsAt))) yield { more };
  }
  yield { more: `\n${indent}}` };
}

/** Finds out what a single channel's backlogs do not know at once; what cannot be read stays unknown. */
export async function loadBacklogs(channel: MonitoredChannel): Promise<void> {
  const loads = channel.backlogs().flatMap(({ load }) => (load === undefined ? [] : [load]));
  await Promise.allSettled(loads.slice(0, LOADS_MAX).map((load) => load()));
}

/** Reads from disk for one answer at most. */
const LOADS_MAX = 64;
