import type { Timer } from "@nats-streaming/kernel";
import type { ChannelStore, MessageLog } from "@nats-streaming/store";
import type { QueueGroup } from "./queue-group.ts";
import type { RedeliveryRule } from "./redelivery-rule.ts";
import type { Subscription } from "./subscription.ts";

/**
 * A named message log, its subscriptions, and where publishing stands.
 *
 * What every message and every batch look at stands together, in front, and is small integers, booleans and one reference: with
 * many channels each cache line is a miss.
 */
export interface Channel {
  /** The store's. */
  readonly messages: MessageLog;
  /** Which entry of the partition's list takes its publishes; 0 without partitioning, -1 for one outside the list. */
  entry: number;
  isDeleting: boolean;
  /** Whether the batch that gathers now has messages for it. */
  isTouched: boolean;
  /**
   * Timestamp of the newest message, in seconds since 1970 and nanoseconds within that second; a later one is never below it.
   * Small integers both: milliseconds would be an object of their own, far from the channel, with each message.
   */
  lastSeconds: number;
  lastNanos: number;
  /** Highest sequence that the flush under way covers. */
  flushTarget: number;
  /** Highest sequence that is flushed: subscribers see nothing above it. */
  flushedSequence: number;
  /** Whether {@link lastActivity} has to be kept. */
  isWatched: boolean;
  /** Whether a subscription or a group may be there to deliver to. Once set it stays. */
  hasBeenSubscribed: boolean;

  /** Byte string. */
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly store: ChannelStore;
  /** Plain subscriptions and durables that have an owner, in the order of their creation. */
  readonly subscriptions: Subscription[];
  /** Durables, active and offline, by {@link durableKey}. */
  readonly durables: Map<string, Subscription>;
  readonly groups: Map<string, QueueGroup>;
  /** When redelivering ends; undefined: never. */
  readonly redeliveryRule: RedeliveryRule | undefined;
  /** Subscription requests under way: they keep the channel from being deleted. */
  requests: number;
  /** Monotonic milliseconds of the last message, or of the moment from which inactivity counts. */
  lastActivity: number;
  inactivityTimer: Timer | undefined;
}

/**
 * What makes a durable of a channel the same one: its client ID and its durable name. The separator cannot occur in a
 * client ID, so unlike the original's joined text it is never ambiguous.
 * @see protocol.md 10.4, quirk PK2
 */
export function durableKey(clientId: string, durableName: string): string {
  return `${clientId}\0${durableName}`;
}

/** Whether anybody is subscribed; offline durables and groups do not count. */
export function hasActiveSubscription(channel: Channel): boolean {
  if (channel.subscriptions.length > 0) return true;
  for (const group of channel.groups.values()) {
    if (group.members.length > 0) return true;
  }
  return false;
}

/** Every subscription of the channel: those with an owner, offline durables, then queue members and shadows. */
export function* subscriptionsOf(channel: Channel): Generator<Subscription> {
  yield* channel.subscriptions;
  for (const durable of channel.durables.values()) {
    if (durable.state === "offline") yield durable;
  }
  for (const group of channel.groups.values()) {
    yield* group.members;
    if (group.shadow !== undefined) yield group.shadow;
  }
}
