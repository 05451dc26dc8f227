import {
  type Clock,
  type Logger,
  type Sequence,
  sequence,
  type Timestamp,
  type TimestampNanos,
} from "@nats-streaming/kernel";
import { encodeSubjectField, msgProtoSize, readMsgProtoTime, writeMsgProto } from "@nats-streaming/protocol/stan";
import {
  type ByteRange,
  type ChannelLimits,
  createMessageArena,
  type IncomingMessage,
  LOOKUP_FOUND,
  LOOKUP_NONE,
  type Lookup,
  limitsReachedText,
  type MessageArena,
  type MessageLog,
  type StoredMessage,
} from "@nats-streaming/store";
import { createMessageExpiry, type MessageExpiry, noExpiry } from "./message-expiry.ts";

export interface MemoryMessageLogOptions {
  readonly channel: string;
  /** In force: 0 means unlimited. */
  readonly limits: ChannelLimits;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A log that can be told that it will not be used again. */
export interface MemoryMessageLog extends MessageLog {
  /** Stops the timer and lets go of all messages. Idempotent. */
  close(): void;
}

export function createMemoryMessageLog(options: MemoryMessageLogOptions): MemoryMessageLog {
  return new ArenaMessageLog(options);
}

/** Messages as encoded `MsgProto` in an arena. The arena is all there is: what it has removed is gone. */
class ArenaMessageLog implements MemoryMessageLog {
  readonly channel: string;
  readonly #arena: MessageArena = createMessageArena();
  /** Tag, length and name, as they stand in every message of the channel. */
  readonly #subjectField: Uint8Array;
  readonly #limits: ChannelLimits;
  /** Infinity when unlimited, which saves the hot path a branch each. */
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #logger: Logger;
  readonly #expiry: MessageExpiry;
  #expires: boolean;
  #warned = false;

  constructor({ channel, limits, clock, logger }: MemoryMessageLogOptions) {
    this.channel = channel;
    this.#subjectField = encodeSubjectField(channel);
    this.#limits = limits;
    this.#maxMessages = limits.maxMessages === 0 ? Number.POSITIVE_INFINITY : limits.maxMessages;
    this.#maxBytes = limits.maxBytes === 0 ? Number.POSITIVE_INFINITY : limits.maxBytes;
    this.#logger = logger;
    this.#expires = limits.maxAge > 0n;
    this.#expiry = this.#expires ? createMessageExpiry({ arena: this.#arena, clock, maxAge: limits.maxAge }) : noExpiry;
  }

  get firstSequence(): Sequence {
    return sequence(this.#arena.firstSequence);
  }

  get lastSequence(): Sequence {
    return sequence(this.#arena.lastSequence);
  }

  get count(): number {
    return this.#arena.count;
  }

  get bytes(): number {
    return this.#arena.bytes;
  }

  append(sequence: Sequence, message: IncomingMessage, timestamp: Timestamp): void {
    const arena = this.#arena;
    if (sequence <= arena.lastSequence) return;
    const { replyStart, replyEnd, dataStart, dataEnd } = message;
    const field = this.#subjectField;
    const size = msgProtoSize(sequence, field.length, replyEnd - replyStart, dataEnd - dataStart, timestamp);
    const at = arena.reserve(size);
    writeMsgProto(
      arena.reserved,
      at,
      sequence,
      field,
      message.bytes,
      replyStart,
      replyEnd,
      dataStart,
      dataEnd,
      timestamp,
    );
    arena.commit(sequence);
    if (arena.count > this.#maxMessages || arena.bytes > this.#maxBytes) this.#enforceLimits();
    if (this.#expires) this.#expiry.watch();
  }

  lookup(sequence: number, out: StoredMessage): Lookup {
    return this.#arena.locate(sequence, out) ? LOOKUP_FOUND : LOOKUP_NONE;
  }

  /** Everything is in memory. */
  async load(): Promise<void> {}

  sequenceFromTimestamp(timestamp: TimestampNanos): number {
    return findSequence(this.#arena, timestamp);
  }

  empty(): void {
    this.#expiry.stop();
    this.#arena.clear();
  }

  close(): void {
    this.#expires = false;
    this.empty();
  }

  #enforceLimits(): void {
    const arena = this.#arena;
    while (arena.count > 1 && (arena.count > this.#maxMessages || arena.bytes > this.#maxBytes)) {
      arena.removeFirst();
      if (this.#warned) continue;
      this.#warned = true;
      this.#logger.warn(limitsReachedText(this.channel, arena.count, arena.bytes, this.#limits));
    }
  }
}

/**
 * The first message not before `timestamp`, by halving the range of sequences; for the very time of the last message, the
 * last one, though others may have that time too.
 * @see store-interface.md 8
 */
function findSequence(arena: MessageArena, timestamp: TimestampNanos): number {
  // 0 when nothing was ever stored, last + 1 when everything is gone.
  if (arena.count === 0) return arena.firstSequence;
  const nanos = Number(((timestamp % 1_000_000n) + 1_000_000n) % 1_000_000n);
  const millis = Number((timestamp - BigInt(nanos)) / 1_000_000n);

  const found: ByteRange = { bytes: new Uint8Array(0), start: 0, end: 0 };
  const stored: Timestamp = { millis: 0, nanos: 0 };
  /** Below 0 when the message is earlier than asked for, above 0 when later. */
  const compare = (sequence: number): number => {
    arena.locate(sequence, found);
    readMsgProtoTime(found.bytes, found.start, found.end, stored);
    return stored.millis === millis ? stored.nanos - nanos : stored.millis - millis;
  };

  const first = arena.firstSequence;
  const last = arena.lastSequence;
  if (compare(first) >= 0) return first;
  const atLast = compare(last);
  if (atLast <= 0) return atLast === 0 ? last : last + 1;

  let low = first + 1;
  let high = last;
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    const present = arena.nextSequence(middle);
    if (compare(present) >= 0) high = middle;
    else low = present + 1;
  }
  return arena.nextSequence(low);
}
