import { CR, LF, SPACE, TAB } from "./ascii.ts";
import { readSize } from "./decimal.ts";
import { badArguments, type ParseFault } from "./faults.ts";
import type { MutableFrame, SubscribeFrame, UnsubscribeFrame } from "./frame.ts";

/** More tokens than any operation has, so that too many are noticed. */
const TOKENS_MAX = 6;

/** Where the tokens of the line under way start and end. Shared: a line is split and read in one go. */
const starts: number[] = new Array<number>(TOKENS_MAX).fill(0);
const ends: number[] = new Array<number>(TOKENS_MAX).fill(0);

/** Splits at spaces and tabs; carriage returns inside a line belong to the token, as the reference has it for messages. */
function splitAtBlanks(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  let i = start;
  while (i < end && count < TOKENS_MAX) {
    while (i < end && isBlank(bytes[i]!)) i++;
    if (i === end) break;
    starts[count] = i;
    while (i < end && !isBlank(bytes[i]!)) i++;
    ends[count++] = i;
  }
  return count;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/** Splits at spaces, tabs, carriage returns and line feeds, as the reference has it for `SUB` and `UNSUB`. */
function splitAtSpace(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  let i = start;
  while (i < end && count < TOKENS_MAX) {
    while (i < end && isSpace(bytes[i]!)) i++;
    if (i === end) break;
    starts[count] = i;
    while (i < end && !isSpace(bytes[i]!)) i++;
    ends[count++] = i;
  }
  return count;
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === CR || byte === LF;
}

/**
 * Reads `bytes[start, end)` as the arguments of a message into `frame`, payload places aside:
 *
 *     PUB  subject [reply] size              MSG  subject sid [reply] size
 *     HPUB subject [reply] headers size      HMSG subject sid [reply] headers size
 *
 * Returns the size of the payload, or what is wrong.
 */
export function readMessageArguments(
  bytes: Uint8Array,
  start: number,
  end: number,
  frame: MutableFrame,
  shape: { readonly hasSid: boolean; readonly hasHeaders: boolean },
): number | ParseFault {
  const name = `process${shape.hasHeaders ? "Header" : ""}${shape.hasSid ? "Msg" : "Pub"}`;
  const count = splitAtBlanks(bytes, start, end);
  const least = 2 + (shape.hasSid ? 1 : 0) + (shape.hasHeaders ? 1 : 0);
  if (count !== least && count !== least + 1) return badArguments(`${name} Parse Error`, bytes, start, end);

  let token = 0;
  frame.subjectStart = starts[token]!;
  frame.subjectEnd = ends[token++]!;
  if (shape.hasSid) {
    frame.sidStart = starts[token]!;
    frame.sidEnd = ends[token++]!;
  } else {
    frame.sidStart = frame.sidEnd = start;
  }
  if (count > least) {
    frame.replyStart = starts[token]!;
    frame.replyEnd = ends[token++]!;
  } else {
    frame.replyStart = frame.replyEnd = start;
  }
  frame.headerSize = -1;
  if (shape.hasHeaders) {
    frame.headerSizeStart = starts[token]!;
    frame.headerSizeEnd = ends[token++]!;
    frame.headerSize = readSize(bytes, frame.headerSizeStart, frame.headerSizeEnd);
    if (frame.headerSize < 0) return badArguments(`${name} Bad or Missing Header Size`, bytes, start, end);
  }
  frame.sizeStart = starts[token]!;
  frame.sizeEnd = ends[token]!;
  const size = readSize(bytes, frame.sizeStart, frame.sizeEnd);
  if (size < 0) {
    return badArguments(`${name} Bad or Missing ${shape.hasHeaders ? "Total " : ""}Size`, bytes, start, end);
  }
  if (frame.headerSize > size) {
    return badArguments(`${name} Header Size larger then TotalSize`, bytes, start, end);
  }
  return size;
}

/** `subject [queue] sid`. */
export function readSubscribeArguments(bytes: Uint8Array, start: number, end: number): SubscribeFrame | ParseFault {
  const count = splitAtSpace(bytes, start, end);
  if (count !== 2 && count !== 3) return badArguments("processSub Parse Error", bytes, start, end);
  return {
    bytes,
    subjectStart: starts[0]!,
    subjectEnd: ends[0]!,
    queueStart: count === 3 ? starts[1]! : start,
    queueEnd: count === 3 ? ends[1]! : start,
    sidStart: starts[count - 1]!,
    sidEnd: ends[count - 1]!,
  };
}

/** `sid [max]`. */
export function readUnsubscribeArguments(bytes: Uint8Array, start: number, end: number): UnsubscribeFrame | ParseFault {
  const count = splitAtSpace(bytes, start, end);
  if (count !== 1 && count !== 2) return badArguments("processUnsub Parse Error", bytes, start, end);
  return {
    bytes,
    sidStart: starts[0]!,
    sidEnd: ends[0]!,
    max: count === 2 ? readSize(bytes, starts[1]!, ends[1]!) : 0,
  };
}
