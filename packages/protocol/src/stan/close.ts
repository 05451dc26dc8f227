import type { Decoded } from "../wire/fault.ts";
import { messageCodec } from "../wire/message.ts";

/** A client ends its connection. @see protocol.md 5.11, 12.3 */
export interface CloseRequest {
  readonly clientId: string;
}

/** The answer to a {@link CloseRequest}. */
export interface CloseResponse {
  /** Empty: closed. */
  readonly error: string;
}

const request = messageCodec<CloseRequest>("CloseRequest", { clientId: [1, "text"] });
const response = messageCodec<CloseResponse>("CloseResponse", { error: [1, "text"] });

/** Fields left out have their default. The result belongs to the caller. */
export function encodeCloseRequest(value: Partial<CloseRequest>): Uint8Array {
  return request.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeCloseRequest(bytes: Uint8Array, start = 0, end: number = bytes.length): Decoded<CloseRequest> {
  return request.decode(bytes, start, end);
}

/** Zero bytes for success. The result belongs to the caller. */
export function encodeCloseResponse(value: Partial<CloseResponse>): Uint8Array {
  return response.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeCloseResponse(bytes: Uint8Array, start = 0, end: number = bytes.length): Decoded<CloseResponse> {
  return response.decode(bytes, start, end);
}
