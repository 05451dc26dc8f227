import type { Standing } from "./seniority.ts";

/** What can happen to a coordinator. Payloads are read before `step` returns and not kept. */
export type CoordinatorInput =
  /**
   * The subscription to the partitioning subject is in force; the check may begin. `verified`: the list has been checked
   * beforehand and nothing has changed since, so the server serves at once, and the check follows.
   */
  | { readonly kind: "start"; readonly verified?: boolean }
  | { readonly kind: "request"; readonly payload: Uint8Array; readonly reply: string }
  | { readonly kind: "reply"; readonly check: number; readonly payload: Uint8Array }
  /** All of `send_list` has reached the NATS server. */
  | { readonly kind: "sent"; readonly check: number }
  /** `disconnected`: only because the line is down; the check is repeated when it is back. */
  | { readonly kind: "send_failed"; readonly check: number; readonly message: string; readonly disconnected: boolean }
  /** The answer to `ask_standing`, or that there was none in time. */
  | { readonly kind: "standing"; readonly check: number; readonly serverId: string; readonly standing: Standing }
  /** Another server that serves has been told by this one that they overlap in `name`, and asks since when it serves. */
  | { readonly kind: "challenged"; readonly serverId: string; readonly since: number; readonly name: string }
  /** The list is to be changed; byte strings, at least one. Ends with `proposal_applied` or `proposal_refused`. */
  | { readonly kind: "propose"; readonly names: readonly string[] }
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
  /** Ask a server that objects since when it serves, then report `standing`; always. */
  | { readonly kind: "ask_standing"; readonly check: number; readonly serverId: string; readonly name: string }
  /** Another server's list, or a part of it; `group` is the same for the parts of one list. */
  | { readonly kind: "heard"; readonly serverId: string; readonly group: string; readonly names: readonly string[] }
  /** Two servers list what overlaps in `name`: this one and that one. */
  | { readonly kind: "overlap"; readonly serverId: string; readonly name: string }
  | { readonly kind: "log"; readonly level: "warn" | "error"; readonly text: string }
  /** The start-up check has passed. */
  | { readonly kind: "admitted" }
  /** The start-up check has failed; the coordinator has ended. */
  | { readonly kind: "refused"; readonly reason: RefusalReason; readonly message: string }
  /** A server that serves has been told that another one serves some of its channels, and is the one that has to end. */
  | { readonly kind: "conflict"; readonly message: string }
  /** The changed list counts from now on. */
  | { readonly kind: "proposal_applied" }
  /** The list stays as it was. */
  | { readonly kind: "proposal_refused"; readonly reason: RefusalReason; readonly message: string };

/** Why the other servers, or the way to them, do not let a list be served. */
export type RefusalReason = "conflict" | "payload_too_small" | "undecodable_reply" | "bus_failed";
