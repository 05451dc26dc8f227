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
  unknownOperation: "Unknown Protocol Operation",
  controlLine: "maximum control line exceeded",
  payload: "Maximum Payload Violation",
  invalidSubject: "Invalid Subject",
  invalidPublishSubject: "Invalid Publish Subject",
  clientProtocol: "invalid client protocol",
  noRespondersNeedHeaders: "no responders requires headers support",
  authorization: "Authorization Violation",
  authenticationTimeout: "Authentication Timeout",
  staleConnection: "Stale Connection",
  connectionsExceeded: "maximum connections exceeded",
  subscriptionsExceeded: "maximum subscriptions exceeded",
  routePort: "attempted to connect to route port",
} as const;

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
