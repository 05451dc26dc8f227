import type { Clock, Logger, Timestamp } from "@nats-streaming/kernel";
import { byteStringToText } from "@nats-streaming/protocol";
import { readMsgProtoTime } from "@nats-streaming/protocol/stan";
import { LOOKUP_COLD, LOOKUP_NONE, type StoredMessage } from "@nats-streaming/store";
import { type Delivery, LOAD_MESSAGES } from "./delivery.ts";
import type { DueMessage } from "./pending.ts";
import { pickMember } from "./queue-group.ts";
import type { Sender } from "./sender.ts";
import { isActive, releaseIfRoom, type Subscription, stallIfFull } from "./subscription.ts";

/**
 * The life of an unacknowledged message:
 *
 * ```text
 *  sent            ack wait         ack wait          ack wait
 *   ├───────────────▶├───────────────▶├────────────────▶├──▶ …      the cadence keeps its phase
 *   │                redelivered 1    redelivered 2     redelivered 3
 *   └─ ack at any time: gone from the pending set, its count forgotten
 * ```
 *
 * One timer per subscription, at the earliest deadline; what is due within {@link GROUPING_MILLIS} goes along.
 * A redelivery ignores max in flight. A queue member's message may go to another member, which then owns it.
 *
 * @see delivery.md 7
 */
export interface Redelivery {
  /** The timer of a subscription fired. */
  onTimer(subscription: Subscription): void;
  /**
   * Redelivers everything that is pending to the subscription itself, in ascending order, whatever is due or in flight;
   * for the resume of a durable or of an offline durable group.
   */
  everything(subscription: Subscription): Promise<void>;
  /**
   * The first pass after a restart of the server: when a message was sent is not known, so its deadline counts from when
   * it was stored. What is due stays with the subscription even in a queue group.
   * @see delivery.md 11.2
   */
  recovered(subscription: Subscription): Promise<void>;
  /** Acknowledges on behalf of the client: the message is gone, or has another owner. */
  acknowledgeFor(subscription: Subscription, sequence: number): void;
}

export interface RedeliveryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sender: Sender;
  readonly delivery: Delivery;
}

/** A message due this soon is redelivered along with one that is due now. @see delivery.md 7.2 */
export const GROUPING_MILLIS = 15;

