import { quoteByteString } from "@nats-streaming/protocol/stan";

/** Texts that only the engine uses; those of the error catalogue are in `@nats-streaming/protocol/stan`. */

/** A publish that no subscriber could ever receive. Our own text: the original stores it and stalls. @see protocol.md 18 PK7 */
export function messageTooLarge(size: number, limit: number): string {
  return `stan: message of ${size} bytes cannot be delivered within the maximum payload of ${limit} bytes`;
}

/** Our own text: in the original such a request is never answered. @param channel byte string @returns byte string */
export function channelWithoutOwner(channel: string): string {
  return `stan: no server of this cluster owns channel ${quoteByteString(channel)}`;
}

/** Our own text: a list cannot be changed while the original runs. @param channel byte string @returns byte string */
export function channelNoLongerServed(channel: string): string {
  return `stan: channel ${quoteByteString(channel)} is no longer served by this server; subscribe again`;
}
