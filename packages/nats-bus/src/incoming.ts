import type { BusMessage } from "@nats-streaming/kernel";
import type { RawMessage } from "./client.ts";

const NO_BYTES = new Uint8Array(0);

/**
 * The one message object that handlers see, pointed at each message in turn. Subject and reply become strings only when a
 * handler looks at them: a publish needs no subject, an ack no reply.
 */
export class IncomingMessage implements BusMessage {
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  end = 0;
  #raw: RawMessage | undefined;
  #subject: string | undefined;
  #reply: string | undefined;

  get subject(): string {
    this.#subject ??= latin1(this.#raw?._msg.subject);
    return this.#subject;
  }

  get reply(): string {
    this.#reply ??= latin1(this.#raw?._msg.reply);
    return this.#reply;
  }

  show(raw: RawMessage): void {
    this.#raw = raw;
    this.#subject = undefined;
    this.#reply = undefined;
    this.bytes = raw._rdata;
    this.start = Math.max(raw._msg.hdr, 0);
    this.end = raw._rdata.length;
  }
}

const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
};

/** Without making a Buffer of the bytes first, as `toString` would need. */
function latin1(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : latin1Slice.call(bytes, 0, bytes.length);
}
