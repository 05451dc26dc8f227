import type { Timer } from "@nats-streaming/kernel";
import type { ClientInfo } from "@nats-streaming/store";
import type { Subscription } from "./subscription.ts";

/**
 * Where a client stands.
 *
 * ```text
 *   registered ◀── answers ── suspect
 *        └─── misses a heartbeat ──▶ └── misses too many, closes, or is replaced ──▶ closed
 * ```
 */
export type ClientState = "registered" | "suspect" | "closed";

/** One registration of a client ID. A replacement of the client is another object. */
export interface Client {
  readonly info: ClientInfo;
  state: ClientState;
  /** Heartbeats missed in a row. */
  missedHeartbeats: number;
  heartbeatTimer: Timer | undefined;
  /** A heartbeat is on its way and its answer is awaited. */
  heartbeatPending: boolean;
  readonly subscriptions: Set<Subscription>;
}

export function newClient(info: ClientInfo): Client {
  return {
    info,
    state: "registered",
    missedHeartbeats: 0,
    heartbeatTimer: undefined,
    heartbeatPending: false,
    subscriptions: new Set(),
  };
}

/** registered → suspect, at the first missed heartbeat. */
export function suspect(client: Client): void {
  client.missedHeartbeats++;
  if (client.state !== "registered") return;
  client.state = "suspect";
  for (const subscription of client.subscriptions) subscription.ownerFailing = true;
}

/** suspect → registered, at the first answer. */
export function clear(client: Client): void {
  client.missedHeartbeats = 0;
  if (client.state !== "suspect") return;
  client.state = "registered";
  for (const subscription of client.subscriptions) subscription.ownerFailing = false;
}

/** any → closed. Its subscriptions are the caller's to end. */
export function closed(client: Client): void {
  client.state = "closed";
  client.heartbeatTimer?.cancel();
  client.heartbeatTimer = undefined;
}
