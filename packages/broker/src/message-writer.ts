import { decimalLength, type MessageFrame, writeDecimal } from "@nats-streaming/protocol/nats";
import { LARGE_CHUNK_BYTES } from "./chunk-pool.ts";
import { copyBytes, copyShort } from "./copy-bytes.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Subscription } from "./subscription.ts";
import type { KeyTopic } from "./topic.ts";

/*
 * Messages as a server sends them, written straight into the receiver's outgoing chunk:
 *
 *     MSG subject sid [reply] size\r\npayload\r\n
 *     HMSG subject sid [reply] headers size\r\nheaders and body\r\n
 */

const SPACE = 0x20;
const CR = 0x0d;
const LF = 0x0a;
/** CR LF as the two bytes of a little-endian number. */
const CR_LF = 0x0a0d;
/** `MSG ` and `HMSG` as the four bytes of a little-endian number. */
const MSG_ = 0x2047534d;
const HMSG = 0x47534d48;

/** Longest ` headers size\r\n` of a message. */
const SIZES_MAX = 24;

const LINE_END: Uint8Array = new Uint8Array([CR, LF]);

/**
 * A message that came in by a socket, as it is.
 *
 * What it buys: written the way clients write it, everything behind the subject is one piece there and one piece here, so
 * that the whole message is two copies and the subscription's number between them.
 */
export function writeRelayed(outgoing: Outgoing, subscription: Subscription, frame: MessageFrame): void {
  const sidPart = subscription.sidPart;
  const { tailStart, subjectStart, subjectEnd, payloadEnd } = frame;
  const need = 4 + subjectEnd - subjectStart + sidPart.length + payloadEnd + 2 - tailStart;
  if (tailStart < 0 || need > LARGE_CHUNK_BYTES) {
    writePieces(outgoing, subscription, frame, frame.headerSize, 0);
    return;
  }
  const chunk = outgoing.reserve(need);
  if (chunk === undefined) return;
  const { bytes, view } = chunk;
  let position = chunk.length;
  view.setInt32(position, MSG_, true);
  position = copyBytes(frame.bytes, frame.view, subjectStart, subjectEnd, bytes, view, position + 4);
  position = copyShort(sidPart, bytes, position);
  chunk.length = copyBytes(frame.bytes, frame.view, tailStart, payloadEnd + 2, bytes, view, position);
}

/** As {@link writeRelayed} for a receiver that does not know headers: they are left out. */
export function writeWithoutHeaders(outgoing: Outgoing, subscription: Subscription, frame: MessageFrame): void {
  writePieces(outgoing, subscription, frame, -1, Math.max(0, frame.headerSize));
}

/** A message of a local bus: `payload[start, end)`; `view` shows the same memory as `payload`. */
export function writeLocal(
  outgoing: Outgoing,
  subscription: Subscription,
  topic: KeyTopic,
  reply: KeyTopic | undefined,
  payload: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): void {
  const sidPart = subscription.sidPart;
  const replyLength = reply === undefined ? 0 : reply.bytes.length + 1;
  const need = 4 + topic.bytes.length + sidPart.length + replyLength + SIZES_MAX + end - start + 2;
  if (need > LARGE_CHUNK_BYTES) {
    writeLargeLocal(outgoing, subscription, topic, reply, payload, start, end);
    return;
  }
  const chunk = outgoing.reserve(need);
  if (chunk === undefined) return;
  const { bytes: target, view: targetView } = chunk;
  let position = chunk.length;
  targetView.setInt32(position, MSG_, true);
  position = copyBytes(topic.bytes, topic.view, 0, topic.bytes.length, target, targetView, position + 4);
  position = copyShort(sidPart, target, position);
  if (reply !== undefined) {
    position = copyBytes(reply.bytes, reply.view, 0, reply.bytes.length, target, targetView, position);
    target[position++] = SPACE;
  }
  position = writeDecimal(target, position, end - start);
  targetView.setInt16(position, CR_LF, true);
  position = copyBytes(payload, view, start, end, target, targetView, position + 2);
  targetView.setInt16(position, CR_LF, true);
  chunk.length = position + 2;
}

