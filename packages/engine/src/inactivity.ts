import { type Clock, durationNanos, durationToMillis, formatDuration, type Logger } from "@nats-streaming/kernel";
import type { Store } from "@nats-streaming/store";
import { type Channel, hasActiveSubscription } from "./channel.ts";
import { type Channels, quote } from "./channels.ts";
import type { CommitQueue } from "./commit.ts";

/**
 * Deletes channels that nobody uses: no active subscription and no message for max_inactivity.
 * The timer is not moved by messages; when it fires, what has passed since the last one decides.
 *
 * @see delivery.md 13
 */
export interface Inactivity {
  /** The channel may be inactive from now on. Does nothing while it has an active subscription or one under way. */
  watch(channel: Channel): void;
  /** A subscription is being made: the channel stays. */
  unwatch(channel: Channel): void;
  /** Stops all timers, for good. */
  close(): void;
}

export interface InactivityOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly commit: CommitQueue;
  readonly channels: () => Channels;
}

export function createInactivity(options: InactivityOptions): Inactivity {
  const { store, clock, logger, commit } = options;
  let isClosed = false;

  const limitMillis = (channel: Channel): number => {
    const limit = store.channelLimits(channel.name)?.maxInactivity ?? durationNanos(0n);
    return durationToMillis(limit);
  };

  const isUsed = (channel: Channel): boolean => channel.requests > 0 || hasActiveSubscription(channel);

  const arm = (channel: Channel, delayMillis: number, text: string): void => {
    channel.inactivityTimer?.cancel();
    channel.inactivityTimer = clock.setTimer(delayMillis, () => {
      channel.inactivityTimer = undefined;
      // Behind everything that has been published before: the batch under way may hold a message of this channel.
      commit.whenDurable(
        () => decide(channel),
        () => watch(channel),
      );
    });
    if (logger.debugEnabled) {
      const delay = formatDuration(durationNanos(BigInt(Math.round(delayMillis * 1e6))));
      logger.debug(`Channel ${quote(channel.name)} ${text} ${delay}`);
    }
  };

  const watch = (channel: Channel): void => {
    if (isClosed) return;
    const limit = limitMillis(channel);
    if (limit <= 0 || channel.isDeleting || isUsed(channel)) return;
    channel.lastActivity = clock.monotonicMillis();
    channel.isWatched = true;
    arm(channel, limit, "delete timer set to fire in");
  };

  const decide = (channel: Channel): void => {
    if (channel.isDeleting || isUsed(channel) || channel.inactivityTimer !== undefined) return;
    // A message that gathers for the next flush will be acknowledged: it is activity already.
    const lastActivity = channel.isTouched ? clock.monotonicMillis() : channel.lastActivity;
    const remaining = lastActivity + limitMillis(channel) - clock.monotonicMillis();
    if (remaining > 0) {
      arm(channel, remaining, "cannot be deleted now, reset timer to fire in");
      return;
    }
    channel.isDeleting = true;
    if (logger.debugEnabled) logger.debug(`Channel ${quote(channel.name)} is being deleted`);
    store.deleteChannel(channel.name).then(
      () => {
        options.channels().remove(channel);
        logger.info(`Channel ${quote(channel.name)} has been deleted`);
      },
      (error: Error) => {
        channel.isDeleting = false;
        logger.error(`Unable to delete channel ${quote(channel.name)}: ${error.message}`);
        watch(channel);
      },
    );
  };

  return {
    watch,
    unwatch(channel) {
      channel.isWatched = false;
      if (channel.inactivityTimer === undefined) return;
      channel.inactivityTimer.cancel();
      channel.inactivityTimer = undefined;
      if (logger.debugEnabled) logger.debug(`Channel ${quote(channel.name)} delete timer stopped`);
    },
    close() {
      isClosed = true;
      for (const channel of options.channels().all()) channel.inactivityTimer?.cancel();
    },
  };
}
