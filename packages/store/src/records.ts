/**
 * What a store keeps besides messages. Field meanings: protocol.md 6; how the server uses a {@link SubState}:
 * store-interface.md 1. Strings that came from a client are byte strings: one character per byte (latin1), so that
 * names that are not UTF-8 survive unchanged.
 */
export interface SubState {
  /** Assigned by {@link SubscriptionLog.create}; 0 before. */
  readonly id: number;
  /** Owner; empty in an offline durable queue group's record ("shadow"). */
  readonly clientId: string;
  /** Group key; `durable:group` for durable queue groups; empty for plain subscriptions and durables. */
  readonly qGroup: string;
  readonly inbox: string;
  readonly ackInbox: string;
  readonly maxInFlight: number;
  readonly ackWaitInSecs: number;
  /** Plain durables only. */
  readonly durableName: string;
  /** Highest sequence sent, or the position before the first one to send. */
  readonly lastSent: number;
  readonly isDurable: boolean;
  /** A durable without an active subscription. */
  readonly isClosed: boolean;
}

/** A client as it is stored. */
export interface ClientInfo {
  readonly id: string;
  readonly hbInbox: string;
  readonly connId: Uint8Array;
  readonly protocol: number;
  readonly pingInterval: number;
  readonly pingMaxOut: number;
}

/** Who a store belongs to, and the subjects of that server. */
export interface ServerInfo {
  readonly clusterId: string;
  readonly discovery: string;
  readonly publish: string;
  readonly subscribe: string;
  readonly unsubscribe: string;
  readonly close: string;
  readonly subClose: string;
  readonly acksSubs: string;
}
