import type { Decoded } from "../wire/fault.ts";
import { messageCodec } from "../wire/message.ts";

/** A node of a clustered server asks to join. This server only recognises it. @see protocol.md 6.3 */
export interface RaftJoinRequest {
  readonly nodeId: string;
  readonly nodeAddr: string;
}

/** The answer to a {@link RaftJoinRequest}. */
export interface RaftJoinResponse {
  /** Empty: joined. */
  readonly error: string;
}

const request = messageCodec<RaftJoinRequest>("RaftJoinRequest", {
  nodeId: [1, "text"],
  nodeAddr: [2, "text"],
});

const response = messageCodec<RaftJoinResponse>("RaftJoinResponse", { error: [1, "text"] });

/** Fields left out have their default. The result belongs to the caller. */
export function encodeRaftJoinRequest(value: Partial<RaftJoinRequest>): Uint8Array {
  return request.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeRaftJoinRequest(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Decoded<RaftJoinRequest> {
  return request.decode(bytes, start, end);
}

/** Fields left out have their default. The result belongs to the caller. */
export function encodeRaftJoinResponse(value: Partial<RaftJoinResponse>): Uint8Array {
  return response.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeRaftJoinResponse(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Decoded<RaftJoinResponse> {
  return response.decode(bytes, start, end);
}
