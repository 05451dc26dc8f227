import type { Integer } from "./source.ts";

/** How far a subscription, or a queue group as a whole, is behind its channel. */
export interface BacklogSnapshot {
  readonly kind: "plain" | "durable" | "group";
  /** Durable name, or group name (`<durable>:<group>` for durable groups); empty for a plain subscription. */
  readonly name: string;
  /** Owner; the last one of an offline durable. Empty for a group. */
  readonly clientId: string;
  readonly isDurable: boolean;
  /** Nobody receives. */
  readonly isOffline: boolean;
  readonly members: number;
  readonly lastSent: Integer;
  /** Sent and not acknowledged. */
  readonly pendingCount: number;
  /** Stored messages that are not acknowledged yet, sent or not. */
  readonly lagMessages: Integer;
  /** Their size, by the channel's mean size of a message: an estimate. */
  readonly lagBytes: Integer;
  /** The oldest of them; 0 for none. */
  readonly oldestSequence: Integer;
  /** When that one was stored, in milliseconds since 1970; undefined for unknown. */
  readonly oldestMillis: number | undefined;
  /** Finds out {@link oldestMillis} for the next time; only there when that takes time. May reject. */
  readonly load?: () => Promise<void>;
  /** Members that get no new messages because of max in flight. */
  readonly stalledCount: number;
  /** For how long the one that waits longest has got nothing new, in milliseconds. */
  readonly stalledMillis: number;
  /** Pending messages that have been sent more than once. */
  readonly redelivering: number;
}
