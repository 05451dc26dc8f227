/*
 * message Ack { string subject = 1; uint64 sequence = 2; }
 */

import type { Decoded } from "../wire/fault.ts";
import { WireFault } from "../wire/fault.ts";
import { messageCodec } from "../wire/message.ts";
import { type Bits64, bits64, bitsToNumber, compactTag, readVarint, skipUnknown } from "../wire/read.ts";

/** A subscriber's acknowledgement of one message. @see protocol.md 5.7, 11 */
export interface Ack {
  /** Byte string: channel. */
  readonly subject: string;
  /** uint64. */
  readonly sequence: bigint;
}

/** An `Ack` where it lies. Made once and reused; the channel is a range of the bytes that were read. */
export interface AckView {
  /** Above 2^53 - 1 (no message has such a number) the nearest double, which is never below 2^53. */
  sequence: number;
  subjectStart: number;
  subjectEnd: number;
}

const codec = messageCodec<Ack>("Ack", { subject: [1, "text"], sequence: [2, "uint64"] });

/** A fresh view of an empty `Ack`. */
export function ackView(): AckView {
  return { sequence: 0, subjectStart: 0, subjectEnd: 0 };
}

/** Fields 1 and 2. */
const KNOWN_FIELDS = 0b110;
const SUBJECT_TAG = 0x0a;
const SEQUENCE_TAG = 0x10;

const bits: Bits64 = bits64();

/**
 * Decodes `bytes[start, end)` into `view`, without allocating.
 * @returns `WireFault.none`, or the fault; then the view holds what stood before it
 * @see protocol.md 4.2
 */
export function readAck(view: AckView, bytes: Uint8Array, start: number, end: number): WireFault {
  view.sequence = 0;
  view.subjectStart = view.subjectEnd = start;
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
    if (tag === SUBJECT_TAG) {
      let length = at < end ? bytes[at]! : 0x80;
      if (length < 0x80) at++;
      else {
        at = readVarint(bytes, at, end, bits);
        if (at < 0) return -at as WireFault;
        length = bitsToNumber(bits);
      }
      const fieldEnd = at + length;
      if (fieldEnd > end) return WireFault.truncated;
      view.subjectStart = at;
      view.subjectEnd = fieldEnd;
      at = fieldEnd;
    } else if (tag === SEQUENCE_TAG) {
      at = readVarint(bytes, at, end, bits);
      if (at < 0) return -at as WireFault;
      view.sequence = bitsToNumber(bits);
    } else {
      at = skipUnknown(bytes, at, end, tag, KNOWN_FIELDS);
      if (at < 0) return -at as WireFault;
    }
  }
  return WireFault.none;
}

/** What subscribers send. Fields left out have their default. The result belongs to the caller. */
export function encodeAck(value: Partial<Ack>): Uint8Array {
  return codec.encode(value);
}

/** The whole value, with the sequence in all its 64 bits. @see protocol.md 4.2 */
export function decodeAck(bytes: Uint8Array, start = 0, end: number = bytes.length): Decoded<Ack> {
  return codec.decode(bytes, start, end);
}
