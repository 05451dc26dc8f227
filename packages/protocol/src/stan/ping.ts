import type { Decoded } from "../wire/fault.ts";
import { messageCodec } from "../wire/message.ts";

/** A client asks whether its connection is still known. @see protocol.md 5.3, 8.2 */
export interface Ping {
  readonly connId: Uint8Array;
}

/** The answer to a {@link Ping}. */
export interface PingResponse {
  /** Empty: the connection is known. */
  readonly error: string;
}

const ping = messageCodec<Ping>("Ping", { connId: [1, "bytes"] });
const response = messageCodec<PingResponse>("PingResponse", { error: [1, "text"] });

/** Fields left out have their default. The result belongs to the caller. */
export function encodePing(value: Partial<Ping>): Uint8Array {
  return ping.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodePing(bytes: Uint8Array, start = 0, end: number = bytes.length): Decoded<Ping> {
  return ping.decode(bytes, start, end);
}

/** Zero bytes for success. The result belongs to the caller. */
export function encodePingResponse(value: Partial<PingResponse>): Uint8Array {
  return response.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodePingResponse(bytes: Uint8Array, start = 0, end: number = bytes.length): Decoded<PingResponse> {
  return response.decode(bytes, start, end);
}
