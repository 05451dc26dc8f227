import { readMsgProtoTimestamp } from "@nats-streaming/protocol/stan";
import type { ByteRange, MessageArena } from "@nats-streaming/store";
import type { MessageColumns } from "../database.ts";

/** Messages of one log that a batch inserts. */
export interface MessagePart {
  /** Channel number. */
  readonly channel: number;
  readonly arena: MessageArena;
  readonly from: number;
  readonly to: number;
  /** At least as many as there are, and at least their size: some may have been removed since they were appended. */
  readonly count: number;
  readonly bytes: number;
}

/**
 * Copies the messages of a batch out of their arenas, into a few flat arrays: these go to another thread as they are,
 * where objects would be copied one by one, and the arenas are free to change.
 */
export function packMessages(parts: readonly MessagePart[]): MessageColumns {
  let count = 0;
  let size = 0;
  for (const part of parts) {
    count += part.count;
    size += part.bytes;
  }
  if (count === 0) return NO_MESSAGES;
  const channels = new Int32Array(count);
  const sequences = new Float64Array(count);
  const timestamps = new BigInt64Array(count);
  const starts = new Uint32Array(count + 1);
  // Every byte up to the last start is written below.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(size).buffer, 0, size);
  let n = 0;
  let at = 0;
  for (const { channel, arena, from, to } of parts) {
    for (let s = arena.nextSequence(from); s !== 0 && s <= to; s = arena.nextSequence(s + 1)) {
      arena.locate(s, place);
      const { start, end } = place;
      channels[n] = channel;
      sequences[n] = s;
      timestamps[n] = readMsgProtoTimestamp(place.bytes, start, end);
      bytes.set(place.bytes.subarray(start, end), at);
      at += end - start;
      n++;
      starts[n] = at;
    }
  }
  place.bytes = NO_BYTES;
  if (n === count) return { count, channels, sequences, timestamps, starts, bytes };
  return {
    count: n,
    channels: channels.subarray(0, n),
    sequences: sequences.subarray(0, n),
    timestamps: timestamps.subarray(0, n),
    starts: starts.subarray(0, n + 1),
    bytes: bytes.subarray(0, at),
  };
}

const NO_BYTES = new Uint8Array(0);

export const NO_MESSAGES: MessageColumns = {
  count: 0,
  channels: new Int32Array(0),
  sequences: new Float64Array(0),
  timestamps: new BigInt64Array(0),
  starts: new Uint32Array(1),
  bytes: NO_BYTES,
};

const place: ByteRange = { bytes: NO_BYTES, start: 0, end: 0 };
