import type { Clock, Logger, Sequence } from "@nats-streaming/kernel";
import { byteStringToText, textToByteString } from "@nats-streaming/protocol";
import { msgProtoView, readMsgProto } from "@nats-streaming/protocol/stan";
import { type StoredMessage, StoreError } from "@nats-streaming/store";
import { type Channels, quote } from "./channels.ts";
import type { CommitQueue } from "./commit.ts";
import type { RedeliveryRule } from "./redelivery-rule.ts";
import type { Stamper } from "./stamper.ts";
import type { Subscription } from "./subscription.ts";

/** Takes messages that were redelivered as often as their channel's rule allows. */
export interface DeadLetters {
  /**
   * Publishes the message to the rule's channel and, once that is durable, acknowledges it for the subscription. Until
   * then it is not redelivered. Where it cannot be published it stays pending, and is tried again after the ack wait.
   */
  take(subscription: Subscription, sequence: number, message: StoredMessage, rule: RedeliveryRule): void;
}

export interface DeadLettersOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly channels: () => Channels;
  readonly commit: () => CommitQueue;
  readonly stampFor: Stamper;
  /** Acknowledges on behalf of the client. */
  readonly acknowledgeFor: (subscription: Subscription, sequence: number) => void;
}

export function createDeadLetters(options: DeadLettersOptions): DeadLetters {
  const { clock, logger, stampFor } = options;
  const view = msgProtoView();

  const later = (subscription: Subscription, sequence: number, rule: RedeliveryRule, reason: string): void => {
    logger.error(
      `[Client:${subscription.clientId}] Unable to move message subject=${byteStringToText(subscription.channel.name)}, ` +
        `seq=${sequence} to dead-letter channel ${quote(textToByteString(rule.deadLetter))}: ${reason}`,
    );
    if (!subscription.pending.has(sequence)) return;
    subscription.pending.add(sequence, clock.monotonicMillis() + subscription.ackWaitMillis);
  };

  return {
    take(subscription, sequence, message, rule) {
      const found = options.channels().findOrCreate(textToByteString(rule.deadLetter));
      if (found.kind === "refused") {
        later(subscription, sequence, rule, byteStringToText(found.message));
        return;
      }
      const { channel } = found;
      const log = channel.store.messages;
      readMsgProto(view, message.bytes, message.start, message.end);
      const { replyStart, replyEnd, dataStart, dataEnd } = view;
      const copy = { bytes: message.bytes, replyStart, replyEnd, dataStart, dataEnd };
      try {
        log.append((log.lastSequence + 1) as Sequence, copy, stampFor(channel));
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        later(subscription, sequence, rule, error.message);
        return;
      }
      subscription.pending.add(sequence, Number.POSITIVE_INFINITY);
      const commit = options.commit();
      commit.touch(channel);
      commit.whenDurable(
        () => {
          logger.warn(
            `[Client:${subscription.clientId}] Message subject=${byteStringToText(subscription.channel.name)}, ` +
              `seq=${sequence} moved to dead-letter channel ${quote(channel.name)} after ${rule.maxRedeliveries} redeliveries`,
          );
          subscription.redeliveries.delete(sequence);
          options.acknowledgeFor(subscription, sequence);
        },
        (error) => later(subscription, sequence, rule, error.message),
      );
    },
  };
}
