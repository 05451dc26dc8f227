import { readMessageArguments, readSubscribeArguments, readUnsubscribeArguments } from "./arguments.ts";
import { CR, LF, SPACE, TAB } from "./ascii.ts";
import { controlLineExceeded, type ParseFault, unknownOperation } from "./faults.ts";
import { emptyFrame, type MutableFrame, NO_BYTES } from "./frame.ts";
import type { CommonLineHandler, LineHandler, RouteLineHandler } from "./line-handler.ts";
import { createPublishReader, NOT_IN_PLACE, type PublishReader } from "./publish-reader.ts";
import { readInterestArguments, readRoutedArguments } from "./route-arguments.ts";
import * as verbs from "./verbs.ts";

/** Length of an operation's arguments that nats-server accepts by default. */
export const MAX_CONTROL_LINE_DEFAULT = 4_096;

/** Payload that nats-server accepts by default: 1 MiB. */
export const MAX_PAYLOAD_DEFAULT = 1_048_576;

/** Whose operations are parsed, and who hears of them. */
export type LineParserOptions = LineParserLimits &
  (
    | { readonly side: "client" | "server"; readonly handler: LineHandler }
    | { readonly side: "route"; readonly handler: RouteLineHandler }
  );

/** What a peer may send at most. */
export interface LineParserLimits {
  /** Most bytes that the arguments of one operation may have. Default {@link MAX_CONTROL_LINE_DEFAULT}. */
  readonly maxControlLine?: number;
  /** Most bytes that a payload, headers included, may have. Default {@link MAX_PAYLOAD_DEFAULT}. */
  readonly maxPayload?: number;
}

/**
 * An incremental parser of the NATS line protocol. Input may be cut anywhere. What lies complete in one chunk is handed on
 * in place; only an operation that straddles chunks is copied, and never more of it than the limits allow.
 */
export interface LineParser {
  /**
   * Parses `bytes[start, end)`, which stays the caller's. Returns the fault that ended the parser, once; whatever is fed
   * after a fault, after {@link stop} or after a handler has thrown is ignored. What a handler throws is thrown on.
   */
  feed(bytes: Uint8Array, start?: number, end?: number): ParseFault | undefined;
  /** Ends the parser: nothing more is reported, not even what the present chunk still holds. For handlers. */
  stop(): void;
  /**
   * Keeps back whatever follows the present operation, for a handler whose answer takes time. Meant for the rest of a chunk:
   * all that is fed until {@link release} is kept, so no more should be read meanwhile.
   */
  hold(): void;
  /** Goes on behind {@link hold}. Returns as {@link feed}. */
  release(): ParseFault | undefined;
  /** While true, an operation that does not start with a `C` is a `connect_required` fault. Initially false. */
  connectRequired: boolean;
  /** While false, `HPUB` is a `headers_not_supported` fault. Initially false only for side `client`. */
  headersAllowed: boolean;
  /** Bytes held back of an operation that is not complete yet. */
  readonly bufferedBytes: number;
}

/** A parser at the start of a connection. */
export function createLineParser(options: LineParserOptions): LineParser {
  return new Parser(options);
}

/*
 * States. Arguments begin with the first byte that is not a blank, whatever it is: the reference takes even a line feed
 * there as their first byte.
 *
 *     VERB --complete--> [BLANK] --> BLANKS --other byte--> ARGUMENTS --LF--> VERB, or PAYLOAD --CR LF--> VERB
 *          '-- PING, PONG, +OK --> REST --LF--> VERB
 */
const VERB = 0;
const BLANK = 1;
const BLANKS = 2;
const ARGUMENTS = 3;
const REST = 4;
const PAYLOAD = 5;
const STOPPED = 6;

/** A buffer for straddling operations that has grown beyond this is given back after use. */
const CARRY_KEPT_MAX = 65_536;

/** First size of that buffer. */
const CARRY_FIRST = 512;

