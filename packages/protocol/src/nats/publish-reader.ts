import { CR, LF, SPACE, ZERO } from "./ascii.ts";
import { SIZE_DIGITS_MAX } from "./decimal.ts";
import { type MutableFrame, NO_BYTES } from "./frame.ts";

/*
 * The hot path of the parser: `PUB subject [reply] size` with its payload, complete in one chunk and written the way every
 * client writes it (upper case, single spaces, CR LF). Anything else is left to the general parser, which decides what it is.
 *
 * What it buys: no state is kept and nothing is allocated per message; and since most publishers use the same subject and
 * reply time after time, the line is first compared, four bytes at a time, with the one before. Equal up to the size, it
 * needs neither splitting nor, further on, another lookup of its subject.
 */

/** Returned when the general parser has to look at the input. */
export const NOT_IN_PLACE = -1;

/** Longest `PUB subject reply ` that is remembered from one chunk to the next. */
const HEAD_MAX = 512;

/** The shortest publish there is: `PUB a 0\r\n\r\n`. */
const PUBLISH_MIN = 11;

/** `PUB ` as the four bytes of a little-endian number. */
const PUB_ = 0x20425550;

export interface PublishReader {
  /** Reads the publish at `at` into the frame. Returns the position behind it, or {@link NOT_IN_PLACE}. */
  read(bytes: Uint8Array, at: number, end: number): number;
  /** The next message will be of another series: one of another kind came in between. */
  forget(): void;
  /** The memory that was read from is about to change. */
  leave(): void;
}

/** A reader that writes into `frame`. */
export function createPublishReader(frame: MutableFrame, maxControlLine: number, maxPayload: number): PublishReader {
  return new Reader(frame, maxControlLine, maxPayload);
}

class Reader implements PublishReader {
  readonly #frame: MutableFrame;
  readonly #maxControlLine: number;
  readonly #maxPayload: number;
  /**
   * The previous `PUB subject reply `, up to the first digit of the size. It stays where it was read, at `#headAt` of the
   * chunk, and is copied only when the chunk is left.
   */
  #head: Uint8Array = NO_BYTES;
  #headView: DataView = new DataView(NO_BYTES.buffer);
  #headAt = 0;
  #headLength = 0;
  /** Places within the head. */
  #subjectEnd = 0;
  #replyStart = 0;
  #replyEnd = 0;
  #tailStart = 0;
  /** Where the head is copied to. */
  #kept: Uint8Array = NO_BYTES;
  #keptView: DataView = this.#headView;

  constructor(frame: MutableFrame, maxControlLine: number, maxPayload: number) {
    this.#frame = frame;
    this.#maxControlLine = maxControlLine;
    this.#maxPayload = maxPayload;
  }

  forget(): void {
    this.#headLength = 0;
  }

