import { type DurationNanos, durationNanos } from "@nats-streaming/kernel";
import { checkLimits } from "./check-limits.ts";
import type { ChannelLimits, StoreLimits } from "./limits.ts";
import { createLimitsTree } from "./limits-tree.ts";
import { StoreError } from "./store.ts";

/** Limits after inheritance: what a store keeps of the limits it is given. */
export interface LimitsInForce {
  /** Independent of the limits it was made from; in it 0 always means unlimited. */
  readonly limits: StoreLimits;
  /**
   * The limits for a channel of that name: those of the narrowest entry that matches, else the global ones. A new object.
   * @see store-limits.md 4 "Effective limits of a channel"
   */
  forChannel(channel: string): ChannelLimits;
}

/**
 * Checks limits as they were configured, copies them and lets every entry inherit.
 * @throws StoreError `invalid_limits`, with the text of {@link checkLimits}
 * @see store-limits.md 3, 4
 */
export function limitsInForce(configured: StoreLimits): LimitsInForce {
  const fault = checkLimits(configured);
  if (fault !== undefined) throw new StoreError("invalid_limits", fault);

  const tree = createLimitsTree(configured.channels.keys());
  const global = cloneChannelLimits(configured);
  const inherited = new Map<string, ChannelLimits>();
  for (const entry of tree.subjects()) {
    let parent = global;
    for (const name of tree.matchList(entry)) {
      let limits = inherited.get(name);
      if (limits === undefined) {
        limits = inherit(configured.channels.get(name)!, parent);
        inherited.set(name, limits);
      }
      parent = limits;
    }
  }
  // In the order of the file, which the printed list follows.
  const channels = new Map<string, ChannelLimits>();
  for (const name of configured.channels.keys()) channels.set(name, inherited.get(name)!);

  return {
    limits: { maxChannels: configured.maxChannels, ...global, channels },
    forChannel(channel: string): ChannelLimits {
      const narrowest = tree.matchList(channel).at(-1);
      return cloneChannelLimits(narrowest === undefined ? global : channels.get(narrowest)!);
    },
  };
}

/** A copy that shares nothing with `limits`. */
export function cloneLimits(limits: StoreLimits): StoreLimits {
  const channels = new Map<string, ChannelLimits>();
  for (const [name, channel] of limits.channels) channels.set(name, cloneChannelLimits(channel));
  return { maxChannels: limits.maxChannels, ...cloneChannelLimits(limits), channels };
}

/** The five limits of a channel and nothing else, as a new object. */
export function cloneChannelLimits(limits: ChannelLimits): ChannelLimits {
  return {
    maxSubscriptions: limits.maxSubscriptions,
    maxMessages: limits.maxMessages,
    maxBytes: limits.maxBytes,
    maxAge: limits.maxAge,
    maxInactivity: limits.maxInactivity,
  };
}

function inherit(given: ChannelLimits, parent: ChannelLimits): ChannelLimits {
  return {
    maxSubscriptions: inheritNumber(given.maxSubscriptions, parent.maxSubscriptions),
    maxMessages: inheritNumber(given.maxMessages, parent.maxMessages),
    maxBytes: inheritNumber(given.maxBytes, parent.maxBytes),
    maxAge: inheritDuration(given.maxAge, parent.maxAge),
    maxInactivity: inheritDuration(given.maxInactivity, parent.maxInactivity),
  };
}

function inheritNumber(given: number, parent: number): number {
  if (given < 0) return 0;
  return given === 0 ? parent : given;
}

function inheritDuration(given: DurationNanos, parent: DurationNanos): DurationNanos {
  if (given < 0n) return durationNanos(0n);
  return given === 0n ? parent : given;
}
