import { encodeAck } from "../../harness/stan-wire.ts";
import { CRLF, type LoadConnection } from "./connection.ts";

/** Acks that one write carries at most. */
const BATCH = 512;

/** Counts deliveries, checks their order, and acknowledges them, a chunk's worth at a time. */
export class Subscriber {
  readonly #connection: LoadConnection;
  readonly #ackInbox: string;
  readonly #channel: string;
  #delivered = 0;
  /** Prerendered ack commands that differ only in the sequence; valid for sequences of one length. */
  #records: Buffer = Buffer.alloc(0);
  #recordLength = 0;
  #sequenceLength = 0;
  #waiting = 0;

  constructor(connection: LoadConnection, channel: string, ackInbox: string) {
    this.#connection = connection;
    this.#channel = channel;
    this.#ackInbox = ackInbox;
  }

  get delivered(): number {
    return this.#delivered;
  }

  /** Takes one MsgProto. @throws Error when it is not the next in order. */
  take(bytes: Uint8Array, start: number): void {
    // Field 1, the sequence, always comes first: 08 and a varint.
    let position = start + 1;
    let byte = bytes[position]!;
    let sequence = byte & 0x7f;
    let scale = 128;
    while (byte >= 0x80) {
      byte = bytes[++position]!;
      sequence += (byte & 0x7f) * scale;
      scale *= 128;
    }
    if (sequence !== this.#delivered + 1) {
      throw new Error(`subscriber of ${this.#channel}: got ${sequence} after ${this.#delivered}`);
    }
    this.#delivered = sequence;
    const length = position - start;
    if (length !== this.#sequenceLength) this.#render(sequence, length);
    const at = this.#waiting * this.#recordLength + this.#recordLength - 2 - length;
    for (let index = 0; index < length; index++) this.#records[at + index] = bytes[start + 1 + index]!;
    if (++this.#waiting === BATCH) this.flush();
  }

  /** Sends the acks of what was taken. */
  flush(): void {
    if (this.#waiting === 0) return;
    this.#connection.write(Buffer.from(this.#records.subarray(0, this.#waiting * this.#recordLength)));
    this.#waiting = 0;
  }

  #render(sequence: number, length: number): void {
    this.flush();
    const ack = encodeAck(this.#channel, sequence);
    const record = Buffer.concat([Buffer.from(`PUB ${this.#ackInbox} ${ack.length}\r\n`), ack, CRLF]);
    this.#records = Buffer.concat(Array.from({ length: BATCH }, () => record));
    this.#recordLength = record.length;
    this.#sequenceLength = length;
  }
}
