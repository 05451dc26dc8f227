import { GLOBAL_ACCOUNT, type MessageFrame, writeDecimal } from "@nats-streaming/protocol/nats";
import { LARGE_CHUNK_BYTES } from "../chunk-pool.ts";
import { copyBytes, copyShort } from "../copy-bytes.ts";
import type { Outgoing } from "../outgoing.ts";
import { bytesOfKey } from "../subject-key.ts";
import type { KeyTopic } from "../topic.ts";

/*
 * Messages as one server sends them to another, written straight into the route's outgoing chunk. `queues` are the names of
 * queue groups, each behind a blank; empty for none.
 *
 *     RMSG $G subject [reply] size\r\npayload\r\n             RMSG $G subject | queue... size\r\npayload\r\n
 *     HMSG $G subject [reply] headers size\r\n...             RMSG $G subject + reply queue... size\r\npayload\r\n
 */

const SPACE = 0x20;
const PLUS = 0x2b;
const BAR = 0x7c;
/** CR LF as the two bytes of a little-endian number. */
const CR_LF = 0x0a0d;

const RMSG: Uint8Array = bytesOfKey(`RMSG ${GLOBAL_ACCOUNT} `);
const HMSG: Uint8Array = bytesOfKey(`HMSG ${GLOBAL_ACCOUNT} `);
const LINE_END: Uint8Array = bytesOfKey("\r\n");

/** Longest ` + ` and ` headers size\r\n` of a message. */
const SIZES_MAX = 32;

/**
 * A message that came in by a client's socket, as it is.
 * @param withHeaders false for a server that does not know headers: they are left out.
 */
export function writeRouted(outgoing: Outgoing, frame: MessageFrame, queues: string, withHeaders: boolean): void {
  const { subjectStart, subjectEnd, tailStart, payloadEnd } = frame;
  const need = RMSG.length + subjectEnd - subjectStart + 1 + payloadEnd + 2 - tailStart;
  if (tailStart < 0 || queues !== "" || need > LARGE_CHUNK_BYTES) {
    writePieces(outgoing, frame, queues, withHeaders);
    return;
  }
  // As in `writeRelayed` for clients: subject and tail are one piece each.
  const chunk = outgoing.reserve(need);
  if (chunk === undefined) return;
  const { bytes, view } = chunk;
  let position = copyShort(RMSG, bytes, chunk.length);
  position = copyBytes(frame.bytes, frame.view, subjectStart, subjectEnd, bytes, view, position);
  bytes[position++] = SPACE;
  chunk.length = copyBytes(frame.bytes, frame.view, tailStart, payloadEnd + 2, bytes, view, position);
}

/** A message of a local bus: `payload[start, end)`; `view` shows the same memory as `payload`. */
export function writeRoutedLocal(
  outgoing: Outgoing,
  topic: KeyTopic,
  reply: KeyTopic | undefined,
  queues: string,
  payload: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): void {
  const subject = topic.bytes;
  const answer = reply?.bytes;
  const lineMax = RMSG.length + subject.length + (answer?.length ?? 0) + queues.length + SIZES_MAX;
  if (lineMax + end - start + 2 > LARGE_CHUNK_BYTES) {
    const line = new Uint8Array(lineMax);
    const length = writeLine(line, 0, subject, answer, queues, end - start);
    outgoing.append(line, 0, length);
    outgoing.append(payload, start, end);
    outgoing.append(LINE_END);
    return;
  }
  const chunk = outgoing.reserve(lineMax + end - start + 2);
  if (chunk === undefined) return;
  let position = writeLine(chunk.bytes, chunk.length, subject, answer, queues, end - start);
  position = copyBytes(payload, view, start, end, chunk.bytes, chunk.view, position);
  chunk.view.setInt16(position, CR_LF, true);
  chunk.length = position + 2;
}

/** `RMSG …\r\n` without headers. */
function writeLine(
  to: Uint8Array,
  at: number,
  subject: Uint8Array,
  reply: Uint8Array | undefined,
  queues: string,
  size: number,
): number {
  let position = copyShort(RMSG, to, at);
  position = copyShort(subject, to, position);
  position = writeReplyAndQueues(to, position, reply, queues);
  to[position++] = SPACE;
  position = writeDecimal(to, position, size);
  return copyShort(LINE_END, to, position);
}

/** Any form of a message from a client's socket: with queue groups, with headers, longer than a chunk. */
function writePieces(outgoing: Outgoing, frame: MessageFrame, queues: string, withHeaders: boolean): void {
  const { bytes, headerSize, payloadStart, payloadEnd } = frame;
  const hasHeaders = headerSize > 0 && withHeaders;
  const skipped = withHeaders ? 0 : Math.max(0, headerSize);
  const subject = bytes.subarray(frame.subjectStart, frame.subjectEnd);
  const reply = frame.replyEnd > frame.replyStart ? bytes.subarray(frame.replyStart, frame.replyEnd) : undefined;
  const line = new Uint8Array(RMSG.length + subject.length + (reply?.length ?? 0) + queues.length + SIZES_MAX);
  let position = copyShort(hasHeaders ? HMSG : RMSG, line, 0);
  line.set(subject, position);
  position = writeReplyAndQueues(line, position + subject.length, reply, queues);
  if (hasHeaders) {
    line[position++] = SPACE;
    position = writeDecimal(line, position, headerSize);
  }
  line[position++] = SPACE;
  position = writeDecimal(line, position, payloadEnd - payloadStart - skipped);
  outgoing.append(line, 0, copyShort(LINE_END, line, position));
  outgoing.append(bytes, payloadStart + skipped, payloadEnd);
  outgoing.append(LINE_END);
}

/** What stands between the subject and the sizes. */
function writeReplyAndQueues(to: Uint8Array, at: number, reply: Uint8Array | undefined, queues: string): number {
  let position = at;
  if (queues !== "") {
    to[position++] = SPACE;
    to[position++] = reply === undefined ? BAR : PLUS;
  }
  if (reply !== undefined) {
    to[position++] = SPACE;
    position = copyShort(reply, to, position);
  }
  for (let i = 0; i < queues.length; i++) to[position++] = queues.charCodeAt(i);
  return position;
}
