import type { Clock } from "@nats-streaming/kernel";
import type { PartitionSnapshot } from "@nats-streaming/monitoring";

/** A partition map is shown for so long at least: a page that asks every second does not need a new one each time. */
const KEPT_MILLIS_MIN = 2_000;
/** Making maps takes at most this share of the time: one that took long to make is kept for longer. */
const SHARE = 1 / 50;

/** Keeps the partition map for a while; who asks while one is made gets that one. */
export function keepMap(
  clock: Clock,
  make: () => Promise<PartitionSnapshot | undefined>,
): () => Promise<PartitionSnapshot | undefined> {
  let kept: { readonly map: PartitionSnapshot; readonly until: number } | undefined;
  let making: Promise<PartitionSnapshot | undefined> | undefined;

  const renew = async (): Promise<PartitionSnapshot | undefined> => {
    const begun = clock.monotonicMillis();
    const map = await make();
    const now = clock.monotonicMillis();
    kept = map && { map, until: now + Math.max(KEPT_MILLIS_MIN, (now - begun) / SHARE) };
    return map;
  };

  return async () => {
    if (kept !== undefined && clock.monotonicMillis() < kept.until) return kept.map;
    making ??= renew().finally(() => {
      making = undefined;
    });
    return making;
  };
}
