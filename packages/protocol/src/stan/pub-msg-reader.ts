/*
 * message PubMsg {
 *   string clientID = 1; string guid = 2; string subject = 3; string reply = 4;
 *   bytes data = 5; bytes connID = 6; bytes sha256 = 10;
 * }
 */
import { WireFault } from "../wire/fault.ts";
import { type Bits64, bits64, compactTag, readVarint, skipUnknown } from "../wire/read.ts";

/**
 * A `PubMsg` where it lies: every field is a range of `bytes`, empty when absent. Made once and reused, because an object
 * per message is what the hot path cannot afford; valid as long as `bytes` is.
 */
export interface PubMsgView {
  bytes: Uint8Array;
  clientIdStart: number;
  clientIdEnd: number;
  guidStart: number;
  guidEnd: number;
  subjectStart: number;
  subjectEnd: number;
  replyStart: number;
  replyEnd: number;
  dataStart: number;
  dataEnd: number;
  connIdStart: number;
  connIdEnd: number;
}

/** A fresh view of an empty message. */
export function pubMsgView(): PubMsgView {
  return {
    bytes: new Uint8Array(0),
    clientIdStart: 0,
    clientIdEnd: 0,
    guidStart: 0,
    guidEnd: 0,
    subjectStart: 0,
    subjectEnd: 0,
    replyStart: 0,
    replyEnd: 0,
    dataStart: 0,
    dataEnd: 0,
    connIdStart: 0,
    connIdEnd: 0,
  };
}

/** Fields 1 to 6 and 10. */
const KNOWN_FIELDS = 0b100_0111_1110;

const bits: Bits64 = bits64();

/**
 * Decodes `bytes[start, end)` into `view`, without allocating. The view refers to `bytes`.
 * @returns `WireFault.none`, or the fault; then the view holds what stood before it, for the error answer.
 * @see protocol.md 4.2, 9.1
 */
export function readPubMsg(view: PubMsgView, bytes: Uint8Array, start: number, end: number): WireFault {
  view.bytes = bytes;
  view.clientIdStart = view.clientIdEnd = start;
  view.guidStart = view.guidEnd = start;
  view.subjectStart = view.subjectEnd = start;
  view.replyStart = view.replyEnd = start;
  view.dataStart = view.dataEnd = start;
  view.connIdStart = view.connIdEnd = start;

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
    if ((tag & 7) !== 2) {
      at = skipUnknown(bytes, at, end, tag, KNOWN_FIELDS);
      if (at < 0) return -at as WireFault;
      continue;
    }

    // All fields of this message are a length and so many bytes; unknown ones of this kind are skipped on the way.
    let length = at < end ? bytes[at]! : 0x80;
    if (length < 0x80) at++;
    else if (at + 1 < end && bytes[at + 1]! < 0x80) {
      // Two bytes, as most payloads have it: half the time of the general way.
      length = (length & 0x7f) | (bytes[at + 1]! << 7);
      at += 2;
    } else {
      at = readVarint(bytes, at, end, bits);
      if (at < 0) return -at as WireFault;
      if (bits.high !== 0) return WireFault.truncated;
      length = bits.low;
    }
    const fieldEnd = at + length;
    if (fieldEnd > end) return WireFault.truncated;
    switch (tag >>> 3) {
      case 0:
        return WireFault.illegalFieldNumber;
      case 1:
        view.clientIdStart = at;
        view.clientIdEnd = fieldEnd;
        break;
      case 2:
        view.guidStart = at;
        view.guidEnd = fieldEnd;
        break;
      case 3:
        view.subjectStart = at;
        view.subjectEnd = fieldEnd;
        break;
      case 4:
        view.replyStart = at;
        view.replyEnd = fieldEnd;
        break;
      case 5:
        view.dataStart = at;
        view.dataEnd = fieldEnd;
        break;
      case 6:
        view.connIdStart = at;
        view.connIdEnd = fieldEnd;
        break;
    }
    at = fieldEnd;
  }
  return WireFault.none;
}
