import { WireFault } from "./fault.ts";

/** The 64 bits of a varint as two unsigned 32-bit halves. Reused by its owner, since hot decoders must not allocate. */
export interface Bits64 {
  low: number;
  high: number;
}

/** A fresh {@link Bits64} of 0. */
export function bits64(): Bits64 {
  return { low: 0, high: 0 };
}

const TWO_32 = 4_294_967_296;

/** The bits as an unsigned number; above 2^53 - 1 the nearest double, which is never below 2^53. */
export function bitsToNumber(bits: Bits64): number {
  return bits.high * TWO_32 + bits.low;
}

/** The bits as an unsigned 64-bit integer. */
export function bitsToBigUint(bits: Bits64): bigint {
  return (BigInt(bits.high) << 32n) | BigInt(bits.low);
}

/** The bits as a signed 64-bit integer. */
export function bitsToBigInt(bits: Bits64): bigint {
  return BigInt.asIntN(64, bitsToBigUint(bits));
}

/**
 * Reads a varint at `at`. Bits beyond the 64th are dropped and any length up to ten bytes is accepted, minimal or not.
 * @returns the position after it, or a negated {@link WireFault}
 * @see protocol.md 4.2
 */
export function readVarint(bytes: Uint8Array, at: number, end: number, out: Bits64): number {
  let low = 0;
  let high = 0;
  let shift = 0;
  // Four bytes hold 28 bits of the low half, the fifth has four bits for it and three for the high half.
  for (; shift < 28; shift += 7) {
    if (at >= end) return -WireFault.truncated;
    const byte = bytes[at++]!;
    low |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      out.low = low;
      out.high = 0;
      return at;
    }
  }
  if (at >= end) return -WireFault.truncated;
  const fifth = bytes[at++]!;
  low |= fifth << 28;
  high = (fifth & 0x7f) >>> 4;
  if (fifth < 0x80) {
    out.low = low >>> 0;
    out.high = high;
    return at;
  }
  for (shift = 3; shift < 38; shift += 7) {
    if (at >= end) return -WireFault.truncated;
    const byte = bytes[at++]!;
    // The tenth byte would be shifted by 31: of its seven bits one is left, as the rule wants.
    high |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      out.low = low >>> 0;
      out.high = high >>> 0;
      return at;
    }
  }
  return -WireFault.varintTooLong;
}

/** Stands for "a field number that no message of ours has" in what {@link compactTag} returns. */
const UNKNOWN_FIELD = 31;

/**
 * Makes one small number of a tag that was read as a varint, so that a `switch` over one-byte tags does for every
 * spelling: field numbers above 15 all become {@link UNKNOWN_FIELD}.
 * @returns `field << 3 | wireType`, or a negated fault
 */
export function compactTag(bits: Bits64): number {
  const wireType = bits.low & 7;
  if (wireType === 4) return -WireFault.strayEndGroup;
  const field = tagField(bits);
  if (field <= 0) return -WireFault.illegalFieldNumber;
  return ((field < 16 ? field : UNKNOWN_FIELD) << 3) | wireType;
}

/** The field number of a tag: an int32, whatever the length of the varint. 0 and below are illegal. */
export function tagField(bits: Bits64): number {
  return (bits.low >>> 3) | (bits.high << 29) | 0;
}

/**
 * Deals with a field whose compact tag was not expected: skips it when its number is unknown.
 * @param at position after the tag
 * @param tag what {@link compactTag} gave, or a one-byte tag as it stands
 * @param known bit n is set when the message has a field n
 * @returns the position after the field, or a negated fault
 */
export function skipUnknown(bytes: Uint8Array, at: number, end: number, tag: number, known: number): number {
  const wireType = tag & 7;
  const field = tag >>> 3;
  if (wireType === 4) return -WireFault.strayEndGroup;
  if (field === 0) return -WireFault.illegalFieldNumber;
  if (((known >>> field) & 1) === 1) return -WireFault.wrongWireType;
  return skipField(bytes, at, end, wireType);
}

const skipped: Bits64 = { low: 0, high: 0 };

/**
 * Skips the content of a field, groups with everything inside included.
 * Within a group field numbers are not looked at, and any end closes the innermost one, as in the original.
 * @param at position after the tag
 * @returns the position after the field, or a negated fault
 */
export function skipField(bytes: Uint8Array, at: number, end: number, wireType: number): number {
  let position = at;
  let type = wireType;
  // Depth is a number, not a recursion: a peer cannot exhaust the stack.
  for (let depth = 0; ; ) {
    switch (type) {
      case 0:
        position = readVarint(bytes, position, end, skipped);
        if (position < 0) return position;
        break;
      case 1:
        position += 8;
        break;
      case 2:
        position = readVarint(bytes, position, end, skipped);
        if (position < 0) return position;
        if (skipped.high !== 0) return -WireFault.truncated;
        position += skipped.low >>> 0;
        break;
      case 3:
        depth++;
        break;
      case 4:
        depth--;
        break;
      case 5:
        position += 4;
        break;
      default:
        return -WireFault.illegalWireType;
    }
    if (position > end) return -WireFault.truncated;
    if (depth === 0) return position;
    position = readVarint(bytes, position, end, skipped);
    if (position < 0) return position;
    type = skipped.low & 7;
  }
}
