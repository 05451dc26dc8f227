import type { Timestamp } from "@nats-streaming/kernel";
import { writeMsgProtoHead, writeMsgProtoTail } from "@nats-streaming/protocol/stan";
import type { IncomingMessage } from "@nats-streaming/store";
import { type ChecksumSteps, finished, START } from "./crc32.ts";
import { RECORD_HEADER_SIZE, writePlainRecordHeader } from "./record.ts";

/**
 * Writes the record of a message, header and payload, at `bytes[at, …)`; the caller has reserved the room. Data of usual size
 * is copied and summed up in one pass, which saves a tenth of what storing a message costs.
 * @param name the channel's name is `name[nameStart, nameEnd)`
 * @param message its bytes lie in another buffer
 * @returns the end
 * @see file-store.md 6
 */
export function writeMessageRecord(
  bytes: Uint8Array,
  at: number,
  sequence: number,
  name: Uint8Array,
  nameStart: number,
  nameEnd: number,
  message: IncomingMessage,
  timestamp: Timestamp,
  checksums: ChecksumSteps,
): number {
  const source = message.bytes;
  const { replyStart, replyEnd, dataStart, dataEnd } = message;
  const length = dataEnd - dataStart;
  const start = at + RECORD_HEADER_SIZE;
  const data = writeMsgProtoHead(
    bytes,
    start,
    sequence,
    name,
    nameStart,
    nameEnd,
    source,
    replyStart,
    replyEnd,
    length,
  );
  const tail = data + length;
  const end = writeMsgProtoTail(bytes, tail, timestamp);
  let state = checksums.update(START, bytes, start, data);
  state = checksums.copy(state, source, dataStart, dataEnd, bytes, data);
  state = checksums.update(state, bytes, tail, end);
  writePlainRecordHeader(bytes, at, end - start, finished(state));
  return end;
}
