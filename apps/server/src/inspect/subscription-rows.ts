import { type Fields, listOf, numberOf, textOf } from "./inspect-client.ts";
import type { TextColumn } from "./text-table.ts";
import { count, printable } from "./words.ts";

/** A subscription and the channel it is on. */
export interface SubscriptionRow {
  readonly channel: string;
  readonly subscription: Fields;
}

export const SUBSCRIPTION_COLUMNS: readonly TextColumn[] = [
  { title: "CHANNEL", isWide: true },
  { title: "CLIENT", isWide: true },
  { title: "DURABLE OR GROUP", isWide: true },
  { title: "STATE" },
  { title: "LAST SENT", isNumber: true },
  { title: "PENDING", isNumber: true },
  { title: "MAX", isNumber: true, isExtra: true },
  { title: "ACK WAIT", isNumber: true, isExtra: true },
];

export function subscriptionCells({ channel, subscription }: SubscriptionRow): string[] {
  const name = textOf(subscription, "queue_name") || textOf(subscription, "durable_name") || "-";
  return [
    printable(channel),
    printable(textOf(subscription, "client_id")) || "-",
    printable(name),
    stateOf(subscription),
    count(numberOf(subscription, "last_sent")),
    count(numberOf(subscription, "pending_count")),
    count(numberOf(subscription, "max_inflight")),
    `${numberOf(subscription, "ack_wait")}s`,
  ];
}

/** The subscriptions of a channel as `/streaming/channelsz` shows it. */
export function rowsOfChannel(channel: Fields): SubscriptionRow[] {
  return listOf(channel, "subscriptions").map((subscription) => ({ channel: textOf(channel, "name"), subscription }));
}

/** As JSON: the server's object, with the channel in front. */
export function rowJson({ channel, subscription }: SubscriptionRow): Fields {
  return { channel, ...subscription };
}

function stateOf(subscription: Fields): string {
  if (subscription["is_offline"] === true) return "offline";
  return subscription["is_stalled"] === true ? "stalled" : "live";
}