const PUB_SHAPE = { hasSid: false, hasHeaders: false };
const HPUB_SHAPE = { hasSid: false, hasHeaders: true };
const MSG_SHAPE = { hasSid: true, hasHeaders: false };
const HMSG_SHAPE = { hasSid: true, hasHeaders: true };
/** Of `RMSG`, and of `HMSG` on a route. Told apart by identity. */
const RMSG_SHAPE = { hasSid: false, hasHeaders: false };
const ROUTED_HMSG_SHAPE = { hasSid: false, hasHeaders: true };

class Parser implements LineParser {
  connectRequired = false;
  headersAllowed: boolean;
  readonly #handler: CommonLineHandler;
  /** The same, by what it hears of besides; one of them. */
  readonly #subscriptionHandler: LineHandler | undefined;
  readonly #routeHandler: RouteLineHandler | undefined;
  readonly #table: verbs.VerbTable;
  readonly #maxControlLine: number;
  readonly #maxPayload: number;
  /** Publishes that lie complete in a chunk, which is nearly all of them; only a client sends any. */
  readonly #publishes: PublishReader | undefined;
  readonly #frame: MutableFrame;
  #state = VERB;
  #isHeld = false;
  #backlog: Uint8Array = NO_BYTES;
  #verbState = 0;
  #verb = 0;
  #fault: ParseFault | undefined;
  /** What came before the present chunk of the operation under way: its arguments, then its payload. */
  #carry: Uint8Array = NO_BYTES;
  #carryLength = 0;
  /** In state PAYLOAD: the place in {@link #carry} where the payload starts, and its size. */
  #payloadAt = 0;
  #payloadSize = 0;

  constructor(options: LineParserOptions) {
    this.#handler = options.handler;
    this.#table = verbs.verbTable(options.side);
    this.#subscriptionHandler = options.side === "route" ? undefined : options.handler;
    this.#routeHandler = options.side === "route" ? options.handler : undefined;
    this.headersAllowed = options.side !== "client";
    this.#maxControlLine = options.maxControlLine ?? MAX_CONTROL_LINE_DEFAULT;
    this.#maxPayload = options.maxPayload ?? MAX_PAYLOAD_DEFAULT;
    this.#frame = emptyFrame();
    if (options.side === "client") {
      this.#publishes = createPublishReader(this.#frame, this.#maxControlLine, this.#maxPayload);
    }
  }

  get bufferedBytes(): number {
    return this.#carryLength + this.#backlog.length;
  }

  stop(): void {
    this.#state = STOPPED;
    this.#carry = NO_BYTES;
    this.#carryLength = 0;
    this.#backlog = NO_BYTES;
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): ParseFault | undefined {
    this.#isHeld = false;
    const backlog = this.#backlog;
    this.#backlog = NO_BYTES;
    return this.feed(backlog);
  }

  feed(bytes: Uint8Array, start = 0, end: number = bytes.length): ParseFault | undefined {
    let isHandled = false;
    try {
      this.#feed(bytes, start, end);
      isHandled = true;
    } finally {
      this.#publishes?.leave();
      // A handler that throws leaves the parser in the middle of nowhere.
      if (!isHandled) this.stop();
    }
    const fault = this.#fault;
    this.#fault = undefined;
    return fault;
  }

