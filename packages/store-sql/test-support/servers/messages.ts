import type { MessageColumns } from "../../src/database.ts";

/** A message of a test, as the table has it. */
export interface TestMessage {
  readonly channel: number;
  readonly sequence: number;
  readonly timestamp: bigint;
  readonly data: Uint8Array;
}

/** Messages in the form in which the store hands them over. */
export function columnsOf(messages: readonly TestMessage[]): MessageColumns {
  const starts = new Uint32Array(messages.length + 1);
  for (const [i, { data }] of messages.entries()) starts[i + 1] = starts[i]! + data.length;
  const bytes = new Uint8Array(starts[messages.length]!);
  for (const [i, { data }] of messages.entries()) bytes.set(data, starts[i]);
  return {
    count: messages.length,
    channels: Int32Array.from(messages, ({ channel }) => channel),
    sequences: Float64Array.from(messages, ({ sequence }) => sequence),
    timestamps: BigInt64Array.from(messages, ({ timestamp }) => timestamp),
    starts,
    bytes,
  };
}

/** `count` messages of a channel with data that differ in every byte, from sequence `from` on. */
export function testMessages(channel: number, from: number, count: number, size: number): TestMessage[] {
  return Array.from({ length: count }, (_, i) => ({
    channel,
    sequence: from + i,
    timestamp: 1_700_000_000_000_000_001n + BigInt(from + i),
    data: Uint8Array.from({ length: size }, (_unused, at) => (from + i + at * 7) & 0xff),
  }));
}
