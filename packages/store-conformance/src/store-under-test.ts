import type { Clock, Logger } from "@nats-streaming/kernel";
import type { Store, StoreKind, StoreLimits } from "@nats-streaming/store";

/** A store as the suite sees it: how to open one, and what it declares about itself. */
export interface StoreUnderTest {
  /** Name of the suite. */
  readonly name: string;

  /** Makes a store on a place where nothing is yet. Rejects when the limits are invalid. */
  open(setup: StoreSetup): Promise<Store>;

  /**
   * Makes a store on a place that was used before; whoever had it open has closed it, except where the exclusive lock is
   * tested. Needed when `recoverable` or `exclusiveLock` is declared.
   */
  reopen?(setup: StoreSetup): Promise<Store>;

  /** Removes what a test left behind on its place. All stores are closed by then. */
  cleanUp?(place: string): Promise<void>;

  /** Breaks writing on purpose. Without it the rows about failed flushes are not run, and say so. */
  readonly faults?: StoreFaults;

  readonly capabilities: StoreCapabilities;
}

/** What the suite opens a store with. */
export interface StoreSetup {
  /** Tells the places of different tests apart: letters, digits and `-`; fit for a directory or database name. */
  readonly place: string;
  /** Left out: the store's default limits. */
  readonly limits?: StoreLimits;
  /** A fake clock: the store must take all its time and timers from it. */
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How the suite makes a store's machine fail. */
export interface StoreFaults {
  /**
   * Makes the next flush of the store on `place` fail once: `write_failed` as a full disk does, before anything of the
   * batch is durable; `sync_failed` as a disk that answers a sync with an error.
   */
  failNextFlush(place: string, code: "write_failed" | "sync_failed"): void;
}

/** What a store gives, where stores differ. The suite expects exactly what is declared. */
export interface StoreCapabilities {
  readonly kind: StoreKind;
  /** State survives closing and opening again. */
  readonly recoverable: boolean;
  /** `acquireLock` keeps a second store off the same place; without it, it throws `not_supported`. */
  readonly exclusiveLock: boolean;
  /** Bytes that count for limits and totals beyond the encoded message. */
  readonly bytesPerMessageOverhead: number;
  /** Payloads are stored encrypted: 29 bytes more for each that is not empty. `lookup` gives plain ones. */
  readonly encrypted: boolean;
  /** Whether subscription IDs count per channel, or over all channels of the store. */
  readonly subscriptionIdSpace: "channel" | "store";
  /** What a sequence above last + 1 does: leave a gap, or fill it with empty messages (not in an empty log). */
  readonly gaps: "kept" | "filled";
  /** How late an expired message may be removed; 0 for a timer of its own per log, exact and absent when not needed. */
  readonly ageGranularityMillis: number;
  /** What `sequenceFromTimestamp` gives for the time of the last message when others share it. */
  readonly timestampTies: "first" | "last";
}
