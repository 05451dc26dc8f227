import { quoteByteString } from "@nats-streaming/protocol/stan";

/** Texts that only the engine uses; those of the error catalogue are in `@nats-streaming/protocol/stan`. */

/** A publish that no subscriber could ever receive. Our own text: the original stores it and stalls. @see protocol.md 18 PK7 */
export function messageTooLarge(size: number, limit: number): string {
  return `stan: message of ${size} bytes cannot be delivered within the maximum payload of ${limit} bytes`;
}

/**
 * Our own text, with `partition_unowned: error`: no server of the cluster lists the channel.
 * In the original such a request is never answered.
 * Remedy: List the channel on one of the servers, or correct the name.
 * @param channel byte string
 * @returns byte string
 */
export function channelWithoutOwner(channel: string): string {
  return `stan: no server of this cluster owns channel ${quoteByteString(channel)}`;
}

/**
 * Our own text: the channel has been taken off this server's list by a reload, and the subscription with it.
 * Remedy: Subscribe again: the request reaches the server that has the channel now.
 * @param channel byte string
 * @returns byte string
 */
export function channelNoLongerServed(channel: string): string {
  return `stan: channel ${quoteByteString(channel)} is no longer served by this server; subscribe again`;
}
