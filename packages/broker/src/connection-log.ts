import type { Logger } from "@nats-streaming/kernel";
import type { ConnectOptions, MessageFrame } from "@nats-streaming/protocol/nats";
import { keyOfBytes } from "./subject-key.ts";
import type { Subscription } from "./subscription.ts";

/** So much of a payload a trace line shows. */
const TRACED_BYTES_MAX = 1_024;

/** The log lines of one connection, of a client or a route: `127.0.0.1:4711 - cid:5 - "v2.29.3:nats.js:orders" - text`. */
export class ConnectionLog {
  /** Whether operations are traced: asked once, since every message would have to ask. */
  isTracing: boolean;
  readonly #logger: Logger;
  #prefix: string;

  /** @param label such as `cid:5`. */
  constructor(logger: Logger, address: string, port: number, label: string) {
    this.#logger = logger;
    this.isTracing = logger.traceEnabled;
    this.#prefix = `${address.includes(":") ? `[${address}]` : address}:${port} - ${label} - `;
  }

  /** What the logger writes may have changed. */
  refresh(): void {
    this.isTracing = this.#logger.traceEnabled;
  }

  /** A line that names the client itself, if it does at all. */
  plain(text: string): void {
    this.#logger.info(text);
  }

  /** From now on lines say what the client says of itself. */
  setClient(options: ConnectOptions): void {
    const version = options.version === "" ? "" : `v${options.version}`;
    const label = [version, options.lang, options.name].filter((part) => part !== "").join(":");
    const place = this.#prefix.replace(/( - \w+:\d+ - ).*$/, "$1");
    this.#prefix = label === "" ? place : `${place}${JSON.stringify(label)} - `;
  }

  debug(text: string): void {
    if (this.#logger.debugEnabled) this.#logger.debug(this.#prefix + text);
  }

  info(text: string): void {
    this.#logger.info(this.#prefix + text);
  }

  warn(text: string): void {
    this.#logger.warn(this.#prefix + text);
  }

  error(text: string): void {
    this.#logger.error(this.#prefix + text);
  }

  trace(text: () => string): void {
    if (this.isTracing) this.#logger.trace(this.#prefix + text());
  }

  /** @param verb of a message without headers. */
  traceIn(frame: MessageFrame, verb: "PUB" | "RMSG" = "PUB"): void {
    const { bytes, subjectStart, payloadStart, payloadEnd } = frame;
    this.trace(
      () =>
        `<<- [${frame.headerSize < 0 ? verb : verb === "PUB" ? "HPUB" : "HMSG"} ${keyOfBytes(bytes, subjectStart, frame.sizeEnd)}]`,
    );
    const shown = Math.min(payloadEnd, payloadStart + TRACED_BYTES_MAX);
    this.trace(() => `<<- MSG_PAYLOAD: [${JSON.stringify(keyOfBytes(bytes, payloadStart, shown))}]`);
  }

  traceOut(subscription: Subscription, frame: MessageFrame): void {
    const { bytes } = frame;
    const subject = keyOfBytes(bytes, frame.subjectStart, frame.subjectEnd);
    const reply = keyOfBytes(bytes, frame.replyStart, frame.replyEnd);
    const size = frame.payloadEnd - frame.payloadStart;
    this.#traceDelivery(frame.headerSize > 0 ? "HMSG" : "MSG", subject, subscription, reply, size);
  }

  traceLocalOut(subscription: Subscription, subject: string, reply: string, size: number): void {
    this.#traceDelivery("MSG", subject, subscription, reply, size);
  }

  #traceDelivery(verb: string, subject: string, subscription: Subscription, reply: string, size: number): void {
    this.trace(() => `->> [${verb} ${subject} ${subscription.sid}${reply === "" ? "" : ` ${reply}`} ${size}]`);
  }
}
