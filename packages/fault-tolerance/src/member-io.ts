import type { Timestamp } from "@nats-streaming/kernel";
import type { FaultToleranceFailure } from "./state.ts";

/** What can happen to a member. Payloads are read before `step` returns and not kept. */
export type MemberInput =
  /** The subscription to the group's subject is in force. Once. */
  | { readonly kind: "start" }
  /** Something came on the group's subject, the member's own heartbeats included. */
  | { readonly kind: "message"; readonly payload: Uint8Array }
  /** The line is up again. */
  | { readonly kind: "connected" }
  /** What `try_lock` came to; `at` is the calendar time, which becomes the activation time. */
  | { readonly kind: "lock_acquired"; readonly at: Timestamp }
  | { readonly kind: "lock_busy"; readonly holder?: string }
  | { readonly kind: "lock_failed"; readonly reason: string }
  /** The store has found that somebody else owns the lock now. */
  | { readonly kind: "lock_lost" }
  /** What `activate` came to. */
  | { readonly kind: "activated" }
  | { readonly kind: "activation_failed"; readonly reason: string }
  | { readonly kind: "heartbeat_failed"; readonly reason: string }
  | { readonly kind: "stop" }
  /** The deadline has passed. */
  | { readonly kind: "time" };

/** What is to be done, in this order. */
export type MemberOutput =
  | { readonly kind: "log"; readonly level: "debug" | "info" | "warn" | "error" | "fatal"; readonly text: string }
  /** Report what it came to. There is never more than one under way. */
  | { readonly kind: "try_lock" }
  /** The payload is the same object each time; it is not to be changed. Report only a failure. */
  | { readonly kind: "send_heartbeat"; readonly payload: Uint8Array }
  /** Recover the store and serve, then report. */
  | { readonly kind: "activate" }
  /** Close in order, which lets go of the lock. The member has ended. */
  | { readonly kind: "activation_failed"; readonly failure: FaultToleranceFailure }
  /** Stop serving at once, without a write to the store. The member has ended. */
  | { readonly kind: "abort"; readonly failure: FaultToleranceFailure };
