import { quoteByteString } from "./quote.ts";

/** A text that a client can receive in an `error` field, with its number in the catalogue. @see protocol.md 14 */
export interface StanError {
  readonly number: number;
  /** Byte string; exact. */
  readonly text: string;
}

/** The catalogue: texts byte for byte, misspellings and missing prefixes included. @see protocol.md 14 */
export const stanErrors = {
  /**
   * A connect request cannot be decoded, or names no heartbeat inbox.
   * Remedy: Use a streaming client library; a plain NATS client cannot connect to streaming.
   */
  invalidConnectRequest: { number: 1, text: "stan: invalid connection request" },
  /** A client ID is empty or has other characters. Remedy: Take letters, digits, `-` and `_` only; no dots. */
  invalidClientId: {
    number: 2,
    text: "stan: invalid clientID: only alphanumeric and `-` or `_` characters allowed",
  },
  /**
   * Another client with this ID is connected and answers.
   * Remedy: Give each process a client ID of its own. One that has crashed does not answer, and is replaced.
   */
  duplicateClient: { number: 3, text: "stan: clientID already registered" },
  /**
   * A publish cannot be decoded, its channel name is invalid, it has no GUID, or its client is not connected.
   * Remedy: Check the channel name: no wildcard, no white space, no empty part between dots. If the client was away for
   * long, connect it again.
   */
  invalidPublish: { number: 4, text: "stan: invalid publish request" },
  /**
   * A subscription request cannot be decoded, or its client has not connected.
   * Remedy: Connect the client first; if it was away for long, connect it again.
   */
  invalidSubscriptionRequest: { number: 5, text: "stan: invalid subscription request" },
  /** A subscription request has no client ID. Remedy: A fault of the client library: update it. */
  missingClientId: { number: 6, text: "stan: clientID missing" },
  /** The ack wait of a subscription is below one second. Remedy: Ask for one second or more. */
  invalidAckWait: { number: 7, text: "stan: invalid ack wait time, should be >= 1s" },
  /** The max in flight of a subscription is 0 or negative. Remedy: Ask for 1 or more. */
  invalidMaxInFlight: { number: 8, text: "stan: invalid MaxInflight, should be >= 1" },
  /** The start position of a subscription is none of the five. Remedy: A fault of the client library: update it. */
  invalidStartPosition: { number: 9, text: "stan: invalid start position" },
  /**
   * The channel of a subscription is invalid.
   * Remedy: Name one channel: subscriptions to wildcards do not exist in streaming.
   */
  invalidSubject: { number: 10, text: "stan: invalid subject" },
  /**
   * The client is not registered any more: it was closed, replaced, or found dead by its heartbeats.
   * Remedy: Connect again, and subscribe again. Clients that lose connections often need a longer `hb_timeout` or a
   * higher `hb_fail_count`.
   */
  unknownClient: { number: 11, text: "stan: unknown clientID" },
  /**
   * This client already has an active subscription with that durable name on the channel.
   * Remedy: Close the first one, or use another name. With `replace_durable` the newcomer takes over.
   */
  duplicateDurable: { number: 12, text: "stan: duplicate durable registration" },
  /** The durable name of a queue subscription has a colon in it. Remedy: Take another name. */
  invalidDurableQueueName: {
    number: 13,
    text: "stan: durable name of a durable queue subscriber can't contain the character ':'",
  },
  /** A request to close or unsubscribe cannot be decoded. Remedy: A fault of the client library: update it. */
  invalidUnsubscribeRequest: { number: 14, text: "stan: invalid unsubscribe request" },
  /**
   * A subscription to be closed is on a channel that does not exist.
   * Remedy: Nothing to do: the channel, and the subscription with it, is gone (`max_inactivity`).
   */
  unknownChannel: { number: 15, text: "stan: unknown channel" },
  /** The subscription to be closed does not exist, or was closed already. Remedy: Nothing to do. */
  invalidSubscription: { number: 16, text: "stan: invalid subscription" },
  /** A request to close a client cannot be decoded. Remedy: A fault of the client library: update it. */
  invalidCloseRequest: { number: 17, text: "stan: invalid close request" },
  /**
   * The server does not know the connection that pings: another client has connected with its ID, or it was found dead.
   * Remedy: Connect again; see to it that no two processes have the same client ID.
   */
  clientReplaced: { number: 18, text: "client has been replaced or is no longer registered" },
  /**
   * A new channel would be more than `max_channels`.
   * Remedy: Raise `max_channels` in `store_limits`, let idle channels go with `max_inactivity`, or use fewer channels.
   */
  tooManyChannels: { number: 19, text: "too many channels" },
  /**
   * A new subscription would be more than `max_subs` of its channel.
   * Remedy: Raise `max_subs`, or unsubscribe durables that nobody comes back for: they count.
   */
  tooManySubscriptions: { number: 20, text: "too many subscriptions per channel" },
  /**
   * The channel is just being removed because nobody used it (`max_inactivity`).
   * Remedy: Try again: the channel is made anew.
   */
  channelBeingDeleted: { number: 22, text: "stan: channel is being deleted" },
} as const;

/**
 * A channel differs from an existing one by case only: error 21.
 * Remedy: Use the spelling that exists, or a really different name.
 * @param channel the refused name, a byte string
 * @param existing the first spelling, a byte string
 * @see protocol.md 9.2
 */
export function channelCaseConflict(channel: string, existing: string): StanError {
  const names = `channel ${quoteByteString(channel)} because channel ${quoteByteString(existing)}`;
  return { number: 21, text: `rejecting ${names} alreay exists (different cases not allowed)` };
}

/**
 * What the store says reaches the client as it is, such as `write /data/orders/msgs.1.dat: no space left on device`: error 23.
 * Remedy: See `StoreError` and `FileError` in docs/errors.md#errors-of-the-packages. Nothing that was refused is delivered; publish again later.
 * @param text byte string
 */
export function storeFailure(text: string): StanError {
  return { number: 23, text };
}

/** Texts of the same family that only end a start of the server; no client receives them. @see protocol.md 14, 15.1 */
export const startErrors = {
  noConfiguredChannel: "stan: no configured channel",
  notPreviouslyClustered: "stan: cannot restart server in clustered mode if it was not previously clustered",
  /**
   * Streaming clustering and partitioning are both asked for.
   * Remedy: Take the `cluster` options of streaming out; a partition becomes redundant with `ft_group`.
   */
  clusteredPartitioning: "stan: channels partitioning in clustering mode is not supported",
  clusteredMemoryStore: "stan: clustering mode not supported with MEMORY store type",
} as const;
