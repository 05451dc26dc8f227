import type { Timestamp } from "@nats-streaming/kernel";
import { byteStringToText } from "@nats-streaming/protocol";
import { readMsgProtoTime } from "@nats-streaming/protocol/stan";
import { LOOKUP_COLD, LOOKUP_FOUND, type StoredMessage } from "@nats-streaming/store";
import type { Channel } from "./channel.ts";
import type { QueueGroup } from "./queue-group.ts";
import type { Subscription } from "./subscription.ts";

/** How far a subscription, or a queue group as a whole, is behind its channel. */
export interface InspectedBacklog {
  readonly kind: "plain" | "durable" | "group";
  /** Durable name, or group name (`<durable>:<group>` for durable groups); empty for a plain subscription. */
  readonly name: string;
  /** Owner; the last one of an offline durable. Empty for a group. */
  readonly clientId: string;
  readonly isDurable: boolean;
  /** Nobody receives: an offline durable, or a durable group without members. */
  readonly isOffline: boolean;
  /** Members of a group; otherwise 1, or 0 when offline. */
  readonly members: number;
  readonly lastSent: number;
  /** Sent and not acknowledged. */
  readonly pendingCount: number;
  /** Stored messages that are not acknowledged yet, sent or not. */
  readonly lagMessages: number;
  /** Their size, by the channel's mean size of a message: an estimate. */
  readonly lagBytes: number;
  /** The oldest of them; 0 for none. */
  readonly oldestSequence: number;
  /** When that one was stored, in milliseconds since 1970; undefined when there is none or it is not in memory. */
  readonly oldestMillis: number | undefined;
  /** Finds out {@link oldestMillis} for the next time; only there when that needs the disk. @throws (rejects) StoreError */
  readonly load?: () => Promise<void>;
  /** Members that have max in flight messages pending and get no new ones. */
  readonly stalledCount: number;
  /** For how long the one that waits longest has got nothing new, in milliseconds; 0 when none is stalled. */
  readonly stalledMillis: number;
  /** Pending messages that have been sent more than once. */
  readonly redelivering: number;
}

/** Looks at backlogs; remembers when the oldest messages were stored, so that each is read from disk once. */
export interface BacklogInspector {
  /** Plain and online durable subscriptions, offline durables, then groups. */
  ofChannel(channel: Channel, now: number): InspectedBacklog[];
}

interface OldestTime {
  readonly sequence: number;
  readonly millis: number;
}

export function createBacklogInspector(): BacklogInspector {
  const message: StoredMessage = { bytes: new Uint8Array(0), start: 0, end: 0 };
  const time: Timestamp = { millis: 0, nanos: 0 };
  const known = new WeakMap<Subscription | QueueGroup, OldestTime>();

  /** When a message was stored, if that can be said at once. */
  const look = (channel: Channel, sequence: number): number | "cold" | undefined => {
    const found = channel.store.messages.lookup(sequence, message);
    if (found === LOOKUP_COLD) return "cold";
    if (found !== LOOKUP_FOUND || message.start === message.end) return undefined;
    readMsgProtoTime(message.bytes, message.start, message.end, time);
    return time.millis;
  };

  const oldestTime = (
    owner: Subscription | QueueGroup,
    sequence: number,
  ): { readonly oldestMillis: number | undefined; readonly load?: () => Promise<void> } => {
    if (sequence === 0) return { oldestMillis: undefined };
    const remembered = known.get(owner);
    if (remembered?.sequence === sequence) return { oldestMillis: remembered.millis };
    const { channel } = owner;
    const millis = look(channel, sequence);
    if (millis !== "cold") {
      if (millis !== undefined) known.set(owner, { sequence, millis });
      return { oldestMillis: millis };
    }
    const load = async (): Promise<void> => {
      await channel.store.messages.load(sequence, 1);
      const loaded = look(channel, sequence);
      if (typeof loaded === "number") known.set(owner, { sequence, millis: loaded });
    };
    return { oldestMillis: undefined, load };
  };

  /** What a position and the pending messages of several subscriptions amount to. */
  const backlog = (
    owner: Subscription | QueueGroup,
    lastSent: number,
    subscriptions: readonly Subscription[],
    now: number,
  ): Omit<InspectedBacklog, "kind" | "name" | "clientId" | "isDurable" | "isOffline" | "members"> => {
    const { channel } = owner;
    const log = channel.store.messages;
    const nextUnsent = Math.max(lastSent + 1, log.firstSequence);
    const unsent = Math.max(0, channel.flushedSequence - nextUnsent + 1);
    let pendingCount = 0;
    let oldest = unsent > 0 ? nextUnsent : Number.POSITIVE_INFINITY;
    let stalledCount = 0;
    let stalledMillis = 0;
    for (const subscription of subscriptions) {
      pendingCount += subscription.pending.size;
      if (subscription.pending.size > 0) oldest = Math.min(oldest, subscription.pending.sequences()[0] ?? oldest);
      if (subscription.state !== "stalled") continue;
      stalledCount++;
      stalledMillis = Math.max(stalledMillis, stalledFor(subscription, now));
    }
    const lagMessages = unsent + pendingCount;
    const oldestSequence = Number.isFinite(oldest) ? oldest : 0;
    return {
      lastSent,
      pendingCount,
      lagMessages,
      lagBytes: log.count === 0 ? 0 : Math.round((lagMessages * log.bytes) / log.count),
      oldestSequence,
      ...oldestTime(owner, oldestSequence),
      stalledCount,
      stalledMillis,
      // A group's members share one map.
      redelivering: subscriptions[0]?.redeliveries.size ?? 0,
    };
  };

  const ofSubscription = (subscription: Subscription, now: number): InspectedBacklog => {
    const isDurable = subscription.durableName !== "";
    const isOffline = subscription.state === "offline";
    return {
      kind: isDurable ? "durable" : "plain",
      name: byteStringToText(subscription.durableName),
      clientId: byteStringToText(subscription.clientId),
      isDurable,
      isOffline,
      members: isOffline ? 0 : 1,
      ...backlog(subscription, subscription.lastSent, [subscription], now),
    };
  };

  const ofGroup = (group: QueueGroup, now: number): InspectedBacklog => {
    const { members, shadow } = group;
    return {
      kind: "group",
      name: byteStringToText(group.key),
      clientId: "",
      isDurable: group.isDurable,
      isOffline: members.length === 0,
      members: members.length,
      ...backlog(group, group.lastSent, shadow === undefined ? members : [...members, shadow], now),
    };
  };

  return {
    ofChannel(channel, now) {
      const found = channel.subscriptions.map((subscription) => ofSubscription(subscription, now));
      for (const durable of channel.durables.values()) {
        if (durable.state === "offline") found.push(ofSubscription(durable, now));
      }
      for (const group of channel.groups.values()) found.push(ofGroup(group, now));
      return found;
    },
  };
}

/**
 * Since when a stalled subscription has got nothing new: since its last message was sent for the first time. Redeliveries
 * keep their phase, so that moment follows from the next deadline; nothing has to be noted on the way of a message.
 */
function stalledFor(subscription: Subscription, now: number): number {
  const { pending, lastSent, redeliveries, ackWaitMillis } = subscription;
  const newest = pending.has(lastSent) ? lastSent : pending.sequences().at(-1);
  const deadline = newest === undefined ? undefined : pending.deadlineOf(newest);
  // What a resume holds back has no deadline.
  if (newest === undefined || deadline === undefined || !Number.isFinite(deadline)) return 0;
  return Math.max(0, now - (deadline - ackWaitMillis * ((redeliveries.get(newest) ?? 0) + 1)));
}
