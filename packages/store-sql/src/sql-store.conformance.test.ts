import { FakeClock } from "@nats-streaming/kernel/testing";
import type { Store } from "@nats-streaming/store";
import { describeStore, type StoreUnderTest } from "@nats-streaming/store-conformance";
import { afterAll } from "vitest";
import { type FaultyDatabase, faultyDatabase } from "../test-support/faulty-database.ts";
import { sqlitePlace } from "../test-support/sqlite-place.ts";
import { createSqlStore, type SqlStoreSetup } from "./sql-store.ts";

const place = sqlitePlace();
afterAll(() => place.remove());

/** A store on a SQLite database of its own for each place. @see store-interface.md 10.1, row S1 */
function sqlStore(name: string, setup: Partial<SqlStoreSetup> = {}): StoreUnderTest {
  const databases = new Map<string, FaultyDatabase>();
  const open: StoreUnderTest["open"] = async ({ place: at, limits, clock, logger }) => {
    const store = createSqlStore({
      driver: "sqlite",
      source: place.source(at),
      ...(limits === undefined ? {} : { limits }),
      clock,
      logger,
      ...setup,
      openDatabase: () => {
        const database = faultyDatabase(place.open(`${name.replaceAll(" ", "-")}-${at}`, logger));
        databases.set(at, database);
        return database;
      },
    });
    return clock instanceof FakeClock ? withTime(store, clock) : store;
  };
  return {
    name,
    open,
    reopen: open,
    faults: {
      failNextFlush: (at, code) => {
        databases.get(at)?.failNextWrite(code === "write_failed" ? "refused" : "sync_failed");
      },
    },
    capabilities: {
      kind: "SQL",
      recoverable: true,
      exclusiveLock: true,
      bytesPerMessageOverhead: 0,
      encrypted: false,
      subscriptionIdSpace: "store",
      gaps: "kept",
      ageGranularityMillis: 1000,
      timestampTies: "first",
    },
  };
}

/** Whoever asks for the lock waits for time to pass, to see whether its owner is alive. */
function withTime(store: Store, clock: FakeClock): Store {
  const acquireLock = store.acquireLock.bind(store);
  store.acquireLock = async () => {
    let isDone = false;
    const outcome = acquireLock().finally(() => {
      isDone = true;
    });
    outcome.catch(() => {});
    while (!isDone) await clock.advanceAsync(250);
    return outcome;
  };
  return store;
}

describeStore(sqlStore("sqlite store"));
describeStore(sqlStore("sqlite store without cache", { cacheBytes: 0 }));
describeStore(sqlStore("sqlite store that writes one by one", { noCaching: true }));
