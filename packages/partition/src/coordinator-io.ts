/** What can happen to a coordinator. Payloads are read before `step` returns and not kept. */
export type CoordinatorInput =
  /** The subscription to the partitioning subject is in force; the check may begin. */
  | { readonly kind: "start" }
  | { readonly kind: "request"; readonly payload: Uint8Array; readonly reply: string }
  | { readonly kind: "reply"; readonly check: number; readonly payload: Uint8Array }
  /** All of `send_list` has reached the NATS server. */
  | { readonly kind: "sent"; readonly check: number }
  /** `disconnected`: only because the line is down; the check is repeated when it is back. */
  | { readonly kind: "send_failed"; readonly check: number; readonly message: string; readonly disconnected: boolean }
  /** A NATS server joined or came back. */
  | { readonly kind: "topology_changed" }
  | { readonly kind: "disconnected" }
  | { readonly kind: "connected" }
  /** The connection will not come back. */
  | { readonly kind: "closed"; readonly reason: string }
  /** The deadline has passed. */
  | { readonly kind: "time" };

/** What is to be done, in this order. */
export type CoordinatorOutput =
  /** Publish each request with an inbox of this check as its reply subject, flush once, then report `sent`. */
  | { readonly kind: "send_list"; readonly check: number; readonly requests: readonly Uint8Array[] }
  /** The check is over: its inbox is no longer needed. */
  | { readonly kind: "end_check"; readonly check: number }
  | { readonly kind: "answer"; readonly reply: string; readonly payload: Uint8Array }
  | { readonly kind: "log"; readonly level: "warn" | "error"; readonly text: string }
  /** The start-up check has passed. */
  | { readonly kind: "admitted" }
  /** The start-up check has failed; the coordinator has ended. */
  | { readonly kind: "refused"; readonly reason: RefusalReason; readonly message: string }
  /** A server that serves has been told that another one serves some of its channels. */
  | { readonly kind: "conflict"; readonly message: string };

export type RefusalReason = "conflict" | "payload_too_small" | "undecodable_reply" | "bus_failed";
