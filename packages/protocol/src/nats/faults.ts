import { latin1, quoteBytes } from "./ascii.ts";

/**
 * Why input could not be parsed. After a fault the parser is at its end: the connection has to be closed, after
 * {@link faultReply} where there is one.
 */
export type ParseFault =
  /** No operation starts like this, or a payload did not end where its size said. */
  | { readonly kind: "unknown_operation"; readonly snippet: string }
  /** The arguments of an operation are longer than `max`. */
  | { readonly kind: "control_line_exceeded"; readonly max: number; readonly snippet: string }
  /** A message announces a payload larger than `max`. Noticed before any of it was taken in. */
  | { readonly kind: "payload_exceeded"; readonly size: number; readonly max: number }
  /** The number of arguments or a size is wrong; `reason` says which. */
  | { readonly kind: "bad_arguments"; readonly reason: string; readonly snippet: string }
  /** `HPUB` from a client that did not announce headers. */
  | { readonly kind: "headers_not_supported" }
  /** Something other than `CONNECT` while {@link LineParser.connectRequired}. */
  | { readonly kind: "connect_required" };

/** Error texts as a server sends them, between quotes, behind `-ERR`. Clients match on them. */
export const ERROR_TEXT = {
  /**
   * A line starts with no operation of the NATS protocol, or a payload did not end where its size said. The connection
   * is closed.
   * Remedy: Something other than a NATS client speaks to this port, such as a browser or a TLS client without TLS on
   * the server.
   */
  unknownOperation: "Unknown Protocol Operation",
  /**
   * The arguments of an operation are longer than `max_control_line`. The connection is closed.
   * Remedy: Shorten the subject, or raise `max_control_line`.
   */
  controlLine: "maximum control line exceeded",
  /**
   * A message is larger than `max_payload`. The connection is closed.
   * Remedy: Send less at once, or raise `max_payload`.
   */
  payload: "Maximum Payload Violation",
  /** A subscription's subject is malformed. Remedy: No white space, no empty part between dots; `>` stands last. */
  invalidSubject: "Invalid Subject",
  /**
   * A publish's subject is malformed or has wildcards, from a client in pedantic mode.
   * Remedy: Name one subject without wildcards.
   */
  invalidPublishSubject: "Invalid Publish Subject",
  /**
   * CONNECT asks for a protocol version that does not exist. The connection is closed.
   * Remedy: A fault of the client library: update it.
   */
  clientProtocol: "invalid client protocol",
  /**
   * CONNECT asks for `no_responders` without `headers`. The connection is closed.
   * Remedy: Switch both on, or neither.
   */
  noRespondersNeedHeaders: "no responders requires headers support",
  /**
   * The login is wrong or missing, a reload has withdrawn it, or something was sent before CONNECT. The connection is
   * closed.
   * Remedy: Check user, password, token or nkey against `authorization` in the file of the server.
   */
  authorization: "Authorization Violation",
  /**
   * No login came within `authorization { timeout }`, or for a route `cluster { authorization { timeout } }`. The
   * connection is closed.
   * Remedy: Raise the timeout where clients are far or TLS is slow.
   */
  authenticationTimeout: "Authentication Timeout",
  /**
   * The peer has not answered `ping_max` pings. The connection is closed.
   * Remedy: Look at the network and at a client that stands still; or raise `ping_interval` or `ping_max`.
   */
  staleConnection: "Stale Connection",
  /**
   * There are `max_connections` clients already. The connection is closed.
   * Remedy: Raise `max_connections`, or find the client that connects again and again without closing.
   */
  connectionsExceeded: "maximum connections exceeded",
  /**
   * The connection has `max_subscriptions` subscriptions already.
   * Remedy: Raise `max_subscriptions`, or close subscriptions that are not needed.
   */
  subscriptionsExceeded: "maximum subscriptions exceeded",
  /**
   * A client connects to the port that is meant for other servers. The connection is closed.
   * Remedy: Use the port for clients (`-p`, 4222), not the one of `-cluster`.
   */
  routePort: "attempted to connect to route port",
} as const;

/** One of {@link ERROR_TEXT}. */
export type ErrorText = (typeof ERROR_TEXT)[keyof typeof ERROR_TEXT];

/**
 * What the peer is told about a fault before the connection is closed. Undefined where nats-server 2.9.10 closes without
 * a word: wrong arguments, and headers that were not announced.
 */
export function faultReply(fault: ParseFault): ErrorText | undefined {
  switch (fault.kind) {
    case "unknown_operation":
      return ERROR_TEXT.unknownOperation;
    case "control_line_exceeded":
      return ERROR_TEXT.controlLine;
    case "payload_exceeded":
      return ERROR_TEXT.payload;
    case "connect_required":
      return ERROR_TEXT.authorization;
    case "bad_arguments":
    case "headers_not_supported":
      return undefined;
  }
}

/** The fault as a log line of the server. */
export function describeFault(fault: ParseFault): string {
  switch (fault.kind) {
    case "unknown_operation":
      return `Client parser ERROR: proto='${fault.snippet}'`;
    case "control_line_exceeded":
      return `maximum control line exceeded: max_control_line ${fault.max} (snip: ${fault.snippet})`;
    case "payload_exceeded":
      return `maximum payload exceeded: ${fault.size} vs ${fault.max}`;
    case "bad_arguments":
      return `${fault.reason}: ${fault.snippet}`;
    case "headers_not_supported":
      return "message headers not supported";
    case "connect_required":
      return "authentication error";
  }
}

/** How many bytes a log line shows of input that is no operation. */
const SNIPPET_BYTES_MAX = 32;

export function unknownOperation(bytes: Uint8Array, at: number, end: number): ParseFault {
  return { kind: "unknown_operation", snippet: quoteBytes(bytes, at, Math.min(end, at + SNIPPET_BYTES_MAX)) };
}

export function controlLineExceeded(bytes: Uint8Array, start: number, end: number, max: number): ParseFault {
  return { kind: "control_line_exceeded", max, snippet: quoteBytes(bytes, start, end) };
}

export function badArguments(reason: string, bytes: Uint8Array, start: number, end: number): ParseFault {
  return { kind: "bad_arguments", reason, snippet: quoteBytes(bytes, start, end) };
}

/** The text of an `-ERR` line's arguments without its quotes. */
export function errorText(bytes: Uint8Array, start: number, end: number): string {
  return latin1(bytes, start, end).trim().replace(/^'|'$/g, "");
}
