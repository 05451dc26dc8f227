import {
  type Clock,
  type Logger,
  type Sequence,
  sequence,
  type Timestamp,
  type TimestampNanos,
  toNanos,
} from "@nats-streaming/kernel";
import {
  type ChannelLimits,
  type IncomingMessage,
  LOOKUP_COLD,
  LOOKUP_FOUND,
  LOOKUP_NONE,
  type Lookup,
  limitsReachedText,
  type MessageLog,
  type StoredMessage,
} from "@nats-streaming/store";
import { countedSize, type ExpectedMessage, encodedMessage } from "../src/encoded-message.ts";

/** What the model counts for each message beyond its encoded size. */
export const MODEL_OVERHEAD = 40;

/** What of a log survives: replaced as a whole. */
export interface LogState {
  readonly first: number;
  readonly last: number;
  readonly messages: readonly ExpectedMessage[];
}

export const NEW_LOG: LogState = { first: 0, last: 0, messages: [] };

/** A message log by the letter of the contract, as slow as it likes. Messages are cold until loaded. */
export class ModelLog implements MessageLog {
  readonly channel: string;
  state: LogState;
  readonly #limits: ChannelLimits;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #warm = new Set<number>();
  #warned = false;

  constructor(channel: string, limits: ChannelLimits, clock: Clock, logger: Logger, state: LogState = NEW_LOG) {
    this.channel = channel;
    this.#limits = limits;
    this.#clock = clock;
    this.#logger = logger;
    this.state = state;
    this.expire();
    this.#enforce(false);
  }

  get firstSequence(): Sequence {
    return sequence(this.state.first);
  }

  get lastSequence(): Sequence {
    return sequence(this.state.last);
  }

  get count(): number {
    return this.state.messages.length;
  }

  get bytes(): number {
    return this.state.messages.reduce((sum, message) => sum + countedSize(message, true) + MODEL_OVERHEAD, 0);
  }

  append(sequence: Sequence, message: IncomingMessage, at: Timestamp): void {
    const { last } = this.state;
    if (sequence <= last) return;
    const timestamp = toNanos(at);
    const { bytes, replyStart, replyEnd, dataStart, dataEnd } = message;
    const empty = { channel: this.channel, reply: "", data: new Uint8Array(0), timestamp };
    const filling = [];
    for (let s = last + 1; last > 0 && s < sequence; s++) filling.push({ ...empty, sequence: s });
    const reply = Buffer.from(bytes.subarray(replyStart, replyEnd)).toString("latin1");
    const own = { ...empty, sequence, reply, data: bytes.slice(dataStart, dataEnd) };
    const messages = [...this.state.messages, ...filling, own];
    this.state = { first: messages[0]?.sequence ?? sequence, last: sequence, messages };
    this.#enforce(true);
  }

  lookup(sequence: number, out: StoredMessage): Lookup {
    const found = this.state.messages.find((message) => message.sequence === sequence);
    if (found === undefined) return LOOKUP_NONE;
    if (!this.#warm.has(sequence)) return LOOKUP_COLD;
    out.bytes = encodedMessage(found);
    out.start = 0;
    out.end = out.bytes.length;
    return LOOKUP_FOUND;
  }

  async load(from: number, _count: number): Promise<void> {
    this.#warm.clear();
    this.#warm.add(from);
  }

  async sequenceFromTimestamp(timestamp: TimestampNanos): Promise<number> {
    const { first, last, messages } = this.state;
    if (messages.length === 0) return first;
    return messages.find((message) => message.timestamp >= timestamp)?.sequence ?? last + 1;
  }

  empty(): void {
    this.state = NEW_LOG;
  }

  expire(): void {
    if (this.#limits.maxAge === 0n) return;
    const now: Timestamp = { millis: 0, nanos: 0 };
    this.#clock.read(now);
    const isDue = (message: ExpectedMessage) => toNanos(now) - message.timestamp >= this.#limits.maxAge;
    while (this.state.messages.length > 0 && isDue(this.state.messages[0]!)) this.#removeFirst();
  }

  #enforce(warn: boolean): void {
    const { maxMessages, maxBytes } = this.#limits;
    while (
      this.count > 1 &&
      ((maxMessages > 0 && this.count > maxMessages) || (maxBytes > 0 && this.bytes > maxBytes))
    ) {
      this.#removeFirst();
      if (warn && !this.#warned) {
        this.#warned = true;
        this.#logger.warn(limitsReachedText(this.channel, this.count, this.bytes, this.#limits));
      }
    }
  }

  #removeFirst(): void {
    const messages = this.state.messages.slice(1);
    this.state = { first: messages[0]?.sequence ?? this.state.last + 1, last: this.state.last, messages };
  }
}