/** Headers and nothing else, as for "no responders", on the subject `bytes[start, end)`. */
export function writeStatus(
  outgoing: Outgoing,
  subscription: Subscription,
  bytes: Uint8Array,
  start: number,
  end: number,
  headers: Uint8Array,
): void {
  const line = new Uint8Array(5 + end - start + subscription.sidPart.length + SIZES_MAX);
  let position = startLine(line, true);
  line.set(bytes.subarray(start, end), position);
  position = copyShort(subscription.sidPart, line, position + end - start);
  position = writeDecimal(line, position, headers.length);
  line[position++] = SPACE;
  position = writeDecimal(line, position, headers.length);
  outgoing.append(line, 0, endLine(line, position));
  outgoing.append(headers);
  outgoing.append(LINE_END);
}

/**
 * Any form of a relayed message: with headers, without the `skipped` bytes of them at the front of the payload, longer than
 * a chunk.
 */
function writePieces(
  outgoing: Outgoing,
  subscription: Subscription,
  frame: MessageFrame,
  headerSize: number,
  skipped: number,
): void {
  const { bytes, subjectStart, subjectEnd, replyStart, replyEnd } = frame;
  const sidPart = subscription.sidPart;
  const line = new Uint8Array(5 + subjectEnd - subjectStart + sidPart.length + replyEnd - replyStart + 1 + SIZES_MAX);
  let position = startLine(line, headerSize > 0);
  line.set(bytes.subarray(subjectStart, subjectEnd), position);
  position = copyShort(sidPart, line, position + subjectEnd - subjectStart);
  if (replyEnd > replyStart) {
    line.set(bytes.subarray(replyStart, replyEnd), position);
    position += replyEnd - replyStart;
    line[position++] = SPACE;
  }
  // Sizes are repeated digit by digit as they were written.
  if (headerSize > 0) {
    line.set(bytes.subarray(frame.headerSizeStart, frame.headerSizeEnd), position);
    position += frame.headerSizeEnd - frame.headerSizeStart;
    line[position++] = SPACE;
  }
  if (skipped > 0) {
    position = writeDecimal(line, position, frame.payloadEnd - frame.payloadStart - skipped);
  } else {
    line.set(bytes.subarray(frame.sizeStart, frame.sizeEnd), position);
    position += frame.sizeEnd - frame.sizeStart;
  }
  outgoing.append(line, 0, endLine(line, position));
  outgoing.append(bytes, frame.payloadStart + skipped, frame.payloadEnd);
  outgoing.append(LINE_END);
}

function writeLargeLocal(
  outgoing: Outgoing,
  subscription: Subscription,
  topic: KeyTopic,
  reply: KeyTopic | undefined,
  payload: Uint8Array,
  start: number,
  end: number,
): void {
  const replyLength = reply === undefined ? 0 : reply.bytes.length + 1;
  const digits = decimalLength(end - start);
  const line = new Uint8Array(4 + topic.bytes.length + subscription.sidPart.length + replyLength + digits + 2);
  let position = startLine(line, false);
  line.set(topic.bytes, position);
  position = copyShort(subscription.sidPart, line, position + topic.bytes.length);
  if (reply !== undefined) {
    position = copyShort(reply.bytes, line, position);
    line[position++] = SPACE;
  }
  outgoing.append(line, 0, endLine(line, writeDecimal(line, position, end - start)));
  outgoing.append(payload, start, end);
  outgoing.append(LINE_END);
}

function startLine(line: Uint8Array, hasHeaders: boolean): number {
  const verb = hasHeaders ? HMSG : MSG_;
  for (let i = 0; i < 4; i++) line[i] = (verb >>> (8 * i)) & 0xff;
  if (!hasHeaders) return 4;
  line[4] = SPACE;
  return 5;
}

function endLine(line: Uint8Array, position: number): number {
  line[position] = CR;
  line[position + 1] = LF;
  return position + 2;
}
