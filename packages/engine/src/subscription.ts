import { invariant, type Timer } from "@nats-streaming/kernel";
import type { Channel } from "./channel.ts";
import type { Client } from "./client.ts";
import type { PendingAcks } from "./pending.ts";
import type { QueueGroup } from "./queue-group.ts";

/**
 * Where a subscription stands.
 *
 * ```text
 *              response sent, pending redelivered
 *   starting ───────────────────────────────────▶ live ◀──────▶ stalled
 *      ▲                                            │  max in flight │
 *      │ resumed                                    ▼                ▼
 *   offline ◀──────────── closed durable ────────────────────────────┘
 *                        everything else ──────▶ ended
 * ```
 *
 * - `starting`: recorded, but its response is not sent yet or what was pending is not redelivered yet: no new messages.
 * - `live`: gets new messages.
 * - `stalled`: has max in flight or more pending: redeliveries only.
 * - `offline`: a durable without an owner: nothing is sent, no timer runs.
 * - `ended`: gone; whoever still holds the object must do nothing with it.
 */
export type SubscriptionState = "starting" | "live" | "stalled" | "offline" | "ended";

/** One subscription, or one member of a queue group. */
export interface Subscription {
  /** Assigned by the store. */
  readonly id: number;
  readonly channel: Channel;
  /** Set for members of a queue group. */
  readonly group: QueueGroup | undefined;
  /** Plain durables only; empty otherwise. */
  readonly durableName: string;
  /** Owner, also of an offline durable. */
  clientId: string;
  /** The owner's registration; undefined while offline. */
  client: Client | undefined;
  inbox: string;
  ackInbox: string;
  maxInFlight: number;
  ackWaitMillis: number;
  state: SubscriptionState;
  /** The owner missed heartbeats: others are preferred, timers postpone. */
  ownerFailing: boolean;
  /** Highest sequence sent to this subscription; before the first send the position before the first message to send. */
  lastSent: number;
  readonly pending: PendingAcks;
  /**
   * Of what was pending at a resume, what has not been sent again yet because of max in flight, ascending. A part of
   * `pending`, with a deadline that never comes.
   */
  readonly held: Set<number>;
  /** Redeliveries so far per sequence; a queue group's members share one map. */
  readonly redeliveries: Map<number, number>;
  timer: Timer | undefined;
  /** When the timer fires, monotonic milliseconds; meaningless without one. */
  timerDue: number;
  /** A message is being brought into memory for this subscription. */
  loading: boolean;
}

/** Whether messages may be sent to it at all; new ones need `live`. */
export function isActive(subscription: Subscription): boolean {
  return subscription.state === "live" || subscription.state === "stalled";
}

/** starting → live or stalled, by what is pending. */
export function begin(subscription: Subscription): void {
  invariant(subscription.state === "starting", `begin in state ${subscription.state}`);
  subscription.state = subscription.pending.size >= subscription.maxInFlight ? "stalled" : "live";
}

/** live → stalled once max in flight is reached; nothing otherwise. */
export function stallIfFull(subscription: Subscription): void {
  if (subscription.state === "live" && subscription.pending.size >= subscription.maxInFlight) {
    subscription.state = "stalled";
  }
}

/** stalled → live once there is room. @returns whether it was released just now. */
export function releaseIfRoom(subscription: Subscription): boolean {
  if (subscription.state !== "stalled" || subscription.pending.size >= subscription.maxInFlight) return false;
  subscription.state = "live";
  return true;
}

/** A durable loses its owner: → offline. Its position, pending set and counts stay. */
export function goOffline(subscription: Subscription): void {
  invariant(subscription.state !== "ended", "an ended subscription went offline");
  subscription.state = "offline";
  subscription.client = undefined;
  subscription.ownerFailing = false;
  stopTimer(subscription);
}

/** offline → starting, for the request that resumes it. */
export function resume(subscription: Subscription): void {
  invariant(subscription.state === "offline", `resume in state ${subscription.state}`);
  subscription.state = "starting";
  subscription.ownerFailing = false;
}

/** any → ended. */
export function end(subscription: Subscription): void {
  subscription.state = "ended";
  subscription.client = undefined;
  stopTimer(subscription);
}

function stopTimer(subscription: Subscription): void {
  subscription.timer?.cancel();
  subscription.timer = undefined;
}
