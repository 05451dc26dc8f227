import type { TimestampNanos } from "@nats-streaming/kernel";
import type { Decoded } from "../wire/fault.ts";
import { messageCodec } from "../wire/message.ts";

/** A message as it is stored and delivered. @see protocol.md 5.6 */
export interface MsgProto {
  /** uint64; from 1. */
  readonly sequence: bigint;
  /** Byte string: channel. */
  readonly subject: string;
  /** Byte string: from the publisher. */
  readonly reply: string;
  readonly data: Uint8Array;
  /** When the server stored it. */
  readonly timestamp: TimestampNanos;
  /** Not the first send of this message to this subscription or queue group. */
  readonly redelivered: boolean;
  /** 1 for the first redelivery; 0 when `redelivered` is false. */
  readonly redeliveryCount: number;
  /** Reserved; never set by the server. */
  readonly crc32: number;
}

const codec = messageCodec<MsgProto>("MsgProto", {
  sequence: [1, "uint64"],
  subject: [2, "text"],
  reply: [3, "text"],
  data: [4, "bytes"],
  timestamp: [5, "int64"],
  redelivered: [6, "bool"],
  redeliveryCount: [7, "uint32"],
  crc32: [10, "uint32"],
});

/**
 * The whole value, with all 64 bits of the numbers: for subscribers, tools and tests. The server itself writes with
 * `writeMsgProto` and reads with `readMsgProto`. The result belongs to the caller.
 */
export function encodeMsgProto(value: Partial<MsgProto>): Uint8Array {
  return codec.encode(value);
}

/** The whole value. Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeMsgProto(bytes: Uint8Array, start = 0, end: number = bytes.length): Decoded<MsgProto> {
  return codec.decode(bytes, start, end);
}
