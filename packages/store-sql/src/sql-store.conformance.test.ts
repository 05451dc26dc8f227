import { FakeClock } from "@nats-streaming/kernel/testing";
import { describeStore, type StoreUnderTest } from "@nats-streaming/store-conformance";
import { afterAll } from "vitest";
import { flushFaults, SQL_CAPABILITIES } from "../test-support/conformance.ts";
import { databasesByPlace, faultyDatabase } from "../test-support/faulty-database.ts";
import { lockedInTime } from "../test-support/passing-time.ts";
import { sqlitePlace } from "../test-support/sqlite-place.ts";
import { createSqlStore, type SqlStoreSetup } from "./sql-store.ts";

const place = sqlitePlace();
afterAll(() => place.remove());

/** A store on a SQLite database of its own for each place. @see store-interface.md 10.1, row S1 */
function sqlStore(name: string, setup: Partial<SqlStoreSetup> = {}): StoreUnderTest {
  const databasesOf = databasesByPlace();
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
        databasesOf(at).push(database);
        return database;
      },
    });
    return clock instanceof FakeClock ? lockedInTime(store, clock, databasesOf(at)) : store;
  };
  return {
    name,
    open,
    reopen: open,
    faults: flushFaults(databasesOf),
    capabilities: SQL_CAPABILITIES,
  };
}

describeStore(sqlStore("sqlite store"));
describeStore(sqlStore("sqlite store without cache", { cacheBytes: 0 }));
describeStore(sqlStore("sqlite store that writes one by one", { noCaching: true }));
