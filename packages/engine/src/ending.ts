import type { Clock, Logger } from "@nats-streaming/kernel";
import type { AckInboxes } from "./acks.ts";
import { type Channel, durableKey } from "./channel.ts";
import type { Inactivity } from "./inactivity.ts";
import type { QueueGroup } from "./queue-group.ts";
import { recordOf } from "./record.ts";
import type { Sender } from "./sender.ts";
import { end, goOffline, type Subscription, stallIfFull } from "./subscription.ts";
import { subscriptionLine } from "./subscription-line.ts";

/** Whether what a subscription leaves behind is forgotten, where there is a choice. @see delivery.md 10 */
export type EndingKind = "unsubscribe" | "close";

/**
 * Ends subscriptions: plain ones are gone, durables go offline unless they are unsubscribed, a queue member hands its
 * pending messages to the others. The store is told, and not flushed: that is the caller's.
 */
export type Ending = (subscription: Subscription, kind: EndingKind) => void;

export interface EndingOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sender: Sender;
  readonly inactivity: Inactivity;
  readonly inboxes: AckInboxes;
}

/** When the members that inherit a leaving member's messages get them redelivered. @see delivery.md 8.5 */
const HANDED_OVER_MILLIS = 100;

export function createEnding(options: EndingOptions): Ending {
  const { clock, logger, sender, inactivity, inboxes } = options;

  const log = (subscription: Subscription, action: string): void => {
    if (logger.debugEnabled) logger.debug(subscriptionLine(action, subscription));
  };

  const removePlain = (subscription: Subscription): void => {
    end(subscription);
    subscription.channel.store.subscriptions.delete(subscription.id);
    log(subscription, "Removed");
  };

  const endDurable = (subscription: Subscription, kind: EndingKind): void => {
    const { channel } = subscription;
    if (kind === "close") {
      goOffline(subscription);
      channel.store.subscriptions.update(recordOf(subscription));
      log(subscription, "Suspended durable");
      return;
    }
    channel.durables.delete(durableKey(subscription.clientId, subscription.durableName));
    end(subscription);
    channel.store.subscriptions.delete(subscription.id);
    log(subscription, "Removed durable");
  };

  const endMember = (subscription: Subscription, group: QueueGroup, kind: EndingKind): void => {
    const { channel } = subscription;
    const kindName = group.isDurable ? "durable queue" : "queue";
    group.members.splice(group.members.indexOf(subscription), 1);
    if (group.members.length > 0) {
      end(subscription);
      handOver(subscription, group);
      channel.store.subscriptions.delete(subscription.id);
      log(subscription, `Removed member from ${kindName}`);
      return;
    }
    if (group.isDurable && kind === "close") {
      goOffline(subscription);
      subscription.lastSent = group.lastSent;
      group.shadow = subscription;
      channel.store.subscriptions.update(recordOf(subscription));
      log(subscription, `Suspended ${kindName}`);
      return;
    }
    channel.groups.delete(group.key);
    end(subscription);
    channel.store.subscriptions.delete(subscription.id);
    log(subscription, `Removed ${kindName}`);
  };

  /** Gives a leaving member's pending messages to the others in turn; who finally gets each is decided when it is sent. */
  const handOver = (leaving: Subscription, group: QueueGroup): void => {
    const { channel } = group;
    const now = clock.monotonicMillis();
    const due = now + HANDED_OVER_MILLIS;
    let turn = 0;
    for (const { sequence } of leaving.pending.due(Number.POSITIVE_INFINITY)) {
      const heir = group.members[turn++ % group.members.length]!;
      heir.pending.add(sequence, now);
      if (sequence > heir.lastSent) heir.lastSent = sequence;
      channel.store.subscriptions.addPending(heir.id, sequence);
      stallIfFull(heir);
      sender.armBy(heir, due);
    }
    leaving.pending.clear();
    const first = group.members[0]!;
    if (!group.members.some((member) => member.lastSent >= group.lastSent)) {
      // Nobody else's record holds the group's position any more.
      first.lastSent = group.lastSent;
      channel.store.subscriptions.update(recordOf(first));
    }
  };

  return (subscription, kind) => {
    const { channel, group } = subscription;
    subscription.client?.subscriptions.delete(subscription);
    inboxes.delete(subscription.ackInbox);
    if (group !== undefined) {
      endMember(subscription, group, kind);
    } else {
      removeFrom(channel, subscription);
      if (subscription.durableName === "") removePlain(subscription);
      else endDurable(subscription, kind);
    }
    inactivity.watch(channel);
  };
}

function removeFrom(channel: Channel, subscription: Subscription): void {
  const at = channel.subscriptions.indexOf(subscription);
  if (at >= 0) channel.subscriptions.splice(at, 1);
}
