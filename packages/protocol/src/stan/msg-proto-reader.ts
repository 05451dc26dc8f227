import { type Timestamp, type TimestampNanos, timestampNanos } from "@nats-streaming/kernel";
import { WireFault } from "../wire/fault.ts";
import { type Bits64, bits64, bitsToBigInt, bitsToNumber, compactTag, readVarint, skipUnknown } from "../wire/read.ts";
import { bitsToTimestamp } from "../wire/write.ts";

/**
 * A `MsgProto` where it lies, for stores and for looking at a stored message. Made once and reused; ranges are positions
 * in the bytes that were read, empty when the field is absent.
 */
export interface MsgProtoView {
  /** Above 2^53 - 1 the nearest double, which is never below 2^53. */
  sequence: number;
  subjectStart: number;
  subjectEnd: number;
  replyStart: number;
  replyEnd: number;
  dataStart: number;
  dataEnd: number;
  /** Nanoseconds since 1970, an int64 in two unsigned halves. */
  readonly timestamp: Bits64;
  redelivered: boolean;
  redeliveryCount: number;
  crc32: number;
}

/** A fresh view of an empty message. */
export function msgProtoView(): MsgProtoView {
  return {
    sequence: 0,
    subjectStart: 0,
    subjectEnd: 0,
    replyStart: 0,
    replyEnd: 0,
    dataStart: 0,
    dataEnd: 0,
    timestamp: bits64(),
    redelivered: false,
    redeliveryCount: 0,
    crc32: 0,
  };
}

/** Fields 1 to 7 and 10. */
const KNOWN_FIELDS = 0b100_1111_1110;

const bits: Bits64 = bits64();

/**
 * Decodes `bytes[start, end)` into `view`, without allocating.
 * @returns `WireFault.none`, or the fault; then the view holds what stood before it
 * @see protocol.md 4.2
 */
export function readMsgProto(view: MsgProtoView, bytes: Uint8Array, start: number, end: number): WireFault {
  view.sequence = 0;
  view.subjectStart = view.subjectEnd = start;
  view.replyStart = view.replyEnd = start;
  view.dataStart = view.dataEnd = start;
  view.timestamp.low = view.timestamp.high = 0;
  view.redelivered = false;
  view.redeliveryCount = 0;
  view.crc32 = 0;

  let at = start;
  while (at < end) {
    let tag = bytes[at]!;
    if (tag < 0x80) at++;
    else {
      at = readVarint(bytes, at, end, bits);
      if (at < 0) return -at as WireFault;
      tag = compactTag(bits);
      if (tag < 0) return -tag as WireFault;
    }
    switch (tag) {
      case 0x12:
      case 0x1a:
      case 0x22: {
        let length = at < end ? bytes[at]! : 0x80;
        if (length < 0x80) at++;
        else if (at + 1 < end && bytes[at + 1]! < 0x80) {
          // Two bytes, as most payloads have it: half the time of the general way.
          length = (length & 0x7f) | (bytes[at + 1]! << 7);
          at += 2;
        } else {
          at = readVarint(bytes, at, end, bits);
          if (at < 0) return -at as WireFault;
          length = bitsToNumber(bits);
        }
        const fieldEnd = at + length;
        if (fieldEnd > end) return WireFault.truncated;
        if (tag === 0x22) {
          view.dataStart = at;
          view.dataEnd = fieldEnd;
        } else if (tag === 0x12) {
          view.subjectStart = at;
          view.subjectEnd = fieldEnd;
        } else {
          view.replyStart = at;
          view.replyEnd = fieldEnd;
        }
        at = fieldEnd;
        break;
      }
      case 0x08:
      case 0x28:
      case 0x30:
      case 0x38:
      case 0x50:
        at = readVarint(bytes, at, end, bits);
        if (at < 0) return -at as WireFault;
        setNumber(view, tag);
        break;
      default:
        at = skipUnknown(bytes, at, end, tag, KNOWN_FIELDS);
        if (at < 0) return -at as WireFault;
    }
  }
  return WireFault.none;
}

function setNumber(view: MsgProtoView, tag: number): void {
  switch (tag) {
    case 0x08:
      view.sequence = bitsToNumber(bits);
      break;
    case 0x28:
      view.timestamp.low = bits.low;
      view.timestamp.high = bits.high;
      break;
    case 0x30:
      view.redelivered = (bits.low | bits.high) !== 0;
      break;
    case 0x38:
      view.redeliveryCount = bits.low;
      break;
    case 0x50:
      view.crc32 = bits.low;
      break;
  }
}

const stored: MsgProtoView = msgProtoView();

/** The sequence of a stored message; 0 when the bytes are no `MsgProto`. Above 2^53 - 1 the nearest double. */
export function readMsgProtoSequence(bytes: Uint8Array, start: number, end: number): number {
  return readMsgProto(stored, bytes, start, end) === WireFault.none ? stored.sequence : 0;
}

/** The timestamp of a stored message; 0 when the bytes are no `MsgProto`. */
export function readMsgProtoTimestamp(bytes: Uint8Array, start: number, end: number): TimestampNanos {
  const whole = readMsgProto(stored, bytes, start, end) === WireFault.none;
  return timestampNanos(whole ? bitsToBigInt(stored.timestamp) : 0n);
}

/** As {@link readMsgProtoTimestamp} without a bigint: writes into `out`, for expiry and other frequent questions. */
export function readMsgProtoTime(bytes: Uint8Array, start: number, end: number, out: Timestamp): void {
  if (readMsgProto(stored, bytes, start, end) !== WireFault.none) stored.timestamp.low = stored.timestamp.high = 0;
  bitsToTimestamp(stored.timestamp, out);
}
