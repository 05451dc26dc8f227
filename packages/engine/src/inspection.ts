import type { Clock } from "@nats-streaming/kernel";
import { byteStringToText } from "@nats-streaming/protocol";
import type { ChannelLimits, Store, StoreKind, StoreLimits } from "@nats-streaming/store";
import { type Channel, subscriptionsOf } from "./channel.ts";
import type { Channels } from "./channels.ts";
import type { Client } from "./client.ts";
import type { Clients } from "./clients.ts";
import { type BacklogInspector, createBacklogInspector, type InspectedBacklog } from "./inspection-backlog.ts";
import { type InspectedMessages, type MessageLimits, type MessageStart, readMessages } from "./inspection-messages.ts";
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
  /**
   * Counts what {@link subscriptionCount} and {@link totals} count in steps of `COUNTED_PER_STEP` channels, so that a
   * hundred thousand of them hold up nobody. What comes and goes between two steps may be counted or not.
   */
  counting(): Generator<void, InspectedCounts>;
  /** In byte order; the same array until a client comes or goes. */
  clientIds(): readonly string[];
  client(clientId: string): InspectedClient | undefined;
  /** Byte strings in byte order; the same array until a channel comes or goes. */
  channelNames(): readonly string[];
  /** @param name byte string */
  channel(name: string): InspectedChannel | undefined;
}

/** Of all channels. */
export interface InspectedCounts {
  readonly subscriptions: number;
  readonly messages: number;
  readonly bytes: number;
}

/** A tenth of a millisecond of work. */
export const COUNTED_PER_STEP: number = 512;

/** A client as it stands. */
export interface InspectedClient {
  readonly id: string;
  readonly heartbeatInbox: string;
  readonly subscriptionCount: number;
  /** Made when asked for. */
  subscriptions(): InspectedSubscription[];
  /** The same, each made as it is reached; some may come and go meanwhile. */
  eachSubscription(): IterableIterator<InspectedSubscription>;
}

/** A channel as it stands. */
export interface InspectedChannel {
  readonly name: string;
  readonly messages: number;
  readonly bytes: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly subscriptionCount: number;
  /** Plain and online durable ones, then offline durables, then queue members. Made when asked for. */
  subscriptions(): InspectedSubscription[];
  /** The same, each made as it is reached; some may come and go meanwhile. */
  eachSubscription(): IterableIterator<InspectedSubscription>;
  /** How far each subscription, and each queue group as a whole, is behind. Made when asked for. */
  backlogs(): InspectedBacklog[];
  /** In force for this channel, after inheritance; undefined when the store does not say. */
  limits(): ChannelLimits | undefined;
  /** Reads durable messages, from the disk where they are not in memory. @throws (rejects) StoreError */
  readMessages(start: MessageStart, limits: MessageLimits): Promise<InspectedMessages>;
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
  readonly clock: Clock;
  readonly clients: Clients;
  readonly channels: Channels;
  readonly statistics: Statistics;
}): Inspection {
  const { store, clients, channels, statistics } = options;
  const view: View = { ...options, backlogs: createBacklogInspector() };
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
    counting: () => countAll(channels),
    clientIds: () => clients.sortedIds(),
    client(clientId) {
      const client = clients.get(clientId);
      return client === undefined ? undefined : inspectClient(client);
    },
    channelNames: () => channels.sortedNames(),
    channel(name) {
      const channel = channels.byName(name);
      return channel === undefined ? undefined : inspectChannel(channel, view);
    },
  };
}

/** What looking at a channel takes besides the channel. */
interface View {
  readonly store: Store;
  readonly clock: Clock;
  readonly backlogs: BacklogInspector;
}

function inspectClient(client: Client): InspectedClient {
  return {
    id: client.info.id,
    heartbeatInbox: byteStringToText(client.info.hbInbox),
    subscriptionCount: client.subscriptions.size,
    subscriptions: () => [...inspectEach(client.subscriptions)],
    eachSubscription: () => inspectEach(client.subscriptions),
  };
}

function inspectChannel(channel: Channel, view: View): InspectedChannel {
  const log = channel.store.messages;
  return {
    name: byteStringToText(channel.name),
    messages: log.count,
    bytes: log.bytes,
    firstSequence: log.firstSequence,
    lastSequence: log.lastSequence,
    subscriptionCount: countSubscriptions(channel),
    subscriptions: () => [...inspectEach(subscriptionsOf(channel))],
    eachSubscription: () => inspectEach(subscriptionsOf(channel)),
    backlogs: () => view.backlogs.ofChannel(channel, view.clock.monotonicMillis()),
    limits: () => view.store.channelLimits(channel.name),
    readMessages: (start, limits) => readMessages(channel, start, limits),
  };
}

function* inspectEach(subscriptions: Iterable<Subscription>): IterableIterator<InspectedSubscription> {
  for (const subscription of subscriptions) yield inspectSubscription(subscription);
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

function* countAll(channels: Channels): Generator<void, InspectedCounts> {
  let subscriptions = 0;
  let messages = 0;
  let bytes = 0;
  let counted = 0;
  for (const channel of channels.all()) {
    subscriptions += countSubscriptions(channel);
    messages += channel.store.messages.count;
    bytes += channel.store.messages.bytes;
    if (++counted % COUNTED_PER_STEP === 0) yield;
  }
  return { subscriptions, messages, bytes };
}

function countSubscriptions(channel: Channel): number {
  // Asked of every channel at once: most have neither durables nor groups.
  let count = channel.subscriptions.length;
  if (channel.durables.size > 0) {
    for (const durable of channel.durables.values()) if (durable.state === "offline") count++;
  }
  if (channel.groups.size > 0) {
    for (const group of channel.groups.values()) count += group.members.length + (group.shadow === undefined ? 0 : 1);
  }
  return count;
}
