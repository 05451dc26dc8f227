import type { TimestampNanos } from "@nats-streaming/kernel";
import type { Integer } from "./source.ts";

/** Where reading messages begins. */
export type MessageStart =
  | { readonly kind: "sequence"; readonly sequence: number }
  /** The first that was stored at that time or later. */
  | { readonly kind: "time"; readonly timestamp: TimestampNanos }
  /** So many from the end. */
  | { readonly kind: "last"; readonly count: number };

/** How much of a channel is read at a time. */
export interface MessageLimits {
  /** Messages at most. */
  readonly count: number;
  /** Bytes of data at most; the first message always comes. */
  readonly bytes: number;
}

/** Stored messages of a channel, ascending. */
export interface MessagePage {
  readonly firstSequence: Integer;
  readonly lastSequence: Integer;
  readonly messages: readonly StoredMessageSnapshot[];
  /** Where the next page begins; 0 at the end. */
  readonly next: Integer;
}

/** A message as it is stored; its bytes belong to whoever asked for them. */
export interface StoredMessageSnapshot {
  readonly sequence: Integer;
  readonly timestamp: TimestampNanos;
  /** As the publisher gave it; mostly empty. */
  readonly reply: string;
  readonly data: Uint8Array;
}
