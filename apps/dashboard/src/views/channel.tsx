import type { JSX } from "preact";
import { noteCounter, seriesOf } from "../api/history.ts";
import type { Backlog, Channel, Quarantined } from "../api/types.ts";
import { usePolled } from "../api/use-polled.ts";
import { RateChart } from "../charts/rate-chart.tsx";
import { Chip, Empty, Failure, Loading, Section, Tile, Tiles } from "../components/basics.tsx";
import { SubscriptionTable } from "../components/subscription-table.tsx";
import { type Column, Table } from "../components/table.tsx";
import { bytes, count, limit, nanos, rate, span } from "../format.ts";
import { href } from "../route.ts";
import type { Theme } from "../theme.ts";
import { channelKey } from "./channel-table.tsx";
import { Messages } from "./messages.tsx";

export interface ChannelViewProps {
  readonly name: string;
  readonly theme: Theme;
  readonly quarantined: readonly Quarantined[];
}

export function ChannelView({ name, theme, quarantined }: ChannelViewProps): JSX.Element {
  const path = `streaming/channelsz?channel=${encodeURIComponent(name)}&subs=1&details=1`;
  const key = channelKey(name);
  const { data, error } = usePolled<Channel>(path, { onData: ({ last_seq }, at) => noteCounter(key, last_seq, at) });
  const damage = quarantined.find((channel) => channel.name === name);
  return (
    <>
      <nav class="crumbs" aria-label="Path">
        <a href={href.channels}>Channels</a> <span aria-hidden="true">/</span> <h1>{name}</h1>
      </nav>
      {damage !== undefined && (
        <p class="banner bad">
          <b>In quarantine</b> and not served: {damage.reason}
        </p>
      )}
      {damage === undefined && <Failure error={error} />}
      {data === undefined ? error === undefined && <Loading /> : <Known channel={data} theme={theme} chartKey={key} />}
    </>
  );
}

function Known({
  channel,
  theme,
  chartKey,
}: {
  readonly channel: Channel;
  readonly theme: Theme;
  readonly chartKey: string;
}): JSX.Element {
  const { name, limits, backlogs = [], subscriptions = [] } = channel;
  const series = seriesOf(chartKey);
  const age = limits?.max_age ?? 0;
  return (
    <>
      <Tiles>
        <Tile label="Published" value={rate(series.values.at(-1))} note="msg/s" />
        <Tile label="Messages" value={count(channel.msgs)} {...(limits && { of: limit(limits.max_msgs) })} />
        <Tile label="Size" value={bytes(channel.bytes)} {...(limits && { of: limit(limits.max_bytes, bytes) })} />
        <Tile label="First sequence" value={count(channel.first_seq)} />
        <Tile label="Last sequence" value={count(channel.last_seq)} />
        <Tile
          label="Subscriptions"
          value={count(channel.subs_count)}
          {...(limits && { of: limit(limits.max_subscriptions) })}
        />
        {limits !== undefined && <Tile label="Kept for" value={limit(age, nanos)} />}
      </Tiles>
      <RateChart
        title="Messages per second"
        format={rate}
        unit="count"
        theme={theme}
        height={132}
        lines={[{ label: "published", series, colour: 1 }]}
      />
      <Section title="Lag" note="Stored messages that a subscriber has not acknowledged, sent or not">
        {backlogs.length === 0 ? (
          <Empty title="Nobody is subscribed" />
        ) : (
          <Table
            label="Lag"
            columns={BACKLOG_COLUMNS}
            rows={backlogs}
            keyOf={(backlog) => `${backlog.kind} ${backlog.name} ${backlog.client_id} ${backlogs.indexOf(backlog)}`}
          />
        )}
      </Section>
      {subscriptions.length > 0 && (
        <Section title={`Subscriptions (${count(subscriptions.length)})`}>
          <SubscriptionTable
            by="client"
            rows={subscriptions.map((subscription) => ({ channel: name, subscription }))}
          />
        </Section>
      )}
      <Messages channel={name} lastSequence={channel.last_seq} />
    </>
  );
}

const BACKLOG_COLUMNS: readonly Column<Backlog>[] = [
  { title: "Subscriber", isWide: true, cell: (backlog) => <Subscriber backlog={backlog} /> },
  { title: "State", cell: (backlog) => <State backlog={backlog} /> },
  { title: "Lag", isNumber: true, cell: ({ lag_msgs }) => count(lag_msgs) },
  {
    title: "About",
    isNumber: true,
    hint: "By the mean size of the channel's messages",
    cell: ({ lag_bytes }) => bytes(lag_bytes),
  },
  {
    title: "Oldest",
    isNumber: true,
    hint: "Age of the oldest message that is not acknowledged",
    cell: ({ oldest_age_ms }) => (oldest_age_ms === undefined ? "–" : span(oldest_age_ms)),
  },
  {
    title: "Pending",
    isNumber: true,
    hint: "Sent and not acknowledged",
    cell: ({ pending_count }) => count(pending_count),
  },
  {
    title: "Redelivering",
    isNumber: true,
    hint: "Pending and sent more than once",
    cell: ({ redelivering }) => count(redelivering),
  },
  { title: "Last sent", isNumber: true, cell: ({ last_sent }) => count(last_sent) },
];

function Subscriber({
  backlog: { kind, name, client_id, members, is_durable },
}: {
  readonly backlog: Backlog;
}): JSX.Element {
  switch (kind) {
    case "plain":
      return <>{client_id}</>;
    case "durable":
      return (
        <>
          <b>{name}</b> <span class="muted">durable of {client_id}</span>
        </>
      );
    case "group":
      return (
        <>
          <b>{name}</b>{" "}
          <span class="muted">
            {is_durable ? "durable group" : "queue group"} of {members} {members === 1 ? "member" : "members"}
          </span>
        </>
      );
  }
}

function State({
  backlog: { is_offline, stalled_count, stalled_ms, members },
}: {
  readonly backlog: Backlog;
}): JSX.Element {
  if (is_offline) return <Chip tone="plain">offline</Chip>;
  if (stalled_count === 0) return <Chip tone="good">live</Chip>;
  const who = members > 1 ? `${stalled_count} of ${members} ` : "";
  return (
    <Chip tone="warn">
      {who}stalled {span(stalled_ms)}
    </Chip>
  );
}
