import { encodeFields } from "../harness/protobuf.ts";

/** Any time of this century: nine bytes as a varint. */
const SOME_TIME = 1_800_000_000_000_000_000n;

/** Sum of the encoded MsgProtos of messages `first` to `last` of one channel: what a store has to keep of them. */
export function storedBytes(channel: string, payloadBytes: number, first: number, last: number): number {
  const sizeOf = (sequence: number): number =>
    encodeFields([
      [1, sequence],
      [2, channel],
      [4, Buffer.alloc(payloadBytes)],
      [5, SOME_TIME],
    ]).length;
  let bytes = 0;
  let from = first;
  // The size changes only where the sequence takes one more byte.
  for (let limit = 128; from <= last; limit *= 128) {
    if (from >= limit) continue;
    const to = Math.min(last, limit - 1);
    bytes += sizeOf(from) * (to - from + 1);
    from = to + 1;
  }
  return bytes;
}
