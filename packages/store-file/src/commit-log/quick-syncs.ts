/** What a message or two take. Larger batches come from load, and load is better served by working on while the disk does. */
const LENGTH_MAX = 8_192;
/** A disk is trusted when so many syncs in a row have taken less than this. */
const TRUSTED_AFTER = 8;
const QUICK_MILLIS = 0.8;
/** One that takes longer holds up everybody else: the disk has to earn its trust again, over more syncs. */
const SLOW_MILLIS = 4;
const TRUSTED_AFTER_SLOW = 1_000;

/**
 * Whether the next sync is waited for in place instead of on another thread. The way there and back costs a synchronous
 * publisher, who has one message under way, a third of its throughput on a disk that syncs in a quarter of a millisecond; on a
 * slow disk waiting in place would hold up everybody.
 */
export interface QuickSyncs {
  /** @param length bytes of the batch */
  isDue(length: number): boolean;
  /** Tells how long a sync took, in whichever way it was waited for. */
  took(millis: number): void;
}

export function createQuickSyncs(): QuickSyncs {
  let wanted = TRUSTED_AFTER;
  let inRow = 0;
  return {
    isDue: (length) => length <= LENGTH_MAX && inRow >= wanted,
    took(millis): void {
      if (millis < QUICK_MILLIS) {
        inRow++;
        return;
      }
      inRow = 0;
      wanted = millis >= SLOW_MILLIS ? TRUSTED_AFTER_SLOW : TRUSTED_AFTER;
    },
  };
}