export function createRedelivery(options: RedeliveryOptions): Redelivery {
  const { clock, logger, sender, delivery } = options;
  const message: StoredMessage = { bytes: new Uint8Array(0), start: 0, end: 0 };
  const wall: Timestamp = { millis: 0, nanos: 0 };
  const stored: Timestamp = { millis: 0, nanos: 0 };

  const acknowledgeFor = (subscription: Subscription, sequence: number): void => {
    if (!subscription.pending.remove(sequence)) return;
    subscription.channel.store.subscriptions.ackPending(subscription.id, sequence);
    if (releaseIfRoom(subscription)) deliver(subscription);
  };

  const deliver = (subscription: Subscription): void => {
    if (subscription.group === undefined) delivery.toSubscription(subscription);
    else delivery.toGroup(subscription.group);
  };

  /** Brings a message into memory; false when it cannot be read now. */
  const load = async (subscription: Subscription, sequence: number): Promise<boolean> => {
    try {
      await subscription.channel.store.messages.load(sequence, LOAD_MESSAGES);
      return true;
    } catch (error) {
      logger.error(
        `Error getting message for redelivery subid=${subscription.id}, seq=${sequence}, err=${(error as Error).message}`,
      );
      return false;
    }
  };

  /** Sends one pending message again, to whom the rules choose. The message has been looked up. */
  const redeliver = (subscription: Subscription, sequence: number, deadline: number, stay: boolean): void => {
    const { group } = subscription;
    const target = group === undefined || stay ? subscription : (pickMember(group, true) ?? subscription);
    const count = ((target.redeliveries.get(sequence) ?? 0) + 1) >>> 0;
    target.redeliveries.set(sequence, count);
    if (logger.traceEnabled) logger.trace(`Redelivering to subid=${target.id}, seq=${sequence}`);
    if (target === subscription) {
      target.pending.add(sequence, deadline + target.ackWaitMillis);
      sender.resend(target, sequence, message, count);
      return;
    }
    // First added there, then removed here: a crash in between redelivers once too often rather than never.
    const due = clock.monotonicMillis() + target.ackWaitMillis;
    target.pending.add(sequence, due);
    if (sequence > target.lastSent) target.lastSent = sequence;
    target.channel.store.subscriptions.addPending(target.id, sequence);
    stallIfFull(target);
    sender.armBy(target, due);
    sender.resend(target, sequence, message, count);
    acknowledgeFor(subscription, sequence);
  };

  /** Goes through messages, waiting only for those that are not in memory. */
  const walk = (subscription: Subscription, due: readonly DueMessage[], stay: boolean): Promise<void> | undefined => {
    const log = subscription.channel.store.messages;
    for (let i = 0; i < due.length; i++) {
      const { sequence, deadline } = due[i]!;
      if (subscription.state === "ended" || subscription.state === "offline") return undefined;
      // Acknowledged, or moved, since the list was made.
      if (subscription.pending.deadlineOf(sequence) !== deadline) continue;
      const found = log.lookup(sequence, message);
      if (found === LOOKUP_NONE) {
        acknowledgeFor(subscription, sequence);
        continue;
      }
      if (found === LOOKUP_COLD) {
        const rest = due.slice(i);
        return load(subscription, sequence).then((loaded) => walk(subscription, loaded ? rest : rest.slice(1), stay));
      }
      redeliver(subscription, sequence, deadline, stay);
    }
    return undefined;
  };

  const rearm = (subscription: Subscription): void => {
    if (subscription.state === "ended" || subscription.state === "offline") return;
    const next = subscription.pending.nextDeadline;
    if (next === undefined) return;
    const now = clock.monotonicMillis();
    sender.armBy(subscription, next > now ? next : now + subscription.ackWaitMillis);
  };

  const pass = (subscription: Subscription, stay: boolean): Promise<void> | undefined => {
    const now = clock.monotonicMillis();
    const waits = walk(subscription, subscription.pending.due(now + GROUPING_MILLIS), stay);
    if (waits === undefined) rearm(subscription);
    else return waits.then(() => rearm(subscription));
    return undefined;
  };

  /** Gives pending messages the deadline that follows from when they were stored. */
  const setDeadlines = (subscription: Subscription, sequences: readonly number[]): Promise<void> | undefined => {
    const log = subscription.channel.store.messages;
    clock.read(wall);
    const now = clock.monotonicMillis();
    for (let i = 0; i < sequences.length; i++) {
      const sequence = sequences[i]!;
      const found = log.lookup(sequence, message);
      if (found === LOOKUP_COLD) {
        const rest = sequences.slice(i);
        return load(subscription, sequence).then((loaded) => setDeadlines(subscription, loaded ? rest : rest.slice(1)));
      }
      if (found === LOOKUP_NONE) {
        acknowledgeFor(subscription, sequence);
        continue;
      }
      readMsgProtoTime(message.bytes, message.start, message.end, stored);
      const age = wall.millis - stored.millis + (wall.nanos - stored.nanos) / 1e6;
      subscription.pending.add(sequence, now - age + subscription.ackWaitMillis);
    }
    return undefined;
  };

  return {
    acknowledgeFor,
    onTimer(subscription) {
      if (!isActive(subscription) || subscription.pending.size === 0) return;
      if (subscription.group === undefined && subscription.ownerFailing) {
        if (logger.debugEnabled) {
          logger.debug(
            `[Client:${subscription.clientId}] Skipping redelivery to subid=${subscription.id} due to missed client heartbeat`,
          );
        }
        sender.armBy(subscription, clock.monotonicMillis() + subscription.ackWaitMillis);
        return;
      }
      void pass(subscription, false);
    },
    async everything(subscription) {
      if (subscription.pending.size === 0) return;
      if (logger.debugEnabled) {
        const name = subscription.durableName === "" ? "" : `, durable=${byteStringToText(subscription.durableName)}`;
        logger.debug(`[Client:${subscription.clientId}] Redelivering to subid=${subscription.id}${name}`);
      }
      // Counting the wait from now rather than from the former send is what keeps a later, shorter ack wait in force.
      const now = clock.monotonicMillis();
      subscription.pending.postpone(now);
      await walk(subscription, subscription.pending.due(now), true);
      rearm(subscription);
    },
    async recovered(subscription) {
      await setDeadlines(subscription, subscription.pending.sequences());
      await pass(subscription, true);
    },
  };
}
