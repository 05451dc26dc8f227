import type { Timestamp } from "@nats-streaming/kernel";
import {
  CtrlMsgType,
  decodeActivationTime,
  decodeCtrlMsg,
  encodeActivationTime,
  encodeCtrlMsg,
} from "@nats-streaming/protocol/spb";

/** What a message on the group's subject says to an active. */
export type Heard =
  /** Not a heartbeat. */
  | { readonly kind: "nothing" }
  | { readonly kind: "heartbeat"; readonly serverId: string; readonly activeSince: bigint }
  /** A heartbeat that does not say since when its sender is active. */
  | { readonly kind: "unreadable"; readonly serverId: string; readonly reason: string };

const NOTHING: Heard = { kind: "nothing" };

/** The bytes that an active sends, the same for as long as it is active. The result belongs to the caller. */
export function encodeHeartbeat(serverId: string, activeSince: Timestamp): Uint8Array {
  return encodeCtrlMsg({ msgType: CtrlMsgType.ftHeartbeat, serverId, data: encodeActivationTime(activeSince) });
}

/** Reads a whole payload; `activeSince` is in nanoseconds since 1970. @see fault-tolerance.md 3, 6 */
export function readHeartbeat(payload: Uint8Array): Heard {
  const message = decodeCtrlMsg(payload);
  if (message.kind === "invalid" || message.value.msgType !== CtrlMsgType.ftHeartbeat) return NOTHING;
  const { serverId, data } = message.value;
  const time = decodeActivationTime(data);
  if (time.kind === "invalid") return { kind: "unreadable", serverId, reason: time.reason };
  return { kind: "heartbeat", serverId, activeSince: time.nanos };
}