  leave(): void {
    if (this.#headLength === 0 || this.#head === this.#kept) return;
    if (this.#headLength > HEAD_MAX) {
      this.#headLength = 0;
    } else {
      if (this.#kept.length === 0) {
        this.#kept = new Uint8Array(HEAD_MAX);
        this.#keptView = new DataView(this.#kept.buffer);
      }
      this.#kept.set(this.#head.subarray(this.#headAt, this.#headAt + this.#headLength));
    }
    this.#head = this.#kept;
    this.#headView = this.#keptView;
    this.#headAt = 0;
  }

  read(bytes: Uint8Array, at: number, end: number): number {
    if (end - at < PUBLISH_MIN) return NOT_IN_PLACE;
    const frame = this.#frame;
    if (frame.bytes !== bytes) {
      frame.bytes = bytes;
      frame.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const repeated = this.#headLength > 0 && this.#startsAsBefore(frame, at, end);
    if (!repeated && !this.#split(bytes, frame.view, at, end)) return NOT_IN_PLACE;

    const sizeStart = at + this.#headLength;
    let position = sizeStart;
    let size = 0;
    for (; position < end; position++) {
      const digit = bytes[position]! - ZERO;
      if (digit < 0 || digit > 9) break;
      size = size * 10 + digit;
      // More digits than a size may have: before the number leaves the range of small integers.
      if (position - sizeStart >= SIZE_DIGITS_MAX) return NOT_IN_PLACE;
    }
    const payloadStart = position + 2;
    const payloadEnd = payloadStart + size;
    if (
      position === sizeStart ||
      payloadEnd + 2 > end ||
      bytes[position] !== CR ||
      bytes[position + 1] !== LF ||
      bytes[payloadEnd] !== CR ||
      bytes[payloadEnd + 1] !== LF ||
      size > this.#maxPayload ||
      position - at - 4 > this.#maxControlLine
    ) {
      return NOT_IN_PLACE;
    }
    frame.subjectStart = at + 4;
    frame.subjectEnd = at + this.#subjectEnd;
    frame.replyStart = at + this.#replyStart;
    frame.replyEnd = at + this.#replyEnd;
    frame.sizeStart = sizeStart;
    frame.sizeEnd = position;
    frame.headerSize = -1;
    frame.payloadStart = payloadStart;
    frame.payloadEnd = payloadEnd;
    frame.tailStart = at + this.#tailStart;
    if (!repeated) frame.series++;
    return payloadEnd + 2;
  }

  #startsAsBefore(frame: MutableFrame, at: number, end: number): boolean {
    const length = this.#headLength;
    const view = frame.view;
    if (at + length >= end) return false;
    const head = this.#headView;
    const headAt = this.#headAt;
    const wide = length - 3;
    let i = 0;
    for (; i < wide; i += 4) {
      if (view.getInt32(at + i, true) !== head.getInt32(headAt + i, true)) return false;
    }
    for (; i < length; i++) {
      if (view.getUint8(at + i) !== head.getUint8(headAt + i)) return false;
    }
    if (this.#replyEnd > 0) return true;
    // Behind a subject alone may come a reply this time; the size is what the line ends with.
    const next = endOfToken(frame.bytes, view, at + length, end);
    return next < end && frame.bytes[next] !== SPACE;
  }

  /** Finds subject and reply and remembers the head. False when the line is not of the usual form. */
  #split(bytes: Uint8Array, view: DataView, at: number, end: number): boolean {
    this.#headLength = 0;
    if (view.getInt32(at, true) !== PUB_) return false;
    const subjectEnd = endOfToken(bytes, view, at + 4, end);
    if (subjectEnd === at + 4 || subjectEnd >= end || bytes[subjectEnd] !== SPACE) return false;
    const secondStart = subjectEnd + 1;
    const secondEnd = endOfToken(bytes, view, secondStart, end);
    if (secondEnd >= end || secondEnd === secondStart) return false;
    this.#subjectEnd = subjectEnd - at;
    this.#tailStart = secondStart - at;
    if (bytes[secondEnd] === SPACE) {
      this.#replyStart = secondStart - at;
      this.#replyEnd = secondEnd - at;
      this.#headLength = secondEnd + 1 - at;
    } else {
      this.#replyStart = 0;
      this.#replyEnd = 0;
      this.#headLength = secondStart - at;
    }
    this.#head = bytes;
    this.#headView = view;
    this.#headAt = at;
    return true;
  }
}

/** The first place from `start` with a byte that is a space or below; four bytes are looked at together. */
function endOfToken(bytes: Uint8Array, view: DataView, start: number, end: number): number {
  let position = start;
  for (const wide = end - 3; position < wide; position += 4) {
    const word = view.getInt32(position, true);
    // A byte's highest bit survives where the byte is below 0x21.
    if (((word - 0x21212121) & ~word & 0x80808080) !== 0) break;
  }
  while (position < end && bytes[position]! > SPACE) position++;
  return position;
}
