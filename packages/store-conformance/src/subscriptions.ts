import type { SubState } from "@nats-streaming/store";

/** The state of a subscription that was not recorded yet. */
export function subState(changes: Partial<SubState> = {}): SubState {
  return {
    id: 0,
    clientId: "client",
    qGroup: "",
    inbox: "_INBOX.a.b",
    ackInbox: "_INBOX.c.d",
    maxInFlight: 16,
    ackWaitInSecs: 30,
    durableName: "",
    lastSent: 0,
    isDurable: false,
    isClosed: false,
    ...changes,
  };
}
