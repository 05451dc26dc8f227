import type { Clock, Logger } from "@nats-streaming/kernel";
import { byteStringBytes, byteStringToText, textToByteString } from "@nats-streaming/protocol";
import { channelCaseConflict, quoteByteString, stanErrors } from "@nats-streaming/protocol/stan";
import { type ChannelStore, type Store, StoreError } from "@nats-streaming/store";
import { createByteMap } from "./byte-map.ts";
import type { Channel } from "./channel.ts";
import { rangeEquals } from "./range-equals.ts";
import type { RedeliveryRule } from "./redelivery-rule.ts";
import type { ChannelScope } from "./scope.ts";
import { createSortedNames } from "./sorted-names.ts";

/** All channels that exist. */
export interface Channels {
  readonly size: number;
  /** A channel by its name as a range of bytes, also one that is being deleted. */
  get(bytes: Uint8Array, start: number, end: number): Channel | undefined;
  byName(name: string): Channel | undefined;
  /** Finds a channel, or creates it where limits, case and store allow. */
  findOrCreate(name: string): FoundChannel;
  /** Takes over what the store recovered. */
  recover(name: string, store: ChannelStore): Channel;
  /** Forgets a channel that the store has deleted. */
  remove(channel: Channel): void;
  all(): IterableIterator<Channel>;
  /** Names in byte order; the same array until a channel comes or goes. */
  sortedNames(): readonly string[];
}

export type FoundChannel =
  | { readonly kind: "channel"; readonly channel: Channel }
  /** `message` is for the client: a byte string. */
  | { readonly kind: "refused"; readonly message: string };

export interface ChannelsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly scope: ChannelScope | undefined;
  readonly redeliveryRule: (channel: string) => RedeliveryRule | undefined;
  /** A channel has come into being, or been recovered. */
  readonly onCreated: (channel: Channel) => void;
}

export function createChannels(options: ChannelsOptions): Channels {
  const { store, clock, logger, scope } = options;
  const byName = new Map<string, Channel>();
  const byBytes = createByteMap<Channel>();
  /** Lower-case name to the spelling that exists. @see protocol.md 9.2 */
  const spellings = new Map<string, string>();
  const sorted = createSortedNames();
  /** The last channel that was asked for by bytes: publishers mostly stay with one. */
  let latest: Channel | undefined;

  const add = (name: string, channelStore: ChannelStore): Channel => {
    const channel: Channel = {
      messages: channelStore.messages,
      entry: scope === undefined ? 0 : scope.firstMatch(byteStringToText(name)),
      isDeleting: false,
      isTouched: false,
      lastSeconds: 0,
      lastNanos: 0,
      flushTarget: channelStore.messages.lastSequence,
      flushedSequence: channelStore.messages.lastSequence,
      isWatched: false,
      hasBeenSubscribed: false,
      name,
      nameBytes: byteStringBytes(name),
      store: channelStore,
      redeliveryRule: options.redeliveryRule(byteStringToText(name)),
      subscriptions: [],
      durables: new Map(),
      groups: new Map(),
      requests: 0,
      lastActivity: clock.monotonicMillis(),
      inactivityTimer: undefined,
    };
    byName.set(name, channel);
    byBytes.set(channel.nameBytes, channel);
    spellings.set(byteStringToText(name).toLowerCase(), name);
    sorted.add(name);
    options.onCreated(channel);
    return channel;
  };

  return {
    get size() {
      return byName.size;
    },
    get(bytes, start, end) {
      if (latest !== undefined && rangeEquals(bytes, start, end, latest.nameBytes)) return latest;
      const channel = byBytes.get(bytes, start, end);
      if (channel !== undefined) latest = channel;
      return channel;
    },
    byName: (name) => byName.get(name),
    findOrCreate(name) {
      const existing = byName.get(name);
      if (existing !== undefined) {
        if (existing.isDeleting) return { kind: "refused", message: stanErrors.channelBeingDeleted.text };
        return { kind: "channel", channel: existing };
      }
      const spelling = spellings.get(byteStringToText(name).toLowerCase());
      if (spelling !== undefined) {
        const message = channelCaseConflict(name, spelling).text;
        logger.error(`Creating channel ${quote(name)} failed: ${byteStringToText(message)}`);
        return { kind: "refused", message };
      }
      try {
        const channel = add(name, store.createChannel(name));
        logger.info(`Channel ${quote(name)} has been created`);
        return { kind: "channel", channel };
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        logger.error(`Creating channel ${quote(name)} failed: ${error.message}`);
        return { kind: "refused", message: textToByteString(error.message) };
      }
    },
    recover: add,
    remove(channel) {
      byName.delete(channel.name);
      byBytes.delete(channel.nameBytes);
      spellings.delete(byteStringToText(channel.name).toLowerCase());
      sorted.delete(channel.name);
      if (latest === channel) latest = undefined;
    },
    all: () => byName.values(),
    sortedNames: () => sorted.all(),
  };
}

/** A channel's name for a log line. */
export function quote(name: string): string {
  return byteStringToText(quoteByteString(name));
}
