import { durationNanos, nowNanos } from "@nats-streaming/kernel";
import { FakeClock, type RecordingLogger, recordingLogger } from "@nats-streaming/kernel/testing";
import {
  type ChannelLimits,
  defaultStoreLimits,
  type RecoveredState,
  type ServerInfo,
  type Store,
  type StoreLimits,
} from "@nats-streaming/store";
import { expect, onTestFinished, vi } from "vitest";
import type { StoreCapabilities, StoreSetup, StoreUnderTest } from "./store-under-test.ts";

/** One test's world: a place of its own, a clock that stands still, and the stores opened on that place. */
export interface Scene {
  readonly clock: FakeClock;
  readonly logger: RecordingLogger;
  readonly capabilities: StoreCapabilities;
  readonly place: string;
  /** The present time of the clock in nanoseconds since 1970. */
  now(): bigint;
  /** A store on the fresh place, as a starting server leaves it: nothing recovered, server information written. */
  open(limits?: StoreLimits): Promise<Store>;
  /** A store on the fresh place, just made. */
  openBare(limits?: StoreLimits): Promise<Store>;
  /** Closes `store` and opens the place again. */
  reopen(store: Store, limits?: StoreLimits): Promise<Reopened>;
  /** One more store on the same place, while others may be open. */
  openBeside(): Promise<Store>;
  /** Lets time pass until what is `millis` old at most is due, and the store has had its chance to act on it. */
  age(millis: number): Promise<void>;
  /** Checks until it holds: a store that works in the background needs a moment of real time. */
  eventually(check: () => void): Promise<void>;
}

export interface Reopened {
  readonly store: Store;
  readonly state: RecoveredState;
}

/** Real time within which background work of a store must be done; generous, as nothing else waits for it. */
const BACKGROUND_MILLIS_MAX = 10_000;
const BACKGROUND_POLL_MILLIS = 5;

let scenes = 0;

/** Makes a scene for the running test; its stores are closed and its place cleaned up when the test has finished. */
export function setScene(subject: StoreUnderTest): Scene {
  const place = `conformance-${process.pid}-${++scenes}`;
  const clock = new FakeClock();
  const logger = recordingLogger();
  const opened: Store[] = [];
  const setup = (limits: StoreLimits | undefined): StoreSetup => {
    return limits === undefined ? { place, clock, logger } : { place, limits, clock, logger };
  };
  const keep = (store: Store): Store => {
    opened.push(store);
    return store;
  };

  onTestFinished(async () => {
    // A test may have broken its store on purpose: then closing may fail.
    await Promise.allSettled(opened.map((store) => store.close()));
    await subject.cleanUp?.(place);
  });

  const openBare = async (limits?: StoreLimits): Promise<Store> => keep(await subject.open(setup(limits)));
  const openAgain = async (limits?: StoreLimits): Promise<Store> => {
    if (subject.reopen === undefined) throw new Error(`${subject.name}: this row needs "reopen"`);
    return keep(await subject.reopen(setup(limits)));
  };

  return {
    clock,
    logger,
    capabilities: subject.capabilities,
    place,
    now: () => nowNanos(clock),
    openBare,
    async open(limits?: StoreLimits): Promise<Store> {
      const store = await openBare(limits);
      expect(await store.recover()).toBeUndefined();
      await store.init(serverInfo("conformance"));
      return store;
    },
    async reopen(store: Store, limits?: StoreLimits): Promise<Reopened> {
      await store.close();
      const again = await openAgain(limits);
      const state = await again.recover();
      if (state === undefined) throw new Error("nothing was recovered");
      return { store: again, state };
    },
    openBeside: () => openAgain(),
    async age(millis: number): Promise<void> {
      await clock.advanceAsync(millis);
      // Twice: a store that looks once per interval may have looked just before the time came.
      await clock.advanceAsync(2 * subject.capabilities.ageGranularityMillis);
    },
    async eventually(check: () => void): Promise<void> {
      const settleAndCheck = async (): Promise<void> => {
        await clock.settle();
        check();
      };
      await vi.waitFor(settleAndCheck, { timeout: BACKGROUND_MILLIS_MAX, interval: BACKGROUND_POLL_MILLIS });
    },
  };
}

/** Limits as configured: the defaults with changes, and per-channel entries in which what is not given inherits. */
export function storeLimits(
  global: Partial<StoreLimits>,
  channels: Readonly<Record<string, Partial<ChannelLimits>>> = {},
): StoreLimits {
  const inheritAll: ChannelLimits = {
    maxSubscriptions: 0,
    maxMessages: 0,
    maxBytes: 0,
    maxAge: durationNanos(0n),
    maxInactivity: durationNanos(0n),
  };
  const entries = Object.entries(channels).map(([name, given]) => [name, { ...inheritAll, ...given }] as const);
  return { ...defaultStoreLimits, ...global, channels: new Map(entries) };
}

export function serverInfo(clusterId: string): ServerInfo {
  return {
    clusterId,
    discovery: `_STAN.discover.${clusterId}`,
    publish: `_STAN.pub.${clusterId}`,
    subscribe: `_STAN.sub.${clusterId}`,
    unsubscribe: `_STAN.unsub.${clusterId}`,
    close: `_STAN.close.${clusterId}`,
    subClose: `_STAN.subclose.${clusterId}`,
    acksSubs: `_STAN.ack.${clusterId}`,
  };
}
