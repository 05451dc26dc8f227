import type { JSX } from "preact";
import { latestOf, noteCounter, seriesOf } from "../api/history.ts";
import type { Channel, Channelsz } from "../api/types.ts";
import { Sparkline } from "../charts/sparkline.tsx";
import { Chip, Empty } from "../components/basics.tsx";
import { type Column, Table } from "../components/table.tsx";
import { bytes, count, rate, span } from "../format.ts";
import { href } from "../route.ts";

/** What the rates of a channel are kept under. */
export function channelKey(name: string): string {
  return `channel ${name}`;
}

/** The last sequence of a channel grows with each message, whatever limits take away. */
export function noteChannels({ channels = [] }: Channelsz, at: number): void {
  for (const { name, last_seq } of channels) noteCounter(channelKey(name), last_seq, at);
}

const COLUMNS: readonly Column<Channel>[] = [
  { title: "Channel", isWide: true, cell: ({ name }) => <a href={href.channel(name)}>{name}</a> },
  { title: "msg/s", isNumber: true, cell: ({ name }) => rate(latestOf(channelKey(name))) },
  {
    title: "Last minute",
    cell: ({ name }) => <Sparkline series={seriesOf(channelKey(name))} label={`Messages per second of ${name}`} />,
  },
  { title: "Messages", isNumber: true, cell: ({ msgs }) => count(msgs) },
  { title: "Size", isNumber: true, cell: ({ bytes: size }) => bytes(size) },
  {
    title: "Sequences",
    isNumber: true,
    cell: ({ first_seq, last_seq }) => (last_seq === 0 ? "–" : `${count(first_seq)} – ${count(last_seq)}`),
  },
  {
    title: "Subs",
    isNumber: true,
    hint: "Subscriptions, offline durables included",
    cell: ({ subs_count }) => count(subs_count),
  },
  {
    title: "Lag",
    isNumber: true,
    hint: "Of the subscriber that is furthest behind",
    cell: (channel) => <Lag channel={channel} />,
  },
  { title: "State", cell: (channel) => <State channel={channel} /> },
];

export function ChannelTable({ channels }: { readonly channels: readonly Channel[] }): JSX.Element {
  return <Table label="Channels" columns={COLUMNS} rows={channels} keyOf={({ name }) => name} />;
}

/** What stands where a server has none. */
export function NoChannels(): JSX.Element {
  return (
    <Empty title="There are no channels yet">A channel comes into being with the first message or subscription.</Empty>
  );
}

function Lag({ channel: { backlogs = [] } }: { readonly channel: Channel }): JSX.Element {
  if (backlogs.length === 0) return <span class="muted">–</span>;
  return <>{count(Math.max(...backlogs.map(({ lag_msgs }) => lag_msgs)))}</>;
}

function State({ channel: { backlogs = [] } }: { readonly channel: Channel }): JSX.Element {
  const stalled = Math.max(0, ...backlogs.map(({ stalled_ms }) => stalled_ms));
  if (backlogs.some(({ stalled_count }) => stalled_count > 0)) return <Chip tone="warn">stalled {span(stalled)}</Chip>;
  if (backlogs.some(({ is_offline, lag_msgs }) => is_offline && lag_msgs > 0))
    return <Chip tone="info">offline lag</Chip>;
  return <Chip tone="good">ok</Chip>;
}
