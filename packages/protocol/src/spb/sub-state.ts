import type { Decoded } from "../wire/fault.ts";
import { WireFault } from "../wire/fault.ts";
import { messageCodec } from "../wire/message.ts";
import { type Bits64, bits64, bitsToNumber, compactTag, readVarint, skipUnknown } from "../wire/read.ts";
import { varintSize, writeVarint } from "../wire/write.ts";

/**
 * A subscription as stores keep it. Strings are byte strings. `id` and `lastSent` are uint64 on the wire and safe integers
 * here: a record with a larger one is invalid.
 * @see protocol.md 6.1
 */
export interface SubState {
  /** Assigned by the store, from 1. */
  readonly id: number;
  /** Owner; empty in the record of an offline durable queue group. */
  readonly clientId: string;
  /** Group key: `durable:group` for durable queue groups; empty for none. */
  readonly qGroup: string;
  readonly inbox: string;
  readonly ackInbox: string;
  readonly maxInFlight: number;
  readonly ackWaitInSecs: number;
  /** Plain durables only. */
  readonly durableName: string;
  /** Highest sequence sent, or the position before the first one to send. */
  readonly lastSent: number;
  readonly isDurable: boolean;
  /** A plain durable that was closed. */
  readonly isClosed: boolean;
}

/** A subscription was removed. @see protocol.md 6.2 */
export interface SubStateDelete {
  readonly id: number;
}

/** A sequence was sent or acknowledged, by the kind of the record. Safe integers. @see protocol.md 6.2 */
export interface SubStateUpdate {
  readonly id: number;
  readonly seqno: number;
}

/** A `SubStateUpdate` as it is read in place; made once and reused. */
export interface SubStateUpdateView {
  id: number;
  seqno: number;
}

const state = messageCodec<SubState>("SubState", {
  id: [1, "count"],
  clientId: [2, "text"],
  qGroup: [3, "text"],
  inbox: [4, "text"],
  ackInbox: [5, "text"],
  maxInFlight: [6, "int32"],
  ackWaitInSecs: [7, "int32"],
  durableName: [8, "text"],
  lastSent: [9, "count"],
  isDurable: [10, "bool"],
  isClosed: [11, "bool"],
});

const removal = messageCodec<SubStateDelete>("SubStateDelete", { id: [1, "count"] });

const update = messageCodec<SubStateUpdate>("SubStateUpdate", {
  id: [1, "count"],
  seqno: [2, "count"],
});

/** Fields left out have their default. The result belongs to the caller. */
export function encodeSubState(value: Partial<SubState>): Uint8Array {
  return state.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeSubState(bytes: Uint8Array, start = 0, end: number = bytes.length): Decoded<SubState> {
  return state.decode(bytes, start, end);
}

/** Fields left out have their default. The result belongs to the caller. */
export function encodeSubStateDelete(value: Partial<SubStateDelete>): Uint8Array {
  return removal.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeSubStateDelete(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Decoded<SubStateDelete> {
  return removal.decode(bytes, start, end);
}

/** Fields left out have their default. The result belongs to the caller. */
export function encodeSubStateUpdate(value: Partial<SubStateUpdate>): Uint8Array {
  return update.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeSubStateUpdate(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Decoded<SubStateUpdate> {
  return update.decode(bytes, start, end);
}

/** Exact size in bytes of what {@link writeSubStateUpdate} writes. */
export function subStateUpdateSize(id: number, seqno: number): number {
  return (id === 0 ? 0 : 1 + varintSize(id)) + (seqno === 0 ? 0 : 1 + varintSize(seqno));
}

/**
 * Encodes a `SubStateUpdate` at `target[at, …)`, without allocating: stores write two per delivered message.
 * The caller has reserved {@link subStateUpdateSize} bytes. @returns the position after it
 */
export function writeSubStateUpdate(target: Uint8Array, at: number, id: number, seqno: number): number {
  let position = at;
  if (id !== 0) {
    target[position] = 0x08;
    position = writeVarint(target, position + 1, id);
  }
  if (seqno !== 0) {
    target[position] = 0x10;
    position = writeVarint(target, position + 1, seqno);
  }
  return position;
}

/** Fields 1 and 2. */
const KNOWN_FIELDS = 0b110;
const ID_TAG = 0x08;
const SEQNO_TAG = 0x10;

const bits: Bits64 = bits64();

/**
 * Decodes `bytes[start, end)` into `view`, without allocating: a recovery reads millions.
 * @returns `WireFault.none`, or the fault
 * @see protocol.md 4.2
 */
export function readSubStateUpdate(view: SubStateUpdateView, bytes: Uint8Array, start: number, end: number): WireFault {
  view.id = 0;
  view.seqno = 0;
  let at = start;
  while (at < end) {
    at = readVarint(bytes, at, end, bits);
    if (at < 0) return -at as WireFault;
    const tag = compactTag(bits);
    if (tag < 0) return -tag as WireFault;
    if (tag !== ID_TAG && tag !== SEQNO_TAG) {
      at = skipUnknown(bytes, at, end, tag, KNOWN_FIELDS);
      if (at < 0) return -at as WireFault;
      continue;
    }
    at = readVarint(bytes, at, end, bits);
    if (at < 0) return -at as WireFault;
    const value = bitsToNumber(bits);
    if (value > Number.MAX_SAFE_INTEGER) return WireFault.numberTooLarge;
    if (tag === ID_TAG) view.id = value;
    else view.seqno = value;
  }
  return WireFault.none;
}
