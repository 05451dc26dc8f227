/** Why a connection was closed, as the log says it. */
export type CloseReason =
  | "Authentication Failure"
  | "Authentication Timeout"
  | "Bad Client Protocol Version"
  | "Client Closed"
  | "Maximum Connections Exceeded"
  | "Maximum Control Line Exceeded"
  | "Maximum Message Payload Exceeded"
  | "No Responders Requires Headers"
  | "Parse Error"
  | "Protocol Violation"
  | "Read Error"
  | "Server Shutdown"
  | "Slow Consumer (Pending Bytes)"
  | "Slow Consumer (Write Deadline)"
  | "Stale Connection"
  | "Write Error";
