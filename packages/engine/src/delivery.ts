import type { Clock, Logger } from "@nats-streaming/kernel";
import { byteStringToText } from "@nats-streaming/protocol";
import { LOOKUP_COLD, LOOKUP_FOUND, type MessageLog, type StoredMessage } from "@nats-streaming/store";
import type { Channel } from "./channel.ts";
import { hasRoom, pickMember, type QueueGroup } from "./queue-group.ts";
import type { Sender } from "./sender.ts";
import { type Subscription, stallIfFull } from "./subscription.ts";

/**
 * Sends new messages: those above a subscription's position, strictly in order, up to what is flushed, as long as it is
 * live. Live delivery never awaits; only what is not in memory is brought there first.
 *
 * @see delivery.md 4 and 5
 */
export interface Delivery {
  /** A batch of this channel was flushed. */
  toChannel(channel: Channel): void;
  toSubscription(subscription: Subscription): void;
  toGroup(group: QueueGroup): void;
}

export interface DeliveryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sender: Sender;
}

/** How many messages are asked for when a subscription has to be served from a log that is not in memory. */
export const LOAD_MESSAGES = 256;

const NOTHING = -1;
const COLD = -2;

export function createDelivery(options: DeliveryOptions): Delivery {
  const { clock, logger, sender } = options;
  const message: StoredMessage = { bytes: new Uint8Array(0), start: 0, end: 0 };
  /** Which sequence a look-up that ended with COLD stopped at. */
  let coldSequence = 0;

  /**
   * Finds the first message from `from` on. Gaps, what limits have removed, and what a store gives as empty are skipped;
   * nothing above what is flushed is seen.
   */
  const next = (channel: Channel, log: MessageLog, from: number): number => {
    let sequence = Math.max(from, log.firstSequence);
    for (; sequence <= channel.flushedSequence; sequence++) {
      const found = log.lookup(sequence, message);
      if (found === LOOKUP_FOUND && message.start < message.end) return sequence;
      if (found === LOOKUP_COLD) {
        coldSequence = sequence;
        return COLD;
      }
    }
    return NOTHING;
  };

  const load = (channel: Channel, target: { loading: boolean }, again: () => void): void => {
    const sequence = coldSequence;
    target.loading = true;
    channel.store.messages.load(sequence, LOAD_MESSAGES).then(
      () => {
        target.loading = false;
        again();
      },
      (error: Error) => {
        // The next trigger tries again; what is pending stays pending.
        target.loading = false;
        logger.error(`Error looking up message ${byteStringToText(channel.name)}:${sequence} (${error.message})`);
      },
    );
  };

  const toSubscription = (subscription: Subscription): void => {
    if (subscription.state !== "live" || subscription.loading) return;
    const { channel } = subscription;
    const log = channel.store.messages;
    if (subscription.lastSent >= channel.flushedSequence) return;
    const now = clock.monotonicMillis();
    while (subscription.state === "live") {
      const sequence = next(channel, log, subscription.lastSent + 1);
      if (sequence === COLD) {
        load(channel, subscription, () => toSubscription(subscription));
        return;
      }
      if (sequence === NOTHING) {
        // Whatever was skipped is gone for good.
        subscription.lastSent = Math.max(subscription.lastSent, channel.flushedSequence);
        return;
      }
      if (!sender.send(subscription, sequence, message, now)) return;
      stallIfFull(subscription);
    }
  };

  const toGroup = (group: QueueGroup): void => {
    if (group.onHold || group.loading) return;
    const { channel } = group;
    if (group.lastSent >= channel.flushedSequence) return;
    const log = channel.store.messages;
    const now = clock.monotonicMillis();
    while (hasRoom(group)) {
      const sequence = next(channel, log, group.lastSent + 1);
      if (sequence === COLD) {
        load(channel, group, () => toGroup(group));
        return;
      }
      if (sequence === NOTHING) {
        group.lastSent = Math.max(group.lastSent, channel.flushedSequence);
        return;
      }
      const member = pickMember(group, false);
      if (member === undefined) return;
      const { lastSent } = group;
      group.lastSent = sequence;
      if (!sender.send(member, sequence, message, now)) {
        group.lastSent = lastSent;
        return;
      }
      stallIfFull(member);
    }
  };

  return {
    toSubscription,
    toGroup,
    toChannel(channel) {
      const { subscriptions } = channel;
      for (let i = 0; i < subscriptions.length; i++) {
        const subscription = subscriptions[i]!;
        toSubscription(subscription);
        // A subscriber in this very process may have ended it before `publish` returned: then the next one moved up.
        if (subscriptions[i] !== subscription) i--;
      }
      for (const group of channel.groups.values()) toGroup(group);
    },
  };
}
