import type { BusMessage } from "@nats-streaming/kernel";
import type { MessageFrame } from "@nats-streaming/protocol/nats";
import type { Router } from "./router.ts";

const NO_BYTES: Uint8Array = new Uint8Array(0);
const NO_VIEW: DataView = new DataView(NO_BYTES.buffer);

/**
 * The one message object that local handlers see, pointed at each message in turn.
 *
 * What it buys: nothing is allocated per message, and the two strings are made only for a handler that looks at them.
 */
export class LocalMessage implements BusMessage {
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  end = 0;
  readonly #router: Router;
  #frame: MessageFrame | undefined;
  #series = 0;
  #view: DataView = NO_VIEW;
  #subject: string | undefined = "";
  #reply: string | undefined = "";
  #subjectStart = 0;
  #subjectEnd = 0;
  #replyStart = 0;
  #replyEnd = 0;

  constructor(router: Router) {
    this.#router = router;
  }

  get subject(): string {
    this.#subject ??= this.#router.textOf(this.bytes, this.#view, this.#subjectStart, this.#subjectEnd);
    return this.#subject;
  }

  get reply(): string {
    this.#reply ??= this.#router.textOf(this.bytes, this.#view, this.#replyStart, this.#replyEnd);
    return this.#reply;
  }

  /** Points at a message that came in by a socket. A handler sees the body; headers are left out. */
  show(frame: MessageFrame): void {
    // Strings read from the previous message hold for one of the same series.
    if (frame !== this.#frame || frame.series !== this.#series) {
      this.#frame = frame;
      this.#series = frame.series;
      this.#subject = undefined;
      this.#reply = undefined;
    }
    this.bytes = frame.bytes;
    this.#view = frame.view;
    this.#subjectStart = frame.subjectStart;
    this.#subjectEnd = frame.subjectEnd;
    this.#replyStart = frame.replyStart;
    this.#replyEnd = frame.replyEnd;
    this.start = frame.headerSize > 0 ? frame.payloadStart + frame.headerSize : frame.payloadStart;
    this.end = frame.payloadEnd;
  }

  /** Points at a message that came from a local bus. */
  showTexts(subject: string, reply: string, bytes: Uint8Array): void {
    this.#frame = undefined;
    this.bytes = bytes;
    this.#subject = subject;
    this.#reply = reply;
    this.start = 0;
    this.end = bytes.length;
  }

  /** Lets go of the memory it points at. */
  clear(): void {
    this.showTexts("", "", NO_BYTES);
  }
}
