import type { ChannelLimits } from "@nats-streaming/store";
import type { FileStoreOptions } from "../options.ts";

/** When a slice is full; Infinity where there is no limit. */
export interface SliceLimits {
  readonly messages: number;
  readonly bytes: number;
  readonly ageMillis: number;
}

/** Parts of a channel's limits that become a slice's, where no slice limit is given. */
const SLICES_PER_CHANNEL = 4;

/** @see file-store.md 8 "Slice limits" */
export function sliceLimits(options: FileStoreOptions, limits: ChannelLimits): SliceLimits {
  const { sliceMaxMessages, sliceMaxBytes, sliceMaxAge } = options;
  if (sliceMaxMessages > 0 || sliceMaxBytes > 0 || sliceMaxAge > 0n) {
    return {
      messages: orUnlimited(sliceMaxMessages),
      bytes: orUnlimited(sliceMaxBytes),
      ageMillis: orUnlimited(Number(sliceMaxAge) / 1_000_000),
    };
  }
  return {
    messages: partOf(limits.maxMessages, 1),
    bytes: partOf(limits.maxBytes, 1),
    ageMillis: partOf(Number(limits.maxAge) / 1_000_000, 1000),
  };
}

function orUnlimited(limit: number): number {
  return limit > 0 ? limit : Number.POSITIVE_INFINITY;
}

function partOf(limit: number, least: number): number {
  return limit > 0 ? Math.max(least, Math.floor(limit / SLICES_PER_CHANNEL)) : Number.POSITIVE_INFINITY;
}
