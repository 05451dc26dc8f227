import type { FakeClock } from "@nats-streaming/kernel/testing";
import type { Store } from "@nats-streaming/store";
import type { FaultyDatabase } from "./faulty-database.ts";

/** Less than the time between two heartbeats of the lock. */
const STEP_MILLIS = 250;

/**
 * Lets time pass until `asked` is settled, no faster than the databases answer: an owner of the lock can keep up with
 * showing that it is alive, however busy the machine.
 */
export async function settledInTime<T>(
  clock: FakeClock,
  databases: Iterable<FaultyDatabase>,
  asked: Promise<T>,
): Promise<T> {
  let isDone = false;
  const settled = asked.finally(() => {
    isDone = true;
  });
  settled.catch(() => {});
  while (!isDone) {
    await clock.advanceAsync(STEP_MILLIS);
    await Promise.all(Array.from(databases, (database) => database.answered()));
  }
  return settled;
}

/** Has time pass while the store asks for the lock, which looks whether the owner is alive. Changes the store it is given. */
export function lockedInTime(store: Store, clock: FakeClock, databases: Iterable<FaultyDatabase>): Store {
  const acquireLock = store.acquireLock.bind(store);
  store.acquireLock = () => settledInTime(clock, databases, acquireLock());
  return store;
}