  #feed(bytes: Uint8Array, start: number, end: number): void {
    const publishes = this.#publishes;
    let at = start;
    while (at < end && this.#state !== STOPPED) {
      if (this.#isHeld) {
        this.#backlog = joined(this.#backlog, bytes.subarray(at, end));
        return;
      }
      if (publishes !== undefined && this.#state === VERB && this.#verbState === 0 && !this.connectRequired) {
        at = this.#readPublishes(publishes, bytes, at, end);
        if (at === end) return;
      }
      at = this.#step(bytes, at, end);
    }
  }

  /** Hands on publishes as long as they lie complete in the chunk. Returns where the first other thing is. */
  #readPublishes(publishes: PublishReader, bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    for (;;) {
      const next = publishes.read(bytes, at, end);
      if (next === NOT_IN_PLACE) return at;
      this.#handler.onMessage(this.#frame);
      if (this.#state === STOPPED) return end;
      at = next;
    }
  }

  /** Takes the operation under way one step further. Returns where to go on. */
  #step(bytes: Uint8Array, at: number, end: number): number {
    switch (this.#state) {
      case VERB:
        return this.#readVerb(bytes, at, end);
      case BLANK:
        if (bytes[at] === SPACE || bytes[at] === TAB) this.#state = BLANKS;
        else this.#fail(unknownOperation(bytes, at, end));
        return at + 1;
      case BLANKS: {
        let next = at;
        while (next < end && (bytes[next] === SPACE || bytes[next] === TAB)) next++;
        if (next < end) this.#state = ARGUMENTS;
        return next;
      }
      case ARGUMENTS:
        return this.#readArguments(bytes, at, end);
      case REST:
        return this.#readRest(bytes, at, end);
      case PAYLOAD:
        return this.#readPayload(bytes, at, end);
      default:
        return end;
    }
  }

  #readVerb(bytes: Uint8Array, start: number, end: number): number {
    if (this.#verbState === 0 && this.connectRequired && bytes[start] !== 0x43 && bytes[start] !== 0x63) {
      this.#fail({ kind: "connect_required" });
      return end;
    }
    const table = this.#table;
    let state = this.#verbState;
    for (let at = start; at < end; at++) {
      state = table[(state << 8) | bytes[at]!]!;
      if (state === verbs.REFUSED) {
        this.#fail(unknownOperation(bytes, at, end));
        return end;
      }
      if (state >= verbs.ACCEPTED) {
        this.#verbState = 0;
        this.#verb = state - verbs.ACCEPTED;
        this.#state = stateAfter(this.#verb);
        return at + 1;
      }
    }
    this.#verbState = state;
    return end;
  }

  /** What follows a verb without arguments up to the end of its line is of no interest, and its length of no harm. */
  #readRest(bytes: Uint8Array, start: number, end: number): number {
    const lineEnd = findLineFeed(bytes, start, end);
    if (lineEnd === end) return end;
    this.#state = VERB;
    if (this.#verb === verbs.PING) this.#handler.onPing();
    else if (this.#verb === verbs.PONG) this.#handler.onPong();
    else this.#handler.onOk();
    return lineEnd + 1;
  }

  #readArguments(bytes: Uint8Array, start: number, end: number): number {
    const first = this.#carryLength === 0 ? start + 1 : start;
    const lineEnd = findLineFeed(bytes, first, end);
    const isLine = lineEnd < end;
    const lastByte = lineEnd > start ? bytes[lineEnd - 1] : this.#carry[this.#carryLength - 1];
    const length = this.#carryLength + lineEnd - start - (lastByte === CR ? 1 : 0);
    if (length > this.#maxControlLine) {
      const carried = this.#carryLength > 0;
      this.#fail(
        carried
          ? controlLineExceeded(this.#carry, 0, this.#carryLength, this.#maxControlLine)
          : controlLineExceeded(bytes, start, lineEnd, this.#maxControlLine),
      );
      return end;
    }
    if (!isLine) {
      this.#keep(bytes, start, end);
      return end;
    }
    if (this.#carryLength === 0) {
      return this.#argumentsRead(bytes, start, trimCarriageReturn(bytes, first, lineEnd), lineEnd + 1, end);
    }
    this.#keep(bytes, start, lineEnd);
    this.#carryLength = trimCarriageReturn(this.#carry, 1, this.#carryLength);
    return this.#argumentsRead(this.#carry, 0, this.#carryLength, lineEnd + 1, end, bytes);
  }

  /** The arguments are `bytes[start, end)`; what follows them starts at `at` of `chunk`. Returns where to go on in it. */
  #argumentsRead(
    bytes: Uint8Array,
    start: number,
    end: number,
    at: number,
    chunkEnd: number,
    chunk: Uint8Array = bytes,
  ): number {
    this.#state = VERB;
    const shape = this.#messageShape();
    if (shape !== undefined) return this.#messageAnnounced(bytes, start, end, at, chunkEnd, chunk, shape);
    this.#report(bytes, start, end);
    this.#release();
    return at;
  }

  #report(bytes: Uint8Array, start: number, end: number): void {
    switch (this.#verb) {
      case verbs.SUB: {
        const frame = readSubscribeArguments(bytes, start, end);
        if ("kind" in frame) this.#fail(frame);
        else this.#subscriptionHandler?.onSubscribe(frame);
        break;
      }
      case verbs.UNSUB: {
        const frame = readUnsubscribeArguments(bytes, start, end);
        if ("kind" in frame) this.#fail(frame);
        else this.#subscriptionHandler?.onUnsubscribe(frame);
        break;
      }
      case verbs.INTEREST_GAINED:
      case verbs.INTEREST_LOST: {
        const frame = readInterestArguments(bytes, start, end, this.#verb === verbs.INTEREST_GAINED);
        if ("kind" in frame) this.#fail(frame);
        else this.#routeHandler?.onInterest(frame);
        break;
      }
      case verbs.CONNECT:
        this.#handler.onConnect(bytes, start, end);
        break;
      case verbs.INFO:
        this.#handler.onInfo(bytes, start, end);
        break;
      case verbs.ERR:
        this.#handler.onError(bytes, start, end);
        break;
      default:
      // Interest of leaf nodes and of accounts: of no interest here.
    }
  }

  #messageShape(): typeof PUB_SHAPE | undefined {
    switch (this.#verb) {
      case verbs.PUB:
        return PUB_SHAPE;
      case verbs.HPUB:
        return HPUB_SHAPE;
      case verbs.MSG:
        return MSG_SHAPE;
      case verbs.HMSG:
        return this.#routeHandler === undefined ? HMSG_SHAPE : ROUTED_HMSG_SHAPE;
      case verbs.RMSG:
        return RMSG_SHAPE;
      default:
        return undefined;
    }
  }

  #messageAnnounced(
    bytes: Uint8Array,
    start: number,
    end: number,
    at: number,
    chunkEnd: number,
    chunk: Uint8Array,
    shape: typeof PUB_SHAPE,
  ): number {
    this.#publishes?.forget();
    if (shape.hasHeaders && !this.headersAllowed) return this.#refuse({ kind: "headers_not_supported" }, chunkEnd);
    const frame = this.#frame;
    const size =
      shape === RMSG_SHAPE || shape === ROUTED_HMSG_SHAPE
        ? readRoutedArguments(bytes, start, end, frame, shape.hasHeaders)
        : readMessageArguments(bytes, start, end, frame, shape);
    if (typeof size !== "number") return this.#refuse(size, chunkEnd);
    if (size > this.#maxPayload) {
      return this.#refuse({ kind: "payload_exceeded", size, max: this.#maxPayload }, chunkEnd);
    }
    if (bytes === chunk && at + size + 2 <= chunkEnd) {
      if (bytes[at + size] !== CR || bytes[at + size + 1] !== LF) {
        return this.#refuse(unknownOperation(bytes, at + size, chunkEnd), chunkEnd);
      }
      this.#hand(bytes, at, at + size, shape === RMSG_SHAPE);
      return at + size + 2;
    }
    if (this.#carryLength === 0) {
      this.#keep(bytes, start, end);
      shift(frame, -start);
    }
    this.#payloadAt = this.#carryLength;
    this.#payloadSize = size;
    this.#state = PAYLOAD;
    return at;
  }

  #readPayload(bytes: Uint8Array, start: number, end: number): number {
    const payloadEnd = this.#payloadAt + this.#payloadSize;
    const missing = payloadEnd + 2 - this.#carryLength;
    const next = Math.min(end, start + missing);
    this.#keep(bytes, start, next);
    const carry = this.#carry;
    const length = this.#carryLength;
    if (length > payloadEnd && carry[payloadEnd] !== CR) {
      return this.#refuse(unknownOperation(carry, payloadEnd, length), end);
    }
    if (length < payloadEnd + 2) return next;
    if (carry[payloadEnd + 1] !== LF) return this.#refuse(unknownOperation(carry, payloadEnd, length), end);
    this.#state = VERB;
    this.#hand(carry, this.#payloadAt, payloadEnd, false);
    this.#release();
    return next;
  }

  #hand(bytes: Uint8Array, payloadStart: number, payloadEnd: number, hasTail: boolean): void {
    const frame = this.#frame;
    if (frame.bytes !== bytes) {
      frame.bytes = bytes;
      frame.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    frame.payloadStart = payloadStart;
    frame.payloadEnd = payloadEnd;
    frame.tailStart = hasTail ? tailOf(frame, payloadStart) : -1;
    frame.series++;
    this.#handler.onMessage(frame);
  }

  #refuse(fault: ParseFault, end: number): number {
    this.#fail(fault);
    return end;
  }

  #fail(fault: ParseFault): void {
    this.stop();
    this.#fault = fault;
  }

  /** Appends `bytes[start, end)` to the carry, which grows by doubling: a peer's announcement alone costs no memory. */
  #keep(bytes: Uint8Array, start: number, end: number): void {
    const length = this.#carryLength + end - start;
    if (length > this.#carry.length) {
      const grown = new Uint8Array(Math.max(length, CARRY_FIRST, Math.min(this.#carry.length * 2, this.#carryMax())));
      grown.set(this.#carry.subarray(0, this.#carryLength));
      this.#carry = grown;
    }
    this.#carry.set(bytes.subarray(start, end), this.#carryLength);
    this.#carryLength = length;
  }

  #carryMax(): number {
    return this.#state === PAYLOAD ? this.#payloadAt + this.#payloadSize + 2 : this.#maxControlLine + 1;
  }

  #release(): void {
    this.#carryLength = 0;
    if (this.#carry.length > CARRY_KEPT_MAX) this.#carry = NO_BYTES;
  }
}

function stateAfter(verb: number): number {
  switch (verb) {
    case verbs.PING:
    case verbs.PONG:
    case verbs.OK:
      return REST;
    case verbs.CONNECT:
    case verbs.INFO:
      return BLANKS;
    default:
      return BLANK;
  }
}

/** {@link MessageFrame.tailStart} of a routed message whose payload starts at `payloadStart` of the same memory. */
function tailOf(frame: MutableFrame, payloadStart: number): number {
  const { bytes, replyStart, replyEnd, sizeStart, sizeEnd } = frame;
  if (payloadStart !== sizeEnd + 2 || bytes[sizeEnd] !== CR) return -1;
  if (replyEnd === replyStart) return sizeStart;
  return sizeStart === replyEnd + 1 && bytes[replyEnd] === SPACE ? replyStart : -1;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** The first line feed of `[start, end)`, or `end`. `indexOf` would look beyond, at what an earlier read has left there. */
function findLineFeed(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== LF) at++;
  return at;
}

/** The end of a line without the carriage return that stands before its line feed. */
function trimCarriageReturn(bytes: Uint8Array, first: number, end: number): number {
  return end > first && bytes[end - 1] === CR ? end - 1 : end;
}

/** Moves the places of a frame whose arguments were copied to the front of another buffer. */
function shift(frame: MutableFrame, by: number): void {
  frame.subjectStart += by;
  frame.subjectEnd += by;
  frame.replyStart += by;
  frame.replyEnd += by;
  frame.sidStart += by;
  frame.sidEnd += by;
  frame.accountStart += by;
  frame.accountEnd += by;
  frame.queuesStart += by;
  frame.queuesEnd += by;
  frame.headerSizeStart += by;
  frame.headerSizeEnd += by;
  frame.sizeStart += by;
  frame.sizeEnd += by;
}
