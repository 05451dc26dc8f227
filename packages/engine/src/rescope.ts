import type { BusMessage, BusSubscription, Logger } from "@nats-streaming/kernel";
import { byteStringToText, textToByteString } from "@nats-streaming/protocol";
import { type Channel, subscriptionsOf } from "./channel.ts";
import { type Channels, quote } from "./channels.ts";
import type { CommitQueue } from "./commit.ts";
import type { Ending } from "./ending.ts";
import type { ChannelScope } from "./scope.ts";
import { isActive } from "./subscription.ts";

/** The NATS subscriptions for publishes of a partitioned server: one for each entry of its list. */
export interface EntryListeners {
  /** Follows the list: new entries are listened to, those that are gone no longer. */
  update(): void;
  close(): void;
}

/** What the handler of one entry reads for each message: no look-up, since a publish pays for it. */
interface Listener {
  place: number;
}

export function createEntryListeners(options: {
  readonly scope: ChannelScope;
  readonly subjectPrefix: string;
  readonly subscribe: (subject: string, handler: (message: BusMessage) => void) => BusSubscription;
  /** @param entry place of the entry in the list that counts now */
  readonly handle: (message: BusMessage, entry: number) => void;
}): EntryListeners {
  const { scope } = options;
  const byEntry = new Map<string, { readonly listener: Listener; readonly subscription: BusSubscription }>();

  return {
    update(): void {
      const present = new Map(scope.entries.map((entry, place) => [entry, place]));
      for (const [entry, { subscription }] of byEntry) {
        if (present.has(entry)) continue;
        subscription.unsubscribe();
        byEntry.delete(entry);
      }
      for (const [entry, place] of present) {
        const known = byEntry.get(entry);
        if (known !== undefined) {
          known.listener.place = place;
          continue;
        }
        const listener: Listener = { place };
        const subject = `${options.subjectPrefix}.${textToByteString(entry)}`;
        const subscription = options.subscribe(subject, (message) => options.handle(message, listener.place));
        byEntry.set(entry, { listener, subscription });
      }
    },
    close(): void {
      for (const { subscription } of byEntry.values()) subscription.unsubscribe();
      byEntry.clear();
    },
  };
}

/** Subscriptions that ended because their channel left the list, for the next request of their clients. */
export interface FormerSubscriptions {
  has(inbox: string): boolean;
  add(inbox: string): void;
}

/** Inboxes remembered; beyond, the oldest is forgotten, and its client's request is left unanswered as on any other channel. */
const FORMER_MAX = 65_536;

export function createFormerSubscriptions(): FormerSubscriptions {
  const inboxes = new Set<string>();
  return {
    has: (inbox) => inboxes.has(inbox),
    add(inbox): void {
      inboxes.delete(inbox);
      inboxes.add(inbox);
      if (inboxes.size <= FORMER_MAX) return;
      for (const oldest of inboxes) {
        inboxes.delete(oldest);
        return;
      }
    },
  };
}

/**
 * Follows a changed list: each channel gets its place in it, and subscriptions on channels that are no longer in it end as
 * if their clients had closed them, so that durables keep where they were.
 */
export function createRescoping(options: {
  readonly logger: Logger;
  readonly scope: ChannelScope;
  readonly channels: Channels;
  readonly commit: CommitQueue;
  readonly end: Ending;
  readonly former: FormerSubscriptions;
}): () => void {
  const { logger, scope, channels, end, former } = options;

  const leave = (channel: Channel): void => {
    const active = [...subscriptionsOf(channel)].filter((one) => isActive(one) || one.state === "starting");
    for (const subscription of active) {
      former.add(subscription.ackInbox);
      former.add(subscription.inbox);
      end(subscription, "close");
    }
    logger.warn(
      `Channel ${quote(channel.name)} is no longer served by this partition: ${active.length} subscription(s) ended`,
    );
  };

  return () => {
    for (const channel of channels.all()) {
      const wasServed = channel.entry >= 0;
      channel.entry = scope.firstMatch(byteStringToText(channel.name));
      if (wasServed && channel.entry < 0) leave(channel);
    }
    options.commit.whenDurable(
      () => {},
      (error) => logger.error(`Recording the end of subscriptions failed: ${error.message}`),
    );
  };
}

/** Channels named in the log one by one. */
const WARNED_MAX = 100;

/** One line for each recovered channel that the list does not cover: nobody can use it. @see partitioning.md 13 */
export function warnOfChannelsOutside(channels: Channels, logger: Logger): void {
  const outside = [...channels.all()].filter((channel) => channel.entry < 0);
  for (const { name } of outside.slice(0, WARNED_MAX)) {
    logger.warn(
      `Channel ${quote(name)} is stored here and not in this partition's list: nobody can publish or subscribe to it; ` +
        "list it, or move it to the server that does",
    );
  }
  if (outside.length > WARNED_MAX) logger.warn(`... and ${outside.length - WARNED_MAX} more such channels`);
}
