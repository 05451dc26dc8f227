import { invariant } from "@nats-streaming/kernel";
import { byteString, writeByteString } from "../wire/byte-string.ts";

/** The length of a name has two bytes. NATS allows no subject that long, so the limit is never met. */
const NAME_LENGTH_MAX = 65_535;

/** A list of channels off the wire, or why it cannot be read. */
export type ChannelList =
  | { readonly kind: "ok"; readonly channels: readonly string[] }
  /** The text is the one of the original, for the log. */
  | { readonly kind: "invalid"; readonly message: string };

/** Bytes that one name takes in a list. @see partitioning.md 6.2 */
export function channelListEntrySize(channel: string): number {
  return 2 + channel.length;
}

/**
 * Channel names (byte strings, wildcards allowed) as a partitioned server sends them: two bytes of length, little endian,
 * and the bytes of the name, back to back. The result belongs to the caller.
 * @see partitioning.md 6.1
 */
export function encodeChannelList(channels: readonly string[]): Uint8Array {
  let size = 0;
  for (const channel of channels) size += channelListEntrySize(channel);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const channel of channels) {
    const length = channel.length;
    invariant(length <= NAME_LENGTH_MAX, `channel name of ${length} bytes in a partition list`);
    bytes[at] = length & 0xff;
    bytes[at + 1] = length >>> 8;
    at = writeByteString(bytes, at + 2, channel);
  }
  return bytes;
}

/** The names in a received list, in their order. @see partitioning.md 6.3 step 4 */
export function decodeChannelList(bytes: Uint8Array): ChannelList {
  const channels: string[] = [];
  const max = bytes.length;
  let at = 0;
  while (at < max) {
    if (at + 2 > max) return { kind: "invalid", message: `unable to decode size, pos=${at} len=${max}` };
    const length = bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
    if (at + length > max) {
      const rest = byteString(bytes, at);
      return {
        kind: "invalid",
        message: `unable to decode channel, pos=${at} len=${length} max=${max} (string=${rest})`,
      };
    }
    channels.push(byteString(bytes, at, at + length));
    at += length;
  }
  return { kind: "ok", channels };
}
