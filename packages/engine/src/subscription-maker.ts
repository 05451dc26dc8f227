import type { SubscriptionRequest } from "@nats-streaming/protocol/stan";
import type { AckInboxes } from "./acks.ts";
import { type Channel, durableKey } from "./channel.ts";
import type { Client } from "./client.ts";
import type { Ending, EndingKind } from "./ending.ts";
import { createPendingAcks } from "./pending.ts";
import { groupKey, type QueueGroup } from "./queue-group.ts";
import { recordOf } from "./record.ts";
import type { Start } from "./start-position.ts";
import { resume, type Subscription } from "./subscription.ts";

/** Makes or resumes the subscription that an accepted request asks for; the record is in the store, not yet flushed. */
export interface SubscriptionMaker {
  /**
   * @param start undefined where the request joins or resumes something that has a position already.
   * @throws StoreError `too_many_subscriptions` and what else the store has to say; then nothing has changed
   */
  make(request: SubscriptionRequest, channel: Channel, client: Client, start: Start | undefined): MadeSubscription;
}

export interface MadeSubscription {
  readonly subscription: Subscription;
  /** For the log line: `Started new durable`, `Resumed durable queue`, … */
  readonly action: string;
  /** What the subscription was before, if it existed. */
  readonly former: FormerSubscription | undefined;
  /** How it ends if it cannot be made durable: what existed before it stays. */
  readonly undo: EndingKind;
}

type FormerSubscription = Pick<Subscription, "clientId" | "inbox" | "ackInbox" | "maxInFlight" | "ackWaitMillis">;

export function createSubscriptionMaker(options: {
  readonly inboxes: AckInboxes;
  /** A subject of the server's own that nothing else listens on. */
  readonly newAckInbox: () => string;
}): SubscriptionMaker {
  const { inboxes, newAckInbox } = options;

  const create = (
    request: SubscriptionRequest,
    channel: Channel,
    client: Client,
    lastSent: number,
    group: QueueGroup | undefined,
  ): Subscription => {
    channel.hasBeenSubscribed = true;
    const draft: Subscription = {
      id: 0,
      channel,
      group,
      durableName: group === undefined ? request.durableName : "",
      clientId: client.info.id,
      client,
      inbox: request.inbox,
      ackInbox: newAckInbox(),
      maxInFlight: request.maxInFlight,
      ackWaitMillis: request.ackWaitInSecs * 1000,
      state: "starting",
      ownerFailing: false,
      lastSent,
      pending: createPendingAcks(),
      held: new Set(),
      redeliveries: group?.redeliveries ?? new Map(),
      timer: undefined,
      timerDue: 0,
      loading: false,
    };
    const id = channel.store.subscriptions.create(recordOf(draft));
    const subscription: Subscription = { ...draft, id };
    client.subscriptions.add(subscription);
    inboxes.set(subscription.ackInbox, subscription);
    return subscription;
  };

  /** An offline durable, or what the last member of a group left, gets a new owner. Position and pending set stay. */
  const takeOver = (subscription: Subscription, request: SubscriptionRequest, client: Client): FormerSubscription => {
    const { clientId, inbox, ackInbox, maxInFlight, ackWaitMillis } = subscription;
    resume(subscription);
    subscription.clientId = client.info.id;
    subscription.client = client;
    subscription.inbox = request.inbox;
    subscription.ackInbox = newAckInbox();
    subscription.maxInFlight = request.maxInFlight;
    subscription.ackWaitMillis = request.ackWaitInSecs * 1000;
    subscription.channel.store.subscriptions.update(recordOf(subscription));
    client.subscriptions.add(subscription);
    inboxes.set(subscription.ackInbox, subscription);
    return { clientId, inbox, ackInbox, maxInFlight, ackWaitMillis };
  };

  const makeMember = (
    request: SubscriptionRequest,
    channel: Channel,
    client: Client,
    start: Start | undefined,
  ): MadeSubscription => {
    const key = groupKey(request);
    const existing = channel.groups.get(key);
    const kind = (existing?.isDurable ?? request.durableName !== "") ? "durable queue" : "queue";
    if (existing?.shadow !== undefined) {
      const subscription = existing.shadow;
      const former = takeOver(subscription, request, client);
      existing.shadow = undefined;
      existing.members.push(subscription);
      return { subscription, action: `Resumed ${kind}`, former, undo: "close" };
    }
    const group = existing ?? newGroup(channel, key, request.durableName !== "", start?.lastSent ?? 0);
    const subscription = create(request, channel, client, group.lastSent, group);
    channel.groups.set(key, group);
    group.members.push(subscription);
    if (existing !== undefined) {
      return { subscription, action: `Added member to ${kind}`, former: undefined, undo: "close" };
    }
    return { subscription, action: `Started new ${kind}`, former: undefined, undo: "unsubscribe" };
  };

  return {
    make(request, channel, client, start) {
      if (request.qGroup !== "") return makeMember(request, channel, client, start);
      const key = durableKey(client.info.id, request.durableName);
      const durable = request.durableName === "" ? undefined : channel.durables.get(key);
      if (durable !== undefined) {
        const former = takeOver(durable, request, client);
        channel.subscriptions.push(durable);
        return { subscription: durable, action: "Resumed durable", former, undo: "close" };
      }
      const subscription = create(request, channel, client, start?.lastSent ?? 0, undefined);
      channel.subscriptions.push(subscription);
      if (request.durableName === "") {
        return { subscription, action: "Started new", former: undefined, undo: "unsubscribe" };
      }
      channel.durables.set(key, subscription);
      return { subscription, action: "Started new durable", former: undefined, undo: "unsubscribe" };
    },
  };
}

function newGroup(channel: Channel, key: string, isDurable: boolean, lastSent: number): QueueGroup {
  return {
    channel,
    key,
    isDurable,
    members: [],
    shadow: undefined,
    lastSent,
    redeliveries: new Map(),
    onHold: false,
    loading: false,
  };
}

/**
 * Takes back what {@link SubscriptionMaker.make} did, after the store could not make it durable: a new subscription is
 * gone, a resumed one is offline as it was.
 */
export function undoSubscription(made: MadeSubscription, ending: Ending): void {
  const { subscription, former } = made;
  if (subscription.state === "ended" || subscription.state === "offline") return;
  ending(subscription, made.undo);
  if (former === undefined || !isOffline(subscription)) return;
  Object.assign(subscription, former);
  subscription.channel.store.subscriptions.update(recordOf(subscription));
}

function isOffline(subscription: Subscription): boolean {
  return subscription.state === "offline";
}
