import type { Clock, Logger, Timestamp } from "@nats-streaming/kernel";
import { byteStringToText } from "@nats-streaming/protocol";
import { readMsgProtoTime } from "@nats-streaming/protocol/stan";
import { LOOKUP_COLD, LOOKUP_NONE, type StoredMessage } from "@nats-streaming/store";
import type { DeadLetters } from "./dead-letters.ts";
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
  /** An acknowledgement has made room for what a resume held back because of max in flight: sends the next of it. */
  held(subscription: Subscription): void;
  /** Acknowledges on behalf of the client: the message is gone, or has another owner. */
  acknowledgeFor(subscription: Subscription, sequence: number): void;
}

export interface RedeliveryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sender: Sender;
  readonly delivery: Delivery;
  readonly deadLetters: DeadLetters;
  readonly honourMaxInFlightOnResume: boolean;
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

  /** Brings a message into memory; false when it cannot be read now: it is tried again after the ack wait. */
  const load = async (subscription: Subscription, sequence: number): Promise<boolean> => {
    try {
      await subscription.channel.store.messages.load(sequence, LOAD_MESSAGES);
      return true;
    } catch (error) {
      logger.error(
        `Error getting message for redelivery subid=${subscription.id}, seq=${sequence}, err=${(error as Error).message}`,
      );
      const { pending, ackWaitMillis } = subscription;
      if (pending.has(sequence)) pending.add(sequence, clock.monotonicMillis() + ackWaitMillis);
      return false;
    }
  };

  /** Sends one pending message again, to whom the rules choose. The message has been looked up. */
  const redeliver = (subscription: Subscription, sequence: number, deadline: number, stay: boolean): void => {
    const { group, channel } = subscription;
    const rule = channel.redeliveryRule;
    if (rule !== undefined && (subscription.redeliveries.get(sequence) ?? 0) >= rule.maxRedeliveries) {
      options.deadLetters.take(subscription, sequence, message, rule);
      return;
    }
    const target = group === undefined || stay ? subscription : (pickMember(group, true) ?? subscription);
    const count = ((target.redeliveries.get(sequence) ?? 0) + 1) >>> 0;
    target.redeliveries.set(sequence, count);
    if (stay && logger.traceEnabled) {
      logger.trace(`[Client:${target.clientId}] Redelivering to subid=${target.id}, seq=${sequence}`);
    }
    const { subscriptions } = channel.store;
    const now = clock.monotonicMillis();
    if (target === subscription) {
      if (rule !== undefined) subscriptions.noteRedelivery?.(target.id, sequence, count);
      // The cadence keeps its phase, except after a delay (a restart, failed heartbeats, a slow read): there the next
      // deadline could be over already, or follow at once.
      const sent = now - deadline <= GROUPING_MILLIS ? deadline : now;
      target.pending.add(sequence, sent + target.ackWaitMillis);
      sender.resend(target, sequence, message, count);
      return;
    }
    // First added there, then removed here: a crash in between redelivers once too often rather than never.
    const due = now + target.ackWaitMillis;
    target.pending.add(sequence, due);
    if (sequence > target.lastSent) target.lastSent = sequence;
    subscriptions.addPending(target.id, sequence);
    if (rule !== undefined) subscriptions.noteRedelivery?.(target.id, sequence, count);
    stallIfFull(target);
    sender.armBy(target, due);
    sender.resend(target, sequence, message, count);
    acknowledgeFor(subscription, sequence);
  };

  /**
   * Goes through messages, waiting only for those that are not in memory. A durable that was closed and resumed during
   * such a wait is left alone: it has another ack inbox, its response may not be sent yet, and its own start follows.
   */
  const walk = (subscription: Subscription, due: readonly DueMessage[], stay: boolean): Promise<void> | undefined => {
    const log = subscription.channel.store.messages;
    for (let i = 0; i < due.length; i++) {
      const { sequence, deadline } = due[i]!;
      if (subscription.state === "ended" || subscription.state === "offline") return undefined;
      // Acknowledged, or moved, since the list was made.
      if (subscription.pending.deadlineOf(sequence) !== deadline) continue;
      const found = log.lookup(sequence, message);
      if (found === LOOKUP_COLD) {
        const rest = due.slice(i);
        const { ackInbox } = subscription;
        return load(subscription, sequence).then((loaded) =>
          subscription.ackInbox === ackInbox ? walk(subscription, loaded ? rest : rest.slice(1), stay) : undefined,
        );
      }
      if (found === LOOKUP_NONE || message.start === message.end) {
        // Nobody will ever count it again.
        subscription.redeliveries.delete(sequence);
        acknowledgeFor(subscription, sequence);
        continue;
      }
      redeliver(subscription, sequence, deadline, stay);
    }
    return undefined;
  };

  const rearm = (subscription: Subscription): void => {
    if (subscription.state === "ended" || subscription.state === "offline") return;
    const next = subscription.pending.nextDeadline;
    if (next === undefined || next === Number.POSITIVE_INFINITY) return;
    const now = clock.monotonicMillis();
    sender.armBy(subscription, next > now ? next : now + subscription.ackWaitMillis);
  };

  /** Says which message a pass stops at. */
  const traceSkipped = (subscription: Subscription, until: number): void => {
    const { clientId, id, pending } = subscription;
    const skipped = pending.due(Number.POSITIVE_INFINITY).find(({ deadline }) => deadline > until);
    if (skipped === undefined) return;
    logger.trace(`[Client:${clientId}] Redelivery for subid=${id}, skipping seq=${skipped.sequence}`);
  };

  const pass = (subscription: Subscription, stay: boolean): Promise<void> | undefined => {
    const until = clock.monotonicMillis() + GROUPING_MILLIS;
    if (logger.traceEnabled) traceSkipped(subscription, until);
    const waits = walk(subscription, subscription.pending.due(until), stay);
    if (waits === undefined) rearm(subscription);
    else return waits.then(() => rearm(subscription));
    return undefined;
  };

  /** Gives pending messages the deadline that follows from when they were stored. */
  const setDeadlines = (subscription: Subscription, sequences: readonly number[]): Promise<void> | undefined => {
    if (subscription.state === "ended" || subscription.state === "offline") return undefined;
    const log = subscription.channel.store.messages;
    clock.read(wall);
    const now = clock.monotonicMillis();
    for (let i = 0; i < sequences.length; i++) {
      const sequence = sequences[i]!;
      // Acknowledged since the list was made.
      if (!subscription.pending.has(sequence)) continue;
      const found = log.lookup(sequence, message);
      if (found === LOOKUP_COLD) {
        const rest = sequences.slice(i);
        const { ackInbox } = subscription;
        return load(subscription, sequence).then((loaded) =>
          subscription.ackInbox === ackInbox ? setDeadlines(subscription, loaded ? rest : rest.slice(1)) : undefined,
        );
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
        const name = byteStringToText(subscription.group?.key ?? subscription.durableName);
        logger.debug(`[Client:${subscription.clientId}] Redelivering to subid=${subscription.id}, durable=${name}`);
      }
      // Counting the wait from now rather than from the former send is what keeps a later, shorter ack wait in force.
      const now = clock.monotonicMillis();
      subscription.pending.postpone(now);
      subscription.held.clear();
      const all = subscription.pending.due(now);
      if (options.honourMaxInFlightOnResume) {
        for (const { sequence } of all.splice(subscription.maxInFlight)) {
          subscription.held.add(sequence);
          subscription.pending.add(sequence, Number.POSITIVE_INFINITY);
        }
      }
      await walk(subscription, all, true);
      rearm(subscription);
    },
    held(subscription) {
      const now = clock.monotonicMillis();
      const next: DueMessage[] = [];
      let room = subscription.maxInFlight - (subscription.pending.size - subscription.held.size);
      for (const sequence of subscription.held) {
        if (room-- <= 0) break;
        subscription.held.delete(sequence);
        subscription.pending.add(sequence, now);
        next.push({ sequence, deadline: now });
      }
      const waits = walk(subscription, next, true);
      if (waits === undefined) rearm(subscription);
      else void waits.then(() => rearm(subscription));
    },
    async recovered(subscription) {
      const { ackInbox } = subscription;
      await setDeadlines(subscription, subscription.pending.sequences());
      if (subscription.ackInbox === ackInbox) await pass(subscription, true);
    },
  };
}
