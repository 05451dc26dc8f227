import type { Decoded } from "../wire/fault.ts";
import { messageCodec } from "../wire/message.ts";

/** What a client sends to the discover subject. @see protocol.md 5.1, 7 */
export interface ConnectRequest {
  /** Byte string. */
  readonly clientId: string;
  /** Byte string: where the server sends heartbeats. */
  readonly heartbeatInbox: string;
  /** 0: old clients; 1 and above: has a connection ID and pings the server. */
  readonly protocol: number;
  /** Unique per connection; libraries send 22 ASCII characters. May be empty. */
  readonly connId: Uint8Array;
  /** Seconds between pings that the client would like. */
  readonly pingInterval: number;
  /** Unanswered pings after which the client gives up. */
  readonly pingMaxOut: number;
}

/** The answer. @see protocol.md 5.2 */
export interface ConnectResponse {
  /** A client publishes to this, a dot and the channel. */
  readonly pubPrefix: string;
  readonly subRequests: string;
  readonly unsubRequests: string;
  readonly closeRequests: string;
  /** Not empty: refused, and no other field is set. */
  readonly error: string;
  readonly subCloseRequests: string;
  /** Only for clients of protocol 1 and above, as the next two. */
  readonly pingRequests: string;
  readonly pingInterval: number;
  readonly pingMaxOut: number;
  /** Level of the server: 1. */
  readonly protocol: number;
  /** Reserved; never set. */
  readonly publicKey: string;
}

const request = messageCodec<ConnectRequest>("ConnectRequest", {
  clientId: [1, "text"],
  heartbeatInbox: [2, "text"],
  protocol: [3, "int32"],
  connId: [4, "bytes"],
  pingInterval: [5, "int32"],
  pingMaxOut: [6, "int32"],
});

const response = messageCodec<ConnectResponse>("ConnectResponse", {
  pubPrefix: [1, "text"],
  subRequests: [2, "text"],
  unsubRequests: [3, "text"],
  closeRequests: [4, "text"],
  error: [5, "text"],
  subCloseRequests: [6, "text"],
  pingRequests: [7, "text"],
  pingInterval: [8, "int32"],
  pingMaxOut: [9, "int32"],
  protocol: [10, "int32"],
  publicKey: [100, "text"],
});

/** Fields left out have their default. The result belongs to the caller. */
export function encodeConnectRequest(value: Partial<ConnectRequest>): Uint8Array {
  return request.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeConnectRequest(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Decoded<ConnectRequest> {
  return request.decode(bytes, start, end);
}

/** Fields left out have their default. The result belongs to the caller. */
export function encodeConnectResponse(value: Partial<ConnectResponse>): Uint8Array {
  return response.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeConnectResponse(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Decoded<ConnectResponse> {
  return response.decode(bytes, start, end);
}
