import { byteStringToText } from "@nats-streaming/protocol";
import type { Store, StoreKind, StoreLimits } from "@nats-streaming/store";
import { type Channel, subscriptionsOf } from "./channel.ts";
import type { Channels } from "./channels.ts";
import type { Client } from "./client.ts";
import type { Clients } from "./clients.ts";
import type { Statistics } from "./statistics.ts";
import type { Subscription } from "./subscription.ts";

/** What monitoring may look at. Everything is a copy; names are texts for people. */
export interface Inspection {
  readonly storeKind: StoreKind;
  readonly limits: StoreLimits;
  readonly statistics: Readonly<Statistics>;
  readonly clientCount: number;
  readonly channelCount: number;
  /** All subscriptions, offline durables and offline durable groups included; each of the latter once. */
  subscriptionCount(): number;
  totals(): { readonly messages: number; readonly bytes: number };
  /** In byte order; the same array until a client comes or goes. */
  clientIds(): readonly string[];
  client(clientId: string): InspectedClient | undefined;
  /** Byte strings in byte order; the same array until a channel comes or goes. */
  channelNames(): readonly string[];
  /** @param name byte string */
  channel(name: string): InspectedChannel | undefined;
}

export interface InspectedClient {
  readonly id: string;
  readonly heartbeatInbox: string;
  readonly subscriptionCount: number;
  /** Made when asked for. */
  subscriptions(): InspectedSubscription[];
}

export interface InspectedChannel {
  readonly name: string;
  readonly messages: number;
  readonly bytes: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly subscriptionCount: number;
  /** Plain and online durable ones, then offline durables, then queue members. Made when asked for. */
  subscriptions(): InspectedSubscription[];
}

/** @see monitoring.md 7 */
export interface InspectedSubscription {
  readonly channel: string;
  readonly clientId: string;
  readonly inbox: string;
  readonly ackInbox: string;
  readonly durableName: string;
  readonly queueName: string;
  readonly isDurable: boolean;
  readonly isOffline: boolean;
  readonly maxInFlight: number;
  readonly ackWaitSeconds: number;
  readonly lastSent: number;
  readonly pendingCount: number;
  readonly isStalled: boolean;
}

export function createInspection(options: {
  readonly store: Store;
  readonly clients: Clients;
  readonly channels: Channels;
  readonly statistics: Statistics;
}): Inspection {
  const { store, clients, channels, statistics } = options;
  return {
    storeKind: store.kind,
    get limits() {
      return store.limits;
    },
    statistics,
    get clientCount() {
      return clients.size;
    },
    get channelCount() {
      return channels.size;
    },
    subscriptionCount() {
      let count = 0;
      for (const channel of channels.all()) count += countSubscriptions(channel);
      return count;
    },
    totals: () => store.totals(),
    clientIds: () => clients.sortedIds(),
    client(clientId) {
      const client = clients.get(clientId);
      return client === undefined ? undefined : inspectClient(client);
    },
    channelNames: () => channels.sortedNames(),
    channel(name) {
      const channel = channels.byName(name);
      return channel === undefined ? undefined : inspectChannel(channel);
    },
  };
}

function inspectClient(client: Client): InspectedClient {
  return {
    id: client.info.id,
    heartbeatInbox: byteStringToText(client.info.hbInbox),
    subscriptionCount: client.subscriptions.size,
    subscriptions: () => [...client.subscriptions].map(inspectSubscription),
  };
}

function inspectChannel(channel: Channel): InspectedChannel {
  const log = channel.store.messages;
  return {
    name: byteStringToText(channel.name),
    messages: log.count,
    bytes: log.bytes,
    firstSequence: log.firstSequence,
    lastSequence: log.lastSequence,
    subscriptionCount: countSubscriptions(channel),
    subscriptions: () => [...subscriptionsOf(channel)].map(inspectSubscription),
  };
}

function inspectSubscription(subscription: Subscription): InspectedSubscription {
  const { channel, group } = subscription;
  return {
    channel: byteStringToText(channel.name),
    clientId: byteStringToText(subscription.clientId),
    inbox: byteStringToText(subscription.inbox),
    ackInbox: byteStringToText(subscription.ackInbox),
    durableName: byteStringToText(subscription.durableName),
    queueName: byteStringToText(group?.key ?? ""),
    isDurable: group?.isDurable ?? subscription.durableName !== "",
    isOffline: subscription.state === "offline",
    maxInFlight: subscription.maxInFlight,
    ackWaitSeconds: subscription.ackWaitMillis / 1000,
    lastSent: subscription.lastSent,
    pendingCount: subscription.pending.size,
    isStalled: subscription.pending.size >= subscription.maxInFlight,
  };
}

function countSubscriptions(channel: Channel): number {
  let count = channel.subscriptions.length;
  for (const durable of channel.durables.values()) if (durable.state === "offline") count++;
  for (const group of channel.groups.values()) count += group.members.length + (group.shadow === undefined ? 0 : 1);
  return count;
}
