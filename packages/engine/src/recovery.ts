import type { Clock, Logger } from "@nats-streaming/kernel";
import { byteStringToText } from "@nats-streaming/protocol";
import type { RecoveredState, RecoveredSubscription } from "@nats-streaming/store";
import type { AckInboxes } from "./acks.ts";
import { type Channel, durableKey } from "./channel.ts";
import type { Channels } from "./channels.ts";
import type { Client } from "./client.ts";
import type { Clients } from "./clients.ts";
import { createPendingAcks } from "./pending.ts";
import type { QueueGroup } from "./queue-group.ts";
import { recordOf } from "./record.ts";
import type { Subscription } from "./subscription.ts";

export interface RecoveryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly clients: Clients;
  readonly channels: Channels;
  readonly inboxes: AckInboxes;
}

/**
 * Builds clients, channels and subscriptions from what an earlier server left.
 * @returns the active subscriptions; they are `starting`, for the caller to release once the server listens.
 * @see delivery.md 11.1
 */
export function rebuild(state: RecoveredState, options: RecoveryOptions): Subscription[] {
  for (const info of state.clients) options.clients.add(info);
  const active: Subscription[] = [];
  for (const [name, recovered] of state.channels) {
    const channel = options.channels.recover(name, recovered);
    for (const record of recovered.subscriptionStates) {
      const subscription = rebuildSubscription(record, channel, options);
      if (subscription !== undefined) active.push(subscription);
    }
    for (const group of channel.groups.values()) settleGroup(group);
  }
  return active;
}

function rebuildSubscription(
  record: RecoveredSubscription,
  channel: Channel,
  options: RecoveryOptions,
): Subscription | undefined {
  const { state } = record;
  const owner = options.clients.get(state.clientId);
  if (state.qGroup !== "") return rebuildMember(record, channel, owner, options);
  if (state.durableName !== "") {
    const isOffline = state.isClosed || owner === undefined;
    const subscription = build(record, channel, undefined, isOffline ? undefined : owner, options);
    channel.durables.set(durableKey(state.clientId, state.durableName), subscription);
    if (isOffline) {
      // Otherwise a later registration of that client ID would make the next server take it for active.
      if (!state.isClosed) channel.store.subscriptions.update(recordOf(subscription));
      return undefined;
    }
    channel.subscriptions.push(subscription);
    return subscription;
  }
  if (owner === undefined) {
    // Its client closed while the record of the removal was lost: nobody will ever ask for it.
    channel.store.subscriptions.delete(state.id);
    return undefined;
  }
  const subscription = build(record, channel, undefined, owner, options);
  channel.subscriptions.push(subscription);
  return subscription;
}

function rebuildMember(
  record: RecoveredSubscription,
  channel: Channel,
  owner: Client | undefined,
  options: RecoveryOptions,
): Subscription | undefined {
  const { state } = record;
  const isShadow = state.isDurable && state.clientId === "";
  if (owner === undefined && !isShadow) {
    if (state.isDurable) {
      const group = `[${byteStringToText(state.clientId)}]:[${byteStringToText(state.qGroup)}]`;
      options.logger.warn(
        `Not recovering ghost durable queue subscriber: ${group} subject=${byteStringToText(channel.name)} ` +
          `inbox=${byteStringToText(state.inbox)}`,
      );
    }
    channel.store.subscriptions.delete(state.id);
    return undefined;
  }
  let group = channel.groups.get(state.qGroup);
  if (group === undefined) {
    group = {
      channel,
      key: state.qGroup,
      isDurable: state.isDurable,
      members: [],
      shadow: undefined,
      lastSent: 0,
      redeliveries: new Map(),
      onHold: true,
      loading: false,
    };
    channel.groups.set(state.qGroup, group);
  }
  group.lastSent = Math.max(group.lastSent, state.lastSent);
  const subscription = build(record, channel, group, owner, options);
  if (!isShadow) {
    group.members.push(subscription);
    return subscription;
  }
  const former = group.shadow;
  if (former === undefined) {
    group.shadow = subscription;
  } else {
    options.logger.warn(
      `Several offline records of durable queue group ${byteStringToText(state.qGroup)} on channel ` +
        `${byteStringToText(channel.name)}: the one with the highest position is used`,
    );
    group.shadow = former.lastSent >= subscription.lastSent ? former : subscription;
    merge(group.shadow === former ? subscription : former, group.shadow);
  }
  return undefined;
}

/** With members present, an offline record is a left-over; without anything pending, nothing is on hold. */
function settleGroup(group: QueueGroup): void {
  const [first] = group.members;
  if (first !== undefined && group.shadow !== undefined) {
    merge(group.shadow, first);
    group.shadow = undefined;
  }
  group.onHold = group.members.some((member) => member.pending.size > 0);
}

/** Drops a surplus record of a group; what it has pending goes to `heir`: rather delivered twice than not at all. */
function merge(dropped: Subscription, heir: Subscription): void {
  const { subscriptions } = heir.channel.store;
  for (const { sequence, deadline } of dropped.pending.due(Number.POSITIVE_INFINITY)) {
    heir.pending.add(sequence, deadline);
    heir.lastSent = Math.max(heir.lastSent, sequence);
    subscriptions.addPending(heir.id, sequence);
  }
  subscriptions.delete(dropped.id);
}

function build(
  record: RecoveredSubscription,
  channel: Channel,
  group: QueueGroup | undefined,
  owner: Client | undefined,
  options: RecoveryOptions,
): Subscription {
  const { state } = record;
  channel.hasBeenSubscribed = true;
  const subscription: Subscription = {
    id: state.id,
    channel,
    group,
    durableName: group === undefined ? state.durableName : "",
    clientId: state.clientId,
    client: owner,
    inbox: state.inbox,
    ackInbox: state.ackInbox,
    maxInFlight: state.maxInFlight,
    ackWaitMillis: state.ackWaitInSecs * 1000,
    state: owner === undefined ? "offline" : "starting",
    ownerFailing: false,
    lastSent: state.lastSent,
    pending: createPendingAcks(),
    held: new Set(),
    redeliveries: group?.redeliveries ?? new Map(),
    timer: undefined,
    timerDue: 0,
    loading: false,
  };
  const now = options.clock.monotonicMillis();
  // When they were sent is not known; the first pass finds out when they were stored.
  for (const sequence of record.pending) subscription.pending.add(sequence, now);
  // Otherwise counts begin anew, as after a restart of the original.
  if (channel.redeliveryRule !== undefined) {
    for (const [sequence, count] of record.redeliveries ?? []) subscription.redeliveries.set(sequence, count);
  }
  if (owner !== undefined) {
    owner.subscriptions.add(subscription);
    options.inboxes.set(subscription.ackInbox, subscription);
  }
  return subscription;
}
