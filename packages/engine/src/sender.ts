import { type Bus, BusError, type Clock, type Logger } from "@nats-streaming/kernel";
import { byteStringToText } from "@nats-streaming/protocol";
import { appendRedelivery, REDELIVERY_SIZE_MAX } from "@nats-streaming/protocol/stan";
import type { StoredMessage } from "@nats-streaming/store";
import { recordOf } from "./record.ts";
import type { Statistics } from "./statistics.ts";
import type { Subscription } from "./subscription.ts";

export interface SenderOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly statistics: Statistics;
  /** The timer of a subscription fired. */
  readonly onTimer: (subscription: Subscription) => void;
}

/** Puts messages on their way to one subscription and keeps its timer. Decides nothing. */
export interface Sender {
  /** Sends a message for the first time. @returns false when it could not be sent: then nothing has changed. */
  send(subscription: Subscription, sequence: number, message: StoredMessage, now: number): boolean;
  /** Sends a message again, whatever is pending; pending set and timer are the caller's. */
  resend(subscription: Subscription, sequence: number, message: StoredMessage, count: number): boolean;
  /** Makes the timer fire at `due` at the latest (monotonic milliseconds). */
  armBy(subscription: Subscription, due: number): void;
}

export function createSender(options: SenderOptions): Sender {
  const { bus, clock, logger, statistics } = options;
  let scratch = new Uint8Array(4096);

  const armBy = (subscription: Subscription, due: number): void => {
    if (subscription.timer !== undefined) {
      if (subscription.timerDue <= due) return;
      subscription.timer.cancel();
    }
    subscription.timerDue = due;
    subscription.timer = clock.setTimer(due - clock.monotonicMillis(), () => {
      subscription.timer = undefined;
      options.onTimer(subscription);
    });
  };

  const publish = (subscription: Subscription, bytes: Uint8Array, start: number, end: number): boolean => {
    try {
      bus.publish(subscription.inbox, bytes, "", start, end);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (logger.debugEnabled) {
        logger.debug(
          `[Client:${subscription.clientId}] Unable to send to subid=${subscription.id}, ` +
            `inbox=${byteStringToText(subscription.inbox)}: ${error.message}`,
        );
      }
      return false;
    }
    statistics.outMessages++;
    statistics.outBytes += end - start;
    return true;
  };

  const trace = (subscription: Subscription, verb: string, sequence: number): void => {
    logger.trace(
      `[Client:${subscription.clientId}] ${verb} msg to subid=${subscription.id}, ` +
        `subject=${byteStringToText(subscription.channel.name)}, seq=${sequence}`,
    );
  };

  return {
    armBy,
    send(subscription, sequence, message, now) {
      if (logger.traceEnabled) trace(subscription, "Delivering", sequence);
      // Recorded first: a subscriber in this very process may acknowledge before `publish` returns.
      const deadline = now + subscription.ackWaitMillis;
      const { lastSent, id, channel } = subscription;
      subscription.pending.add(sequence, deadline);
      if (sequence > lastSent) subscription.lastSent = sequence;
      channel.store.subscriptions.addPending(id, sequence);
      if (!publish(subscription, message.bytes, message.start, message.end)) {
        subscription.pending.remove(sequence);
        subscription.lastSent = lastSent;
        channel.store.subscriptions.ackPending(id, sequence);
        // The store has moved the position along with the pending set: behind it nothing is delivered after a restart.
        channel.store.subscriptions.update(recordOf(subscription));
        return false;
      }
      if (subscription.timer === undefined) armBy(subscription, deadline);
      return true;
    },
    resend(subscription, sequence, message, count) {
      if (logger.traceEnabled) trace(subscription, "Redelivering", sequence);
      const size = message.end - message.start;
      if (size + REDELIVERY_SIZE_MAX > scratch.length) scratch = new Uint8Array((size + REDELIVERY_SIZE_MAX) * 2);
      scratch.set(message.bytes.subarray(message.start, message.end));
      if (!publish(subscription, scratch, 0, appendRedelivery(scratch, size, count))) return false;
      statistics.redelivered++;
      return true;
    },
  };
}
