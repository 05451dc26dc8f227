import { encodePubMsg } from "../../harness/stan-wire.ts";
import { WINDOW } from "../job.ts";
import { CRLF, type LoadConnection } from "./connection.ts";

/** Messages that one write carries. */
const BATCH = 256;

export { WINDOW } from "../job.ts";

const GUID_LENGTH = 22;
const DIGITS = 10;
/** Digits at the end of a channel's name, where there are several. */
const CHANNEL_DIGITS = 5;
const ZERO = 0x30;
const NINE = 0x39;

export interface PublisherOptions {
  readonly connection: LoadConnection;
  readonly messages: number;
  readonly payloadBytes: number;
  readonly clientId: string;
  readonly connectionId: string;
  /** The channel, or how the names of several begin; a number of five digits follows then. */
  readonly channel: string;
  /** What the NATS subject has before the channel's name. */
  readonly pubPrefix: string;
  /** How many channels take turns; 1 by default. */
  readonly channels?: number;
  /** Where the acks go. */
  readonly reply: string;
  /** Messages under way at most; {@link WINDOW} by default. */
  readonly window?: number;
}

/**
 * Sends prerendered PUB commands. Every record has the same bytes but for the number in its guid, so a batch is
 * rendered once and only its digits change from one sending to the next.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #record: Buffer;
  readonly #guidAt: number;
  /** Where the numbers of the channel's name end in a record: in the subject and in the message. */
  readonly #channelEnds: readonly number[];
  readonly #channels: number;
  /** Batches whose bytes are not on their way. */
  readonly #free: Buffer[] = [];
  /** Which numbers were acknowledged, to find one that is acknowledged twice. */
  readonly #seen: Uint8Array;
  readonly #window: number;
  #sent = 0;
  #acked = 0;
  #lastSent: () => void = () => {};
  /** Settles when the last message has gone out. */
  readonly allSent: Promise<void> = new Promise((resolve) => {
    this.#lastSent = resolve;
  });

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#window = options.window ?? WINDOW;
    this.#channels = options.channels ?? 1;
    const channel = this.#channels === 1 ? options.channel : options.channel + "0".repeat(CHANNEL_DIGITS);
    const guid = "G".repeat(GUID_LENGTH - DIGITS) + "0".repeat(DIGITS);
    const message = encodePubMsg({
      clientId: options.clientId,
      guid,
      channel,
      data: Buffer.alloc(options.payloadBytes, "x"),
      connectionId: options.connectionId,
    });
    const subject = `PUB ${options.pubPrefix}.${channel}`;
    const head = Buffer.from(`${subject} ${options.reply} ${message.length}\r\n`);
    this.#record = Buffer.concat([head, message, CRLF]);
    this.#guidAt = head.length + message.indexOf(guid);
    this.#channelEnds = [subject.length, head.length + message.indexOf(channel) + channel.length];
    this.#seen = new Uint8Array(options.messages);
    for (let slot = 0; slot < WINDOW / BATCH; slot++) {
      this.#free.push(Buffer.concat(Array.from({ length: BATCH }, () => this.#record)));
    }
  }

  get sent(): number {
    return this.#sent;
  }

  get acked(): number {
    return this.#acked;
  }

  get isDone(): boolean {
    return this.#acked === this.#options.messages;
  }

  /** Sends as many batches as the window admits. */
  pump(): void {
    const { messages, connection } = this.#options;
    while (this.#sent < messages) {
      const count = Math.min(BATCH, this.#window, messages - this.#sent);
      if (this.#sent + count - this.#acked > this.#window) return;
      const batch = this.#free.pop();
      if (batch === undefined) return;
      this.#number(batch, count);
      connection.write(count === BATCH ? batch : batch.subarray(0, count * this.#record.length), () => {
        this.#free.push(batch);
        if (this.#sent < messages) this.pump();
        else if (this.#free.length === WINDOW / BATCH) this.#lastSent();
      });
    }
  }

  /** Counts the message with this number as acknowledged. @throws Error when it was before, or was never sent. */
  countAck(number: number): void {
    if (number >= this.#sent || this.#seen[number] !== 0) throw new Error(`message ${number} acknowledged unasked`);
    this.#seen[number] = 1;
    this.#acked++;
  }

  /** Without acks, from the other end: this many have arrived. */
  countArrived(count: number): void {
    this.#acked = count;
  }

  /** Writes the numbers of the next `count` messages into their guids. */
  #number(batch: Buffer, count: number): void {
    const step = this.#record.length;
    const last = this.#guidAt + GUID_LENGTH - 1;
    for (let index = 0; index < count; index++) {
      const number = this.#sent++;
      if (this.#channels > 1) {
        for (const end of this.#channelEnds) {
          writeDigits(batch, index * step + end - 1, number % this.#channels, CHANNEL_DIGITS);
        }
      }
      const position = index * step + last;
      writeDigits(batch, position, number, DIGITS);
    }
  }
}

/** Writes a number that ends at a position. */
function writeDigits(bytes: Uint8Array, position: number, number: number, digits: number): void {
  let rest = number;
  for (let digit = 0; digit < digits; digit++) {
    bytes[position - digit] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}

/** Size of a PubAck that says "stored": tag, length and guid. */
const ACK_BYTES = 2 + GUID_LENGTH;

/** The number in a PubAck. @throws Error when the payload is an error or anything else. */
export function readPubAck(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== ACK_BYTES) {
    throw new Error(`a publish was refused: ${Buffer.from(bytes.slice(start, end)).toString("latin1")}`);
  }
  let number = 0;
  for (let position = end - DIGITS; position < end; position++) {
    const digit = bytes[position]!;
    if (digit < ZERO || digit > NINE) throw new Error("a PubAck with a guid that was never sent");
    number = number * 10 + digit - ZERO;
  }
  return number;
}
