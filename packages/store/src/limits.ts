import { type DurationNanos, durationNanos } from "@nats-streaming/kernel";

/** The five limits of a channel. In force: 0 is unlimited. As configured per channel: 0 inherits, below 0 is unlimited. */
export interface ChannelLimits {
  readonly maxSubscriptions: number;
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly maxAge: DurationNanos;
  /** Carried by the store, acted on by the engine. */
  readonly maxInactivity: DurationNanos;
}

/** The limits of a store: the global ones, and those of named channels and patterns in file order. */
export interface StoreLimits extends ChannelLimits {
  readonly maxChannels: number;
  readonly channels: ReadonlyMap<string, ChannelLimits>;
}

/** @see store-limits.md 1 */
export const defaultStoreLimits: StoreLimits = {
  maxChannels: 100,
  maxSubscriptions: 1000,
  maxMessages: 1_000_000,
  maxBytes: 1_024_000_000,
  maxAge: durationNanos(0n),
  maxInactivity: durationNanos(0n),
  channels: new Map(),
};
