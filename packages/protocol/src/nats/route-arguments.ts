import { SPACE, TAB } from "./ascii.ts";
import { readSize } from "./decimal.ts";
import { badArguments, type ParseFault } from "./faults.ts";
import type { InterestFrame, MutableFrame } from "./frame.ts";

const PLUS = 0x2b;
const BAR = 0x7c;

/** Most members that a queue group may have on one server, as far as another takes notice: each is a place in a list. */
const WEIGHT_MAX = 65_536;

/**
 * Reads `bytes[start, end)` as the arguments of a message between servers into `frame`, payload places aside:
 *
 *     RMSG account subject [reply] size           HMSG account subject [reply] headers size
 *     RMSG account subject | queue... size        RMSG account subject + reply queue... size
 *
 * Returns the size of the payload, or what is wrong.
 */
export function readRoutedArguments(
  bytes: Uint8Array,
  start: number,
  end: number,
  frame: MutableFrame,
  hasHeaders: boolean,
): number | ParseFault {
  const name = hasHeaders ? "processRoutedHeaderMsgArgs" : "processRoutedMsgArgs";
  frame.accountStart = skipBlanks(bytes, start, end);
  frame.accountEnd = tokenEnd(bytes, frame.accountStart, end);
  frame.subjectStart = skipBlanks(bytes, frame.accountEnd, end);
  frame.subjectEnd = tokenEnd(bytes, frame.subjectStart, end);
  let back = trimBlanks(bytes, frame.subjectEnd, end);
  frame.sizeEnd = back;
  frame.sizeStart = tokenStart(bytes, frame.subjectEnd, back);
  back = trimBlanks(bytes, frame.subjectEnd, frame.sizeStart);
  frame.headerSize = -1;
  if (hasHeaders) {
    frame.headerSizeEnd = back;
    frame.headerSizeStart = tokenStart(bytes, frame.subjectEnd, back);
    back = trimBlanks(bytes, frame.subjectEnd, frame.headerSizeStart);
    frame.headerSize = readSize(bytes, frame.headerSizeStart, frame.headerSizeEnd);
  }
  const size = readSize(bytes, frame.sizeStart, frame.sizeEnd);
  if (frame.subjectStart === frame.subjectEnd || frame.sizeStart === frame.sizeEnd) {
    return badArguments(`${name} Parse Error`, bytes, start, end);
  }
  if (size < 0) return badArguments(`${name} Bad or Missing Size`, bytes, start, end);
  if (hasHeaders && frame.headerSize < 0) {
    return badArguments(`${name} Bad or Missing Header Size`, bytes, start, end);
  }
  if (frame.headerSize > size) {
    return badArguments(`${name} Header Size larger then TotalSize`, bytes, start, end);
  }
  return readReplyAndQueues(bytes, frame, back) ? size : badArguments(`${name} Parse Error`, bytes, start, end);
}

/** What stands between the subject and `end`. False when it makes no sense. */
function readReplyAndQueues(bytes: Uint8Array, frame: MutableFrame, end: number): boolean {
  frame.replyStart = frame.replyEnd = frame.accountStart;
  frame.queuesStart = frame.queuesEnd = frame.accountStart;
  const first = skipBlanks(bytes, frame.subjectEnd, end);
  if (first >= end) return true;
  const firstEnd = tokenEnd(bytes, first, end);
  if (firstEnd >= end) {
    frame.replyStart = first;
    frame.replyEnd = firstEnd;
    return true;
  }
  if (firstEnd !== first + 1) return false;
  let queues = skipBlanks(bytes, firstEnd, end);
  if (bytes[first] === PLUS) {
    frame.replyStart = queues;
    frame.replyEnd = tokenEnd(bytes, queues, end);
    queues = skipBlanks(bytes, frame.replyEnd, end);
  } else if (bytes[first] !== BAR) {
    return false;
  }
  frame.queuesStart = queues;
  frame.queuesEnd = end;
  return true;
}

/** `account subject [queue weight]` of interest gained, `account subject [queue]` of interest lost. */
export function readInterestArguments(
  bytes: Uint8Array,
  start: number,
  end: number,
  isGained: boolean,
): InterestFrame | ParseFault {
  const name = isGained ? "processRemoteSub" : "processRemoteUnsub";
  const accountStart = skipBlanks(bytes, start, end);
  const accountEnd = tokenEnd(bytes, accountStart, end);
  const subjectStart = skipBlanks(bytes, accountEnd, end);
  const subjectEnd = tokenEnd(bytes, subjectStart, end);
  const queueStart = skipBlanks(bytes, subjectEnd, end);
  const queueEnd = tokenEnd(bytes, queueStart, end);
  const weightStart = skipBlanks(bytes, queueEnd, end);
  const weightEnd = tokenEnd(bytes, weightStart, end);
  const hasQueue = queueEnd > queueStart;
  const hasWeight = weightEnd > weightStart;
  const isWhole = subjectEnd > subjectStart && skipBlanks(bytes, weightEnd, end) === end;
  if (!isWhole || hasWeight !== (hasQueue && isGained)) return badArguments(`${name} Parse Error`, bytes, start, end);
  let weight = isGained ? 1 : 0;
  if (hasWeight) {
    weight = Math.min(readSize(bytes, weightStart, weightEnd), WEIGHT_MAX);
    if (weight < 1) return badArguments(`${name} Bad Weight`, bytes, start, end);
  }
  return { bytes, accountStart, accountEnd, subjectStart, subjectEnd, queueStart, queueEnd, weight };
}

function skipBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(bytes[at]!)) at++;
  return at;
}

function tokenEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && !isBlank(bytes[at]!)) at++;
  return at;
}

/** The end of what stands before `end`, but not before `start`, without blanks behind it. */
function trimBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && isBlank(bytes[at - 1]!)) at--;
  return at;
}

/** Where the token that ends at `end` starts, but not before `start`. */
function tokenStart(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && !isBlank(bytes[at - 1]!)) at--;
  return at;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}
