import { type DurationNanos, displayName, formatDuration } from "@nats-streaming/kernel";
import { friendlyBytes } from "./friendly-bytes.ts";
import { type ChannelLimits, defaultStoreLimits, type StoreLimits } from "./limits.ts";
import { createLimitsTree } from "./limits-tree.ts";

const TITLE = "---------- Store Limits ----------";
const CHANNELS_TITLE = "--------- Channels Limits --------";
const LIST_TITLE = " List of Channels ";
const VALUE_COLUMNS = 13;
const LABEL_COLUMNS = 13;
const UNLIMITED = "unlimited";

type LimitName = keyof ChannelLimits;

/** The limits of a channel in the order of the lines. */
const LABELS: readonly (readonly [LimitName, string])[] = [
  ["maxSubscriptions", "Subscriptions"],
  ["maxMessages", "Messages"],
  ["maxBytes", "Bytes"],
  ["maxAge", "Age"],
  ["maxInactivity", "Inactivity"],
];

/**
 * The block of lines that a server prints after recovery.
 * @param limits as in force, after inheritance ({@link Store.limits}); named tokens appear in the order of the map.
 * @see store-limits.md 7
 */
export function describeLimits(limits: StoreLimits): string[] {
  const channelsMark = limits.maxChannels === defaultStoreLimits.maxChannels ? " *" : "";
  const lines = [
    TITLE,
    `Channels:        ${printCount(limits.maxChannels).padStart(VALUE_COLUMNS)}${channelsMark}`,
    CHANNELS_TITLE,
  ];
  for (const [name, label] of LABELS) {
    const mark = limits[name] === defaultStoreLimits[name] ? " *" : "";
    lines.push(`  ${label.padEnd(LABEL_COLUMNS)}: ${printLimit(name, limits).padStart(VALUE_COLUMNS)}${mark}`);
  }
  if (limits.channels.size === 0) return [...lines, "-".repeat(TITLE.length)];

  const entries = describeEntries(limits);
  const width = entries.reduce((widest, line) => Math.max(widest, line.length), TITLE.length);
  const left = Math.floor((width - LIST_TITLE.length) / 2);
  const title = "-".repeat(left) + LIST_TITLE + "-".repeat(width - LIST_TITLE.length - left);
  return [...lines, title, ...entries, "-".repeat(width)];
}

/** Each entry with the limits in which it differs from the one it inherits from, indented by its place in the chain. */
function describeEntries(limits: StoreLimits): string[] {
  const tree = createLimitsTree(limits.channels.keys());
  const entries = tree.subjects();
  const deepest = entries.reduce((levels, name) => Math.max(levels, name.split(".").length), 0);

  const lines: string[] = [];
  for (const name of entries) {
    const chain = tree.matchList(name);
    const place = chain.indexOf(name);
    const own = limits.channels.get(name)!;
    const parent = place === 0 ? limits : limits.channels.get(chain[place - 1]!)!;
    const indent = " ".repeat(place);
    const padding = " ".repeat(Math.max(0, deepest - place));
    lines.push(indent + displayName(name));
    for (const [limit, label] of LABELS) {
      if (own[limit] === parent[limit]) continue;
      const value = printLimit(limit, own).padStart(VALUE_COLUMNS);
      lines.push(`${indent} |-> ${label.padEnd(LABEL_COLUMNS)} ${padding}${value}`);
    }
  }
  return lines;
}

function printLimit(name: LimitName, limits: ChannelLimits): string {
  switch (name) {
    case "maxSubscriptions":
    case "maxMessages":
      return printCount(limits[name]);
    case "maxBytes":
      return limits.maxBytes === 0 ? UNLIMITED : friendlyBytes(limits.maxBytes);
    case "maxAge":
    case "maxInactivity":
      return printDuration(limits[name]);
  }
}

function printCount(count: number): string {
  return count === 0 ? UNLIMITED : `${count}`;
}

function printDuration(duration: DurationNanos): string {
  return duration === 0n ? UNLIMITED : formatDuration(duration);
}
