import { bytesOf } from "./ascii.ts";
import { flagField, jsonFields, textField } from "./json-fields.ts";

/** What a server that opens a route says of itself in `CONNECT`. */
export interface RouteConnect {
  /** Identity of the server. */
  readonly name: string;
  readonly user: string;
  readonly pass: string;
  readonly headers: boolean;
  /** Name of its cluster. */
  readonly cluster: string;
  /** That name was made up, and gives way to one that was given. */
  readonly cluster_dynamic: boolean;
  readonly tls_required: boolean;
  /** Set by clients only, which have come to the wrong port. */
  readonly lang: string;
  /** Set by gateways only, which have come to the wrong port. */
  readonly gateway: string;
}

/** What a server's `CONNECT` says, or why it cannot be read. */
export type RouteConnectDecode =
  | { readonly kind: "connect"; readonly connect: RouteConnect }
  | { readonly kind: "invalid"; readonly message: string };

/** `CONNECT` of a server. */
export function encodeRouteConnect(connect: Omit<RouteConnect, "lang" | "gateway">): Uint8Array {
  const { user, pass, cluster_dynamic, ...rest } = connect;
  const fields = {
    echo: true,
    verbose: false,
    pedantic: false,
    ...(user === "" && pass === "" ? {} : { user, pass }),
    ...rest,
    ...(cluster_dynamic ? { cluster_dynamic } : {}),
  };
  return bytesOf(`CONNECT ${JSON.stringify(fields)}\r\n`);
}

/** Reads the JSON of a `CONNECT` on a route; unknown fields are ignored. */
export function decodeRouteConnect(bytes: Uint8Array, start: number, end: number): RouteConnectDecode {
  const fields = jsonFields(bytes, start, end);
  if (fields === undefined) return { kind: "invalid", message: "CONNECT arguments are not a JSON object" };
  return {
    kind: "connect",
    connect: {
      name: textField(fields, "name"),
      user: textField(fields, "user"),
      pass: textField(fields, "pass"),
      headers: flagField(fields, "headers"),
      cluster: textField(fields, "cluster"),
      cluster_dynamic: flagField(fields, "cluster_dynamic"),
      tls_required: flagField(fields, "tls_required"),
      lang: textField(fields, "lang"),
      gateway: textField(fields, "gateway"),
    },
  };
}
