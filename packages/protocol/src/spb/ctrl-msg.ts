import type { Decoded } from "../wire/fault.ts";
import { messageCodec } from "../wire/message.ts";

/** What a {@link CtrlMsg} is about. The first three are obsolete. @see protocol.md 6.2 */
export const CtrlMsgType = {
  subUnsubscribe: 0,
  subClose: 1,
  connClose: 2,
  ftHeartbeat: 3,
  partitioning: 4,
} as const;
export type CtrlMsgType = (typeof CtrlMsgType)[keyof typeof CtrlMsgType];

/** A message between servers. @see protocol.md 6.2, 15; partitioning.md 6.1 */
export interface CtrlMsg {
  /** A {@link CtrlMsgType}, or any other int32: receivers do not check it. */
  readonly msgType: number;
  /** Byte string: sender. */
  readonly serverId: string;
  /** Depends on the type. */
  readonly data: Uint8Array;
  /** Obsolete. */
  readonly refId: string;
}

const codec = messageCodec<CtrlMsg>("CtrlMsg", {
  msgType: [1, "int32"],
  serverId: [2, "text"],
  data: [3, "bytes"],
  refId: [4, "text"],
});

/** Fields left out have their default. The result belongs to the caller. */
export function encodeCtrlMsg(value: Partial<CtrlMsg>): Uint8Array {
  return codec.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeCtrlMsg(bytes: Uint8Array, start = 0, end: number = bytes.length): Decoded<CtrlMsg> {
  return codec.decode(bytes, start, end);
}
