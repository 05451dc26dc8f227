import type { Decoded } from "../wire/fault.ts";
import { messageCodec } from "../wire/message.ts";

/** What a {@link MapEntry} says of its name. */
export const MapEntryKind = {
  /** The sender lists it and serves it. */
  owned: 1,
  /** The sender stores a channel of this name, whether it lists it or not. */
  stored: 2,
  /** Another server, which may be of another kind, has listed it. */
  heard: 3,
  /** The sender has refused another server because of it, or has been told of a conflict. */
  conflict: 4,
} as const;
export type MapEntryKind = (typeof MapEntryKind)[keyof typeof MapEntryKind];

/** One line of a partition map on its way. Strings are byte strings. @see docs/partition-protocol.md */
export interface MapEntry {
  /** A {@link MapEntryKind}, or what a later version adds. */
  readonly kind: number;
  /** Channel or pattern. */
  readonly name: string;
  /** The other server, where the kind speaks of one. */
  readonly serverId: string;
}

const codec = messageCodec<MapEntry>("MapEntry", {
  kind: [1, "int32"],
  name: [2, "text"],
  serverId: [3, "text"],
});

/** Fields left out have their default. The result belongs to the caller. */
export function encodeMapEntry(value: Partial<MapEntry>): Uint8Array {
  return codec.encode(value);
}

/** Reads `bytes[start, end)`. */
export function decodeMapEntry(bytes: Uint8Array, start = 0, end: number = bytes.length): Decoded<MapEntry> {
  return codec.decode(bytes, start, end);
}
