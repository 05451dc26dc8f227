/*
 * message PubAck { string guid = 1; string error = 2; }
 */
import { copyBytes, copyShort } from "../wire/copy.ts";
import type { Decoded } from "../wire/fault.ts";
import { messageCodec } from "../wire/message.ts";
import { varintSize, writeVarint } from "../wire/write.ts";

/** The answer to a `PubMsg`. @see protocol.md 5.5 */
export interface PubAck {
  /** Byte string: the guid of the `PubMsg`. */
  readonly guid: string;
  /** Byte string; empty: the message is stored. */
  readonly error: string;
}

const codec = messageCodec<PubAck>("PubAck", { guid: [1, "text"], error: [2, "text"] });

const NO_ERROR = new Uint8Array(0);

/** Size in bytes of what {@link writePubAck} writes. */
export function pubAckSize(guidLength: number, errorLength = 0): number {
  return sizeOf(guidLength) + sizeOf(errorLength);
}

/**
 * Encodes a `PubAck` at `target[at, …)`, without allocating; the caller has reserved {@link pubAckSize}.
 * @param source holds the guid in `[guidStart, guidEnd)`; another buffer than `target`
 * @param error bytes of the error text; empty for success
 * @returns the position after it
 */
export function writePubAck(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  guidStart: number,
  guidEnd: number,
  error: Uint8Array = NO_ERROR,
): number {
  let position = at;
  if (guidEnd > guidStart) {
    target[position] = 0x0a;
    position = copyBytes(source, guidStart, guidEnd, target, writeVarint(target, position + 1, guidEnd - guidStart));
  }
  if (error.length > 0) {
    target[position] = 0x12;
    position = copyShort(error, 0, error.length, target, writeVarint(target, position + 1, error.length));
  }
  return position;
}

/** Fields left out have their default. The result belongs to the caller. */
export function encodePubAck(value: Partial<PubAck>): Uint8Array {
  return codec.encode(value);
}

/** What publishers do. Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodePubAck(bytes: Uint8Array, start = 0, end: number = bytes.length): Decoded<PubAck> {
  return codec.decode(bytes, start, end);
}

function sizeOf(length: number): number {
  return length === 0 ? 0 : 1 + varintSize(length) + length;
}
