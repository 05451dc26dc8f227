/*
 * message MsgProto {
 *   uint64 sequence = 1; string subject = 2; string reply = 3; bytes data = 4; int64 timestamp = 5;
 *   bool redelivered = 6; uint32 redeliveryCount = 7; uint32 CRC32 = 10;
 * }
 *
 * Encoded once per message, into the store's memory; subscribers get these very bytes. What a redelivery adds comes after
 * the last stored field, so it is appended to a copy.
 */
import type { Timestamp } from "@nats-streaming/kernel";
import { writeByteString } from "../wire/byte-string.ts";
import { copyBytes, copyShort } from "../wire/copy.ts";
import { type Bits64, bits64 } from "../wire/read.ts";
import { bitsSize, timestampBits, varintSize, writeBits, writeVarint } from "../wire/write.ts";

/** Most bytes that {@link appendRedelivery} writes: two tags, the flag and a count of up to 32 bits. */
export const REDELIVERY_SIZE_MAX = 8;

/** Times of which the encoding has nine bytes: the whole milliseconds between 2^56 and 2^63 ns, 1972 to 2262. */
const NINE_BYTES_FROM = 72_057_594_038;
const NINE_BYTES_BELOW = 9_223_372_036_854;

const bits: Bits64 = bits64();

/**
 * The channel name as it stands in each message of its channel, tag and length included; encode it once per channel.
 * The result belongs to the caller.
 * @param channel byte string
 */
export function encodeSubjectField(channel: string): Uint8Array {
  if (channel === "") return new Uint8Array(0);
  const field = new Uint8Array(subjectFieldSize(channel.length));
  field[0] = 0x12;
  writeByteString(field, writeVarint(field, 1, channel.length), channel);
  return field;
}

/** Exact size in bytes of what {@link writeMsgProto} writes for the same arguments. */
export function msgProtoSize(
  sequence: number,
  subjectFieldLength: number,
  replyLength: number,
  dataLength: number,
  timestamp: Timestamp,
): number {
  let size = subjectFieldLength;
  if (sequence !== 0) size += 1 + varintSize(sequence);
  if (replyLength !== 0) size += 1 + varintSize(replyLength) + replyLength;
  if (dataLength !== 0) size += 1 + varintSize(dataLength) + dataLength;
  if (timestamp.millis >= NINE_BYTES_FROM && timestamp.millis < NINE_BYTES_BELOW) return size + 10;
  timestampBits(timestamp, bits);
  return bits.low === 0 && bits.high === 0 ? size : size + 1 + bitsSize(bits);
}

/**
 * Encodes a message at `target[at, …)`, without allocating; the caller has reserved {@link msgProtoSize} bytes.
 * @param sequence 0 to 2^53 - 1
 * @param subjectField from {@link encodeSubjectField}
 * @param source holds reply and data; another buffer than `target`
 * @returns the position after it
 */
export function writeMsgProto(
  target: Uint8Array,
  at: number,
  sequence: number,
  subjectField: Uint8Array,
  source: Uint8Array,
  replyStart: number,
  replyEnd: number,
  dataStart: number,
  dataEnd: number,
  timestamp: Timestamp,
): number {
  let position = writeSequence(target, at, sequence);
  position = copyShort(subjectField, 0, subjectField.length, target, position);
  position = writeReplyAndDataLength(target, position, source, replyStart, replyEnd, dataEnd - dataStart);
  if (dataEnd > dataStart) position = copyBytes(source, dataStart, dataEnd, target, position);
  return writeMsgProtoTail(target, position, timestamp);
}

/**
 * Encodes what of a message stands before its data: for a caller who has something to do with the data while copying it. Head,
 * data and {@link writeMsgProtoTail} one behind the other are what {@link writeMsgProto} writes.
 * @param name the channel's name is `name[nameStart, nameEnd)`, such as in the publish that the message comes from
 * @returns where the data goes
 */
export function writeMsgProtoHead(
  target: Uint8Array,
  at: number,
  sequence: number,
  name: Uint8Array,
  nameStart: number,
  nameEnd: number,
  source: Uint8Array,
  replyStart: number,
  replyEnd: number,
  dataLength: number,
): number {
  let position = writeSequence(target, at, sequence);
  if (nameEnd > nameStart) {
    target[position] = 0x12;
    position = writeVarint(target, position + 1, nameEnd - nameStart);
    position = copyShort(name, nameStart, nameEnd, target, position);
  }
  return writeReplyAndDataLength(target, position, source, replyStart, replyEnd, dataLength);
}

/** Size of the field that {@link writeMsgProtoHead} makes of a name, and {@link encodeSubjectField} of a channel. */
export function subjectFieldSize(nameLength: number): number {
  return nameLength === 0 ? 0 : 1 + varintSize(nameLength) + nameLength;
}

function writeSequence(target: Uint8Array, at: number, sequence: number): number {
  if (sequence === 0) return at;
  target[at] = 0x08;
  return writeVarint(target, at + 1, sequence);
}

function writeReplyAndDataLength(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  replyStart: number,
  replyEnd: number,
  dataLength: number,
): number {
  let position = at;
  if (replyEnd > replyStart) {
    target[position] = 0x1a;
    position = writeVarint(target, position + 1, replyEnd - replyStart);
    position = copyBytes(source, replyStart, replyEnd, target, position);
  }
  if (dataLength > 0) {
    target[position] = 0x22;
    position = writeVarint(target, position + 1, dataLength);
  }
  return position;
}

/** Encodes what of a message stands behind its data. @returns the position after it */
export function writeMsgProtoTail(target: Uint8Array, at: number, timestamp: Timestamp): number {
  timestampBits(timestamp, bits);
  if (bits.low === 0 && bits.high === 0) return at;
  target[at] = 0x28;
  return writeBits(target, at + 1, bits);
}

/**
 * Adds to a copied message what makes a redelivery of it: the flag and the count. At most {@link REDELIVERY_SIZE_MAX}
 * bytes, which the caller has reserved.
 * @param at the end of the message
 * @param count 1 to 2^32 - 1
 * @returns the position after it
 */
export function appendRedelivery(target: Uint8Array, at: number, count: number): number {
  target[at] = 0x30;
  target[at + 1] = 1;
  target[at + 2] = 0x38;
  return writeVarint(target, at + 3, count);
}
