import type { Decoded } from "../wire/fault.ts";
import { messageCodec } from "../wire/message.ts";

/** A registered client as stores keep it. Strings are byte strings. @see protocol.md 6.2 */
export interface ClientInfo {
  /** Client ID. */
  readonly id: string;
  /** Heartbeat inbox. */
  readonly hbInbox: string;
  readonly connId: Uint8Array;
  readonly protocol: number;
  readonly pingInterval: number;
  readonly pingMaxOut: number;
}

/** A client was unregistered. */
export interface ClientDelete {
  readonly id: string;
}

const info = messageCodec<ClientInfo>("ClientInfo", {
  id: [1, "text"],
  hbInbox: [2, "text"],
  connId: [3, "bytes"],
  protocol: [4, "int32"],
  pingInterval: [5, "int32"],
  pingMaxOut: [6, "int32"],
});

const removal = messageCodec<ClientDelete>("ClientDelete", { id: [1, "text"] });

/** Fields left out have their default. The result belongs to the caller. */
export function encodeClientInfo(value: Partial<ClientInfo>): Uint8Array {
  return info.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeClientInfo(bytes: Uint8Array, start = 0, end: number = bytes.length): Decoded<ClientInfo> {
  return info.decode(bytes, start, end);
}

/** Fields left out have their default. The result belongs to the caller. */
export function encodeClientDelete(value: Partial<ClientDelete>): Uint8Array {
  return removal.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeClientDelete(bytes: Uint8Array, start = 0, end: number = bytes.length): Decoded<ClientDelete> {
  return removal.decode(bytes, start, end);
}
