import { bytesOf } from "./ascii.ts";
import { flagField, jsonFields, textField, textsField, wholeField } from "./json-fields.ts";

/** What a server says of itself, or of a third one, in the `INFO` of a route. */
export interface RouteInfo {
  readonly server_id: string;
  readonly server_name: string;
  readonly version: string;
  /** Protocol level of routes. */
  readonly proto: number;
  /** What the server runs on. */
  readonly go: string;
  /** Where it listens for routes. */
  readonly host: string;
  readonly port: number;
  readonly headers: boolean;
  readonly auth_required: boolean;
  readonly tls_required: boolean;
  readonly max_payload: number;
  /** Where other servers reach it, `nats-route://host:port/`; empty: where the connection comes from. */
  readonly ip: string;
  /** Name of its cluster. */
  readonly cluster: string;
  /** That name was made up, and gives way to one that was given. */
  readonly cluster_dynamic: boolean;
  /** Where clients reach it. */
  readonly connect_urls: readonly string[];
  /** It is about to go. */
  readonly ldm: boolean;
  /**
   * It settles which of two routes to keep by the two identities, at once; see `route-choice.ts` of the broker. Other servers
   * do not know the field.
   */
  readonly settles_by_id: boolean;
}

/** What a server's `INFO` says, or why it cannot be read. */
export type RouteInfoDecode =
  | { readonly kind: "info"; readonly info: RouteInfo }
  | { readonly kind: "invalid"; readonly message: string };

/** `INFO` of a route. What is false or empty is left out, as the reference does. */
export function encodeRouteInfo(info: RouteInfo): Uint8Array {
  const fields = Object.entries(info).filter(
    ([name, value]) => name === "headers" || !(value === false || value === "" || isEmpty(value)),
  );
  return bytesOf(`INFO ${JSON.stringify(Object.fromEntries(fields))} \r\n`);
}

/** Reads the JSON of an `INFO` on a route; unknown fields are ignored. */
export function decodeRouteInfo(bytes: Uint8Array, start: number, end: number): RouteInfoDecode {
  const fields = jsonFields(bytes, start, end);
  if (fields === undefined) return { kind: "invalid", message: "INFO arguments are not a JSON object" };
  const info: RouteInfo = {
    server_id: textField(fields, "server_id"),
    server_name: textField(fields, "server_name"),
    version: textField(fields, "version"),
    proto: wholeField(fields, "proto"),
    go: textField(fields, "go"),
    host: textField(fields, "host"),
    port: wholeField(fields, "port"),
    headers: flagField(fields, "headers"),
    auth_required: flagField(fields, "auth_required"),
    tls_required: flagField(fields, "tls_required"),
    max_payload: wholeField(fields, "max_payload"),
    ip: textField(fields, "ip"),
    cluster: textField(fields, "cluster"),
    cluster_dynamic: flagField(fields, "cluster_dynamic"),
    connect_urls: textsField(fields, "connect_urls"),
    ldm: flagField(fields, "ldm"),
    settles_by_id: flagField(fields, "settles_by_id"),
  };
  if (fields["client_id"] !== undefined) {
    return { kind: "invalid", message: "INFO is that of a port for clients, not for routes" };
  }
  if (info.server_id === "") return { kind: "invalid", message: "INFO names no server_id" };
  return { kind: "info", info };
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
