import type { JSX } from "preact";
import type { Subscription } from "../api/types.ts";
import { count } from "../format.ts";
import { href } from "../route.ts";
import { Chip } from "./basics.tsx";
import { type Column, Table } from "./table.tsx";

export interface SubscriptionRow {
  readonly channel: string;
  readonly subscription: Subscription;
}

const CLIENT: Column<SubscriptionRow> = {
  title: "Client",
  cell: ({ subscription: { client_id, is_offline } }) =>
    client_id === "" ? (
      <span class="muted">none</span>
    ) : is_offline ? (
      client_id
    ) : (
      <a href={href.client(client_id)}>{client_id}</a>
    ),
};

const CHANNEL: Column<SubscriptionRow> = {
  title: "Channel",
  cell: ({ channel }) => <a href={href.channel(channel)}>{channel}</a>,
};

const COLUMNS: readonly Column<SubscriptionRow>[] = [
  { title: "Kind", cell: ({ subscription }) => kindOf(subscription) },
  { title: "State", cell: ({ subscription }) => <State subscription={subscription} /> },
  { title: "Last sent", isNumber: true, cell: ({ subscription }) => count(subscription.last_sent) },
  { title: "Pending", isNumber: true, cell: ({ subscription }) => <Pending subscription={subscription} /> },
  { title: "Ack wait", isNumber: true, cell: ({ subscription }) => `${subscription.ack_wait} s` },
  {
    title: "Inbox",
    isWide: true,
    cell: ({ subscription }) => <code title={subscription.inbox}>{subscription.inbox}</code>,
  },
];

/** @param by what the table is not about: the other end of each subscription */
export function SubscriptionTable({
  rows,
  by,
}: {
  readonly rows: readonly SubscriptionRow[];
  readonly by: "client" | "channel";
}): JSX.Element {
  return (
    <Table
      label="Subscriptions"
      columns={[by === "client" ? CLIENT : CHANNEL, ...COLUMNS]}
      rows={rows}
      keyOf={({ channel, subscription }) => `${channel} ${subscription.inbox} ${subscription.ack_inbox}`}
    />
  );
}

function kindOf({ durable_name, queue_name, is_durable }: Subscription): JSX.Element {
  if (queue_name !== undefined) {
    return (
      <>
        {is_durable ? "durable group" : "queue group"} <b>{queue_name}</b>
      </>
    );
  }
  if (durable_name === undefined) return <>plain</>;
  return (
    <>
      durable <b>{durable_name}</b>
    </>
  );
}

function State({ subscription: { is_offline, is_stalled } }: { readonly subscription: Subscription }): JSX.Element {
  if (is_offline) return <Chip tone="plain">offline</Chip>;
  return is_stalled ? <Chip tone="warn">stalled</Chip> : <Chip tone="good">live</Chip>;
}

/** How much of max in flight is used up. */
function Pending({
  subscription: { pending_count, max_inflight },
}: {
  readonly subscription: Subscription;
}): JSX.Element {
  const share = Math.min(1, pending_count / Math.max(1, max_inflight));
  return (
    <span class="pending">
      <meter min={0} max={1} high={0.8} value={share}>
        {Math.round(share * 100)} %
      </meter>
      <span>
        {count(pending_count)} <span class="muted">/ {count(max_inflight)}</span>
      </span>
    </span>
  );
}
