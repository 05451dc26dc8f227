import { bytesOf, utf8 } from "./ascii.ts";

/** What a server says of itself in `INFO`: the fields of nats-server 2.9.10, in its order. */
export interface ServerInfo {
  readonly server_id: string;
  readonly server_name: string;
  readonly version: string;
  /** Protocol level: 1. */
  readonly proto: number;
  /** What the server runs on; Go's version in the reference. */
  readonly go: string;
  readonly host: string;
  readonly port: number;
  readonly headers: boolean;
  readonly auth_required?: boolean;
  readonly tls_required?: boolean;
  readonly tls_verify?: boolean;
  readonly max_payload: number;
  readonly client_id?: number;
  readonly client_ip?: string;
  /** What a client that logs in with a key has to sign. */
  readonly nonce?: string;
  /** Name of the cluster. */
  readonly cluster?: string;
  /** Servers of the cluster that a client may turn to, this one included. */
  readonly connect_urls?: readonly string[];
  /** The server is about to go: clients that can should turn to another one now. */
  readonly ldm?: boolean;
}

/** The `INFO` line of a {@link ServerInfo} or of another object, with the blank before its end that the reference writes. */
export function encodeInfo(info: object): Uint8Array {
  return bytesOf(`INFO ${JSON.stringify(info)} \r\n`);
}

/** The object in an `INFO` line's arguments, or undefined when it is none. Its fields are the peer's: unchecked. */
export function decodeInfo(
  bytes: Uint8Array,
  start: number,
  end: number,
): Readonly<Record<string, unknown>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(utf8(bytes, start, end));
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value));
}
