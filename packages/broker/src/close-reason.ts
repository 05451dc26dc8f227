import type { ParseFault } from "@nats-streaming/protocol/nats";

/** Why a connection was closed, as the log says it. */
export type CloseReason =
  | "Authentication Failure"
  | "Authentication Timeout"
  | "Bad Client Protocol Version"
  | "Client Closed"
  | "Cluster Name Conflict"
  | "Duplicate Route"
  | "Incorrect Port"
  | "Maximum Connections Exceeded"
  | "Maximum Control Line Exceeded"
  | "Maximum Message Payload Exceeded"
  | "Maximum Subscriptions Exceeded"
  | "No Responders Requires Headers"
  | "Parse Error"
  | "Protocol Violation"
  | "Read Error"
  | "Route Removed"
  | "Server Shutdown"
  | "Slow Consumer (Pending Bytes)"
  | "Slow Consumer (Write Deadline)"
  | "Stale Connection"
  | "TLS Handshake Failure"
  | "Write Error";

/** The reason that a failing socket is. */
export function reasonOfFailure(error: NodeJS.ErrnoException): CloseReason {
  if (error.syscall === "write" || error.code === "EPIPE") return "Write Error";
  return error.code === "ECONNRESET" ? "Client Closed" : "Read Error";
}

/** The reason that a fault of the client's input is. */
export function reasonOfFault(fault: ParseFault): CloseReason {
  switch (fault.kind) {
    case "connect_required":
      return "Authentication Failure";
    case "control_line_exceeded":
      return "Maximum Control Line Exceeded";
    case "payload_exceeded":
      return "Maximum Message Payload Exceeded";
    case "unknown_operation":
    case "bad_arguments":
    case "headers_not_supported":
      return "Protocol Violation";
  }
}
