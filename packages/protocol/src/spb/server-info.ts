import type { Decoded } from "../wire/fault.ts";
import { messageCodec } from "../wire/message.ts";

/** Who a server is: recorded at the first start. Strings are byte strings. @see protocol.md 6.2 */
export interface ServerInfo {
  readonly clusterId: string;
  /** The whole discover subject. */
  readonly discovery: string;
  /** Prefix of publishes, without `.>`. */
  readonly publish: string;
  readonly subscribe: string;
  readonly unsubscribe: string;
  readonly close: string;
  readonly subClose: string;
  /** Unused. */
  readonly acksSubs: string;
  /** Clustered mode only. */
  readonly nodeId: string;
}

const codec = messageCodec<ServerInfo>("ServerInfo", {
  clusterId: [1, "text"],
  discovery: [2, "text"],
  publish: [3, "text"],
  subscribe: [4, "text"],
  unsubscribe: [5, "text"],
  close: [6, "text"],
  subClose: [7, "text"],
  acksSubs: [8, "text"],
  nodeId: [9, "text"],
});

/** Fields left out have their default. The result belongs to the caller. */
export function encodeServerInfo(value: Partial<ServerInfo>): Uint8Array {
  return codec.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeServerInfo(bytes: Uint8Array, start = 0, end: number = bytes.length): Decoded<ServerInfo> {
  return codec.decode(bytes, start, end);
}
