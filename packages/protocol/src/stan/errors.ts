import { quoteByteString } from "./quote.ts";

/** A text that a client can receive in an `error` field, with its number in the catalogue. @see protocol.md 14 */
export interface StanError {
  readonly number: number;
  /** Byte string; exact. */
  readonly text: string;
}

/** The catalogue: texts byte for byte, misspellings and missing prefixes included. @see protocol.md 14 */
export const stanErrors = {
  invalidConnectRequest: { number: 1, text: "stan: invalid connection request" },
  invalidClientId: {
    number: 2,
    text: "stan: invalid clientID: only alphanumeric and `-` or `_` characters allowed",
  },
  duplicateClient: { number: 3, text: "stan: clientID already registered" },
  invalidPublish: { number: 4, text: "stan: invalid publish request" },
  invalidSubscriptionRequest: { number: 5, text: "stan: invalid subscription request" },
  missingClientId: { number: 6, text: "stan: clientID missing" },
  invalidAckWait: { number: 7, text: "stan: invalid ack wait time, should be >= 1s" },
  invalidMaxInFlight: { number: 8, text: "stan: invalid MaxInflight, should be >= 1" },
  invalidStartPosition: { number: 9, text: "stan: invalid start position" },
  invalidSubject: { number: 10, text: "stan: invalid subject" },
  unknownClient: { number: 11, text: "stan: unknown clientID" },
  duplicateDurable: { number: 12, text: "stan: duplicate durable registration" },
  invalidDurableQueueName: {
    number: 13,
    text: "stan: durable name of a durable queue subscriber can't contain the character ':'",
  },
  invalidUnsubscribeRequest: { number: 14, text: "stan: invalid unsubscribe request" },
  unknownChannel: { number: 15, text: "stan: unknown channel" },
  invalidSubscription: { number: 16, text: "stan: invalid subscription" },
  invalidCloseRequest: { number: 17, text: "stan: invalid close request" },
  clientReplaced: { number: 18, text: "client has been replaced or is no longer registered" },
  tooManyChannels: { number: 19, text: "too many channels" },
  tooManySubscriptions: { number: 20, text: "too many subscriptions per channel" },
  channelBeingDeleted: { number: 22, text: "stan: channel is being deleted" },
} as const;

/**
 * Error 21: a channel that differs from an existing one by case only.
 * @param channel the refused name, a byte string
 * @param existing the first spelling, a byte string
 * @see protocol.md 9.2
 */
export function channelCaseConflict(channel: string, existing: string): StanError {
  const names = `channel ${quoteByteString(channel)} because channel ${quoteByteString(existing)}`;
  return { number: 21, text: `rejecting ${names} alreay exists (different cases not allowed)` };
}

/** Error 23: what a store says reaches the client as it is. @param text byte string */
export function storeFailure(text: string): StanError {
  return { number: 23, text };
}

/** Texts of the same family that only end a start of the server; no client receives them. @see protocol.md 14, 15.1 */
export const startErrors = {
  noConfiguredChannel: "stan: no configured channel",
  notPreviouslyClustered: "stan: cannot restart server in clustered mode if it was not previously clustered",
  clusteredPartitioning: "stan: channels partitioning in clustering mode is not supported",
  clusteredMemoryStore: "stan: clustering mode not supported with MEMORY store type",
} as const;
