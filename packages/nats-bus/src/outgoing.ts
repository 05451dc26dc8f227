import { BusError } from "@nats-streaming/kernel";

/*
 * What goes out. The client makes a string, a Uint8Array of it and three list entries per message, and joins them all
 * again before it writes. Here messages are composed straight into a chunk, and the client gets one piece per turn. That is
 * where most of the cost of sending lies when one message goes to many subscribers.
 */

/** A chunk is handed out in pieces until it is used up. 64 KiB halves the writes of 16 KiB; more wins nothing. */
const CHUNK_SIZE = 64 * 1024;

/**
 * Longest control line that a NATS server accepts as it comes. It ends the connection over a longer one, so a peer with an
 * absurd inbox would take every client of ours off the network.
 */
export const CONTROL_LINE_MAX = 4_096;

/** `PUB `, two blanks, a size of up to ten digits and the line end. */
const CONTROL_OVERHEAD = 18;

const LOOP_BYTES_MAX = 192;

const DIGITS_FROM = 0x30;
const SPACE = 0x20;
const CR = 0x0d;
const LF = 0x0a;

/** Composes publishes and hands them on once per turn. */
export interface Outgoing {
  /**
   * Adds a message; the payload is copied.
   * @throws BusError `bad_subject`; then nothing was added
   */
  publish(subject: string, reply: string, bytes: Uint8Array, start: number, end: number): void;
  /** Hands on at once what has gathered, for what has to come after it. */
  flush(): void;
}

/** @param send takes over a piece of memory, which is never touched again here */
export function createOutgoing(send: (piece: Uint8Array) => void): Outgoing {
  return new ChunkedOutgoing(send);
}

class ChunkedOutgoing implements Outgoing {
  readonly #send: (piece: Uint8Array) => void;
  #chunk: Uint8Array = Buffer.allocUnsafeSlow(CHUNK_SIZE);
  /** `chunk[from, to)` waits to be handed on. */
  #from = 0;
  #to = 0;
  #scheduled = false;

  constructor(send: (piece: Uint8Array) => void) {
    this.#send = send;
  }

  publish(subject: string, reply: string, bytes: Uint8Array, start: number, end: number): void {
    const control = CONTROL_OVERHEAD + subject.length + reply.length;
    if (subject === "" || control > CONTROL_LINE_MAX) throw badSubject(subject);
    const size = end - start;
    this.#reserve(control + size + 2);
    const chunk = this.#chunk;
    let at = this.#to;
    chunk[at] = 0x50;
    chunk[at + 1] = 0x55;
    chunk[at + 2] = 0x42;
    chunk[at + 3] = SPACE;
    at = writeSubject(chunk, at + 4, subject);
    chunk[at++] = SPACE;
    if (reply !== "") {
      at = writeSubject(chunk, at, reply);
      chunk[at++] = SPACE;
    }
    at = writeDecimal(chunk, at, size);
    chunk[at] = CR;
    chunk[at + 1] = LF;
    at += 2;
    if (size > LOOP_BYTES_MAX) chunk.set(bytes.subarray(start, end), at);
    else for (let i = 0; i < size; i++) chunk[at + i] = bytes[start + i]!;
    at += size;
    chunk[at] = CR;
    chunk[at + 1] = LF;
    this.#to = at + 2;
    if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(() => {
        this.#scheduled = false;
        this.flush();
      });
    }
  }

  flush(): void {
    if (this.#to === this.#from) return;
    const piece = this.#chunk.subarray(this.#from, this.#to);
    this.#from = this.#to;
    this.#send(piece);
  }

  #reserve(size: number): void {
    if (this.#to + size <= this.#chunk.length) return;
    this.flush();
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_SIZE, size));
    this.#from = 0;
    this.#to = 0;
  }
}

/** @throws BusError `bad_subject`, when it could not be told from the rest of the line */
function writeSubject(target: Uint8Array, at: number, subject: string): number {
  const length = subject.length;
  for (let i = 0; i < length; i++) {
    const code = subject.charCodeAt(i);
    if (isBlank(code) || code > 0xff) throw badSubject(subject);
    target[at + i] = code;
  }
  return at + length;
}

function writeDecimal(target: Uint8Array, at: number, value: number): number {
  let end = at + 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) end++;
  let rest = value;
  for (let i = end - 1; i >= at; i--) {
    const tenth = Math.floor(rest / 10);
    target[i] = DIGITS_FROM + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}

/** Room in the line of a subscription for all but the subject: the operation, a queue group and a number. */
const SUBSCRIBE_OVERHEAD = 32;

/**
 * Checks the subject of a subscription and its queue group (empty for none).
 * @throws BusError `bad_subject`
 */
export function checkSubscription(subject: string, queue: string): void {
  const tooLong = subject.length + queue.length > CONTROL_LINE_MAX - SUBSCRIBE_OVERHEAD;
  if (subject === "" || tooLong) throw badSubject(subject);
  for (const text of [subject, queue]) {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (isBlank(code) || code > 0xff) throw badSubject(text);
    }
  }
}

function isBlank(code: number): boolean {
  return code === SPACE || (code <= CR && code >= 0x09);
}

/** Of a long subject only this much is shown. */
const SHOWN_MAX = 100;

function badSubject(subject: string): BusError {
  const shown = subject.length > SHOWN_MAX ? `${subject.slice(0, SHOWN_MAX)}…` : subject;
  const rule = `with its reply it has 1 to ${CONTROL_LINE_MAX} bytes, no blanks, and no characters above U+00FF`;
  return new BusError("bad_subject", `invalid subject ${JSON.stringify(shown)}: ${rule}`);
}
