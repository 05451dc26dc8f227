import { byteString, byteStringBytes } from "@nats-streaming/protocol";
import { CtrlMsgType, decodeChannelList, decodeCtrlMsg, encodeCtrlMsg } from "@nats-streaming/protocol/spb";

/** A message on the partitioning subject, read. Strings are byte strings. */
export type ChannelListRequest =
  /** Nothing to answer, and nothing to say about it. */
  | { readonly kind: "ignored" }
  | { readonly kind: "unreadable"; readonly reason: string }
  | {
      readonly kind: "list";
      readonly serverId: string;
      readonly channels: readonly string[];
      /** It only asks who owns what: nobody is going to serve these channels because of the answer. */
      readonly isProbe: boolean;
    };

/**
 * In a field that servers of the original neither send nor look at: the list is a question and no claim. Their answer is
 * the same; ours is given whatever we are doing, and nobody is logged as refused.
 * @see docs/partition-protocol.md
 */
export const PROBE_REF_ID = "probe";

const IGNORED: ChannelListRequest = { kind: "ignored" };

/**
 * Reads a request as the original does, in the same order of checks. The type of the message is not looked at.
 * @see partitioning.md 6.3 steps 1 to 4
 */
export function readChannelListRequest(payload: Uint8Array, reply: string, ownServerId: string): ChannelListRequest {
  if (payload.length === 0 || reply === "") return IGNORED;
  const message = decodeCtrlMsg(payload);
  if (message.kind === "invalid") return { kind: "unreadable", reason: `proto: CtrlMsg: ${message.reason}` };
  const { serverId, data, refId } = message.value;
  if (serverId === ownServerId) return IGNORED;
  const list = decodeChannelList(data);
  if (list.kind === "invalid") return { kind: "unreadable", reason: list.message };
  return { kind: "list", serverId, channels: list.channels, isProbe: refId === PROBE_REF_ID };
}

/** @param conflict a byte string; empty for no objection. @see partitioning.md 6.3 step 6 */
export function encodeChannelListReply(serverId: string, conflict: string): Uint8Array {
  return encodeCtrlMsg({ msgType: CtrlMsgType.partitioning, serverId, data: byteStringBytes(conflict) });
}

export type ChannelListReply =
  | { readonly kind: "accepted"; readonly serverId: string }
  | { readonly kind: "conflict"; readonly serverId: string; readonly name: string }
  | { readonly kind: "undecodable"; readonly reason: string };

/** @see partitioning.md 6.4 */
export function readChannelListReply(payload: Uint8Array): ChannelListReply {
  const message = decodeCtrlMsg(payload);
  if (message.kind === "invalid") return { kind: "undecodable", reason: `proto: CtrlMsg: ${message.reason}` };
  const { serverId, data } = message.value;
  if (data.length === 0) return { kind: "accepted", serverId };
  return { kind: "conflict", serverId, name: byteString(data) };
}
