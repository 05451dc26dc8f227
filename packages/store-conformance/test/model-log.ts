import {
  type Clock,
  type Logger,
  nowNanos,
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
  readonly last: number;
  readonly messages: readonly ExpectedMessage[];
}

export const NEW_LOG: LogState = { last: 0, messages: [] };

/** A message log by the letter of the contract. Messages are cold until loaded, one at a time. */
export class ModelLog implements MessageLog {
  readonly channel: string;
  readonly #limits: ChannelLimits;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #messages: ExpectedMessage[] = [];
  #last = 0;
  #bytes = 0;
  #warm = 0;
  #warned = false;

  constructor(channel: string, limits: ChannelLimits, clock: Clock, logger: Logger, state: LogState = NEW_LOG) {
    this.channel = channel;
    this.#limits = limits;
    this.#clock = clock;
    this.#logger = logger;
    this.restore(state);
    this.expire();
    this.#enforce(false);
  }

  get firstSequence(): Sequence {
    return sequence(this.#messages[0]?.sequence ?? (this.#last === 0 ? 0 : this.#last + 1));
  }

  get lastSequence(): Sequence {
    return sequence(this.#last);
  }

  get count(): number {
    return this.#messages.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A copy of what the log holds. */
  state(): LogState {
    return { last: this.#last, messages: [...this.#messages] };
  }

  restore({ last, messages }: LogState): void {
    this.#last = last;
    this.#messages = [...messages];
    this.#bytes = messages.reduce((sum, message) => sum + sizeOf(message), 0);
  }

  append(sequence: Sequence, message: IncomingMessage, at: Timestamp): void {
    if (sequence <= this.#last) return;
    const timestamp = toNanos(at);
    const { bytes, replyStart, replyEnd, dataStart, dataEnd } = message;
    const empty = { channel: this.channel, reply: "", data: new Uint8Array(0), timestamp };
    for (let s = this.#last + 1; this.#last > 0 && s < sequence; s++) this.#push({ ...empty, sequence: s });
    const reply = Buffer.from(bytes.subarray(replyStart, replyEnd)).toString("latin1");
    this.#push({ ...empty, sequence, reply, data: bytes.slice(dataStart, dataEnd) });
    this.#enforce(true);
  }

  lookup(sequence: number, out: StoredMessage): Lookup {
    const found = this.#find(sequence);
    if (found === undefined) return LOOKUP_NONE;
    if (sequence !== this.#warm) return LOOKUP_COLD;
    out.bytes = encodedMessage(found);
    out.start = 0;
    out.end = out.bytes.length;
    return LOOKUP_FOUND;
  }

  async load(from: number, _count: number): Promise<void> {
    this.#warm = from;
  }

  async sequenceFromTimestamp(timestamp: TimestampNanos): Promise<number> {
    if (this.#messages.length === 0) return this.firstSequence;
    return this.#messages.find((message) => message.timestamp >= timestamp)?.sequence ?? this.#last + 1;
  }

  empty(): void {
    this.restore(NEW_LOG);
  }

  expire(): void {
    if (this.#limits.maxAge === 0n) return;
    const now = nowNanos(this.#clock);
    const isDue = (message: ExpectedMessage) => now - message.timestamp >= this.#limits.maxAge;
    while (this.#messages.length > 0 && isDue(this.#messages[0]!)) this.#removeFirst();
  }

  /** Without gaps, a message's place is its distance from the first. */
  #find(sequence: number): ExpectedMessage | undefined {
    return this.#messages[sequence - this.firstSequence];
  }

  #enforce(warn: boolean): void {
    const { maxMessages, maxBytes } = this.#limits;
    const isOver = () => (maxMessages > 0 && this.count > maxMessages) || (maxBytes > 0 && this.#bytes > maxBytes);
    while (this.count > 1 && isOver()) {
      this.#removeFirst();
      if (warn && !this.#warned) {
        this.#warned = true;
        this.#logger.warn(limitsReachedText(this.channel, this.count, this.#bytes, this.#limits));
      }
    }
  }

  #push(message: ExpectedMessage): void {
    this.#messages.push(message);
    this.#last = message.sequence;
    this.#bytes += sizeOf(message);
  }

  #removeFirst(): void {
    const removed = this.#messages.shift();
    if (removed !== undefined) this.#bytes -= sizeOf(removed);
  }
}

function sizeOf(message: ExpectedMessage): number {
  return countedSize(message, true) + MODEL_OVERHEAD;
}
