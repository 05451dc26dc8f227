import { invariant, type TimestampNanos } from "@nats-streaming/kernel";
import { byteStringToText } from "@nats-streaming/protocol";
import { decodeMsgProto } from "@nats-streaming/protocol/stan";
import { LOOKUP_COLD, LOOKUP_NONE, type StoredMessage, StoreError } from "@nats-streaming/store";
import type { Channel } from "./channel.ts";

/** Where reading begins. */
export type MessageStart =
  | { readonly kind: "sequence"; readonly sequence: number }
  /** The first that was stored at that time or later. */
  | { readonly kind: "time"; readonly timestamp: TimestampNanos }
  /** So many from the end. */
  | { readonly kind: "last"; readonly count: number };

/** How much is looked at in one go. */
export interface MessageLimits {
  /** Messages at most. */
  readonly count: number;
  /** Bytes of data at most; the first message always comes. */
  readonly bytes: number;
}

/** A stored message; the data is a copy. */
export interface InspectedMessage {
  readonly sequence: number;
  readonly timestamp: TimestampNanos;
  /** As the publisher gave it; mostly empty. */
  readonly reply: string;
  readonly data: Uint8Array;
}

/** Some messages of a channel. */
export interface InspectedMessages {
  readonly firstSequence: number;
  /** The last message that is durable. */
  readonly lastSequence: number;
  /** Ascending; gaps are left out. */
  readonly messages: readonly InspectedMessage[];
  /** Where the next page begins; 0 at the end. */
  readonly next: number;
}

/** Sequences that one call looks at: a gap of millions must not hold up the turn. */
const LOOKUPS_MAX = 10_000;
/** How often one call reads from the disk: a page never needs more than one read per message. */
const LOADS_MAX = 1_000;

/** Reads durable messages of a channel, from the disk where they are not in memory. @throws (rejects) StoreError */
export async function readMessages(
  channel: Channel,
  start: MessageStart,
  limits: MessageLimits,
): Promise<InspectedMessages> {
  const log = channel.store.messages;
  const out: StoredMessage = { bytes: new Uint8Array(0), start: 0, end: 0 };
  const messages: InspectedMessage[] = [];
  let sequence = Math.max(await startSequence(channel, start), log.firstSequence, 1);
  let size = 0;
  let loads = 0;
  for (let lookups = 0; lookups < LOOKUPS_MAX && sequence <= channel.flushedSequence; lookups++) {
    if (messages.length >= limits.count) break;
    let found = log.lookup(sequence, out);
    if (found === LOOKUP_COLD) {
      if (++loads > LOADS_MAX) throw new StoreError("read_failed", `message ${sequence} does not come into memory`);
      await log.load(sequence, limits.count - messages.length);
      found = log.lookup(sequence, out);
      if (found === LOOKUP_COLD) continue;
    }
    if (found !== LOOKUP_NONE && out.start < out.end) {
      const message = readMessage(sequence, out);
      size += message.data.length;
      if (messages.length > 0 && size > limits.bytes) break;
      messages.push(message);
    }
    sequence++;
  }
  const lastSequence = channel.flushedSequence;
  return { firstSequence: log.firstSequence, lastSequence, messages, next: sequence > lastSequence ? 0 : sequence };
}

function startSequence(channel: Channel, start: MessageStart): number | Promise<number> {
  switch (start.kind) {
    case "sequence":
      return start.sequence;
    case "time":
      return channel.store.messages.sequenceFromTimestamp(start.timestamp);
    case "last":
      return channel.flushedSequence - start.count + 1;
  }
}

function readMessage(sequence: number, { bytes, start, end }: StoredMessage): InspectedMessage {
  const decoded = decodeMsgProto(bytes, start, end);
  invariant(decoded.kind === "ok", "a stored message cannot be read");
  const { timestamp, reply, data } = decoded.value;
  return { sequence, timestamp, reply: byteStringToText(reply), data: data.slice() };
}
