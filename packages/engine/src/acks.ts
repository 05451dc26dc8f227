import type { BusMessage, Logger } from "@nats-streaming/kernel";
import { byteString, byteStringToText, WireFault, wireFaultText } from "@nats-streaming/protocol";
import { decodeCtrlMsg } from "@nats-streaming/protocol/spb";
import { ackView, readAck } from "@nats-streaming/protocol/stan";
import type { Channels } from "./channels.ts";
import type { Delivery } from "./delivery.ts";
import { rangeEquals } from "./range-equals.ts";
import type { Redelivery } from "./redelivery.ts";
import { releaseIfRoom, type Subscription } from "./subscription.ts";

/** Subscriptions by their ack inbox. */
export type AckInboxes = Map<string, Subscription>;

export interface AckOptions {
  readonly logger: Logger;
  readonly channels: Channels;
  readonly delivery: Delivery;
  readonly redelivery: Redelivery;
  readonly inboxes: AckInboxes;
}

/**
 * Handles acknowledgements. The subscription is the one whose ack inbox the message came on; an ack on an inbox that
 * nobody owns any more is lost, as if nobody listened.
 *
 * @see protocol.md 11, delivery.md 6
 */
export function createAckHandler(options: AckOptions): (message: BusMessage) => void {
  const { logger, channels, delivery, inboxes } = options;
  const view = ackView();

  const acknowledge = (subscription: Subscription, sequence: number): void => {
    const { group } = subscription;
    if (logger.traceEnabled) {
      logger.trace(
        `[Client:${subscription.clientId}] Processing ack for subid=${subscription.id}, ` +
          `subject=${byteStringToText(subscription.channel.name)}, seq=${sequence}`,
      );
    }
    if (remove(subscription, sequence) || group === undefined) {
      if (subscription.held.size > 0) options.redelivery.held(subscription);
      if (releaseIfRoom(subscription)) {
        if (group === undefined) delivery.toSubscription(subscription);
        else delivery.toGroup(group);
      }
      return;
    }
    // A late acknowledgement of what has moved to another member counts, and makes room there.
    for (const member of group.members) {
      if (!remove(member, sequence)) continue;
      if (releaseIfRoom(member)) delivery.toGroup(group);
      return;
    }
  };

  return (message) => {
    const subscription = inboxes.get(message.subject);
    if (subscription === undefined) return;
    const fault = readAck(view, message.bytes, message.start, message.end);
    if (fault !== WireFault.none) {
      // The servers' own control messages are dropped without a word, as the original does.
      if (decodeCtrlMsg(message.bytes, message.start, message.end).kind === "ok") return;
      logger.error(`Unable to unmarshal Ack: ${wireFaultText(fault)}`);
      return;
    }
    if (!rangeEquals(message.bytes, view.subjectStart, view.subjectEnd, subscription.channel.nameBytes)) {
      if (channels.get(message.bytes, view.subjectStart, view.subjectEnd) === undefined) {
        const channel = byteStringToText(byteString(message.bytes, view.subjectStart, view.subjectEnd));
        logger.error(`Unable to process ack seq=${view.sequence}, channel ${channel} not found`);
      }
      return;
    }
    acknowledge(subscription, view.sequence);
  };
}

function remove(subscription: Subscription, sequence: number): boolean {
  if (!subscription.pending.remove(sequence)) return false;
  subscription.channel.store.subscriptions.ackPending(subscription.id, sequence);
  if (subscription.redeliveries.size > 0) subscription.redeliveries.delete(sequence);
  if (subscription.held.size > 0) subscription.held.delete(sequence);
  return true;
}
