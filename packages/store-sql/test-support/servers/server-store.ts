import { systemClock } from "@nats-streaming/kernel";
import { FakeClock } from "@nats-streaming/kernel/testing";
import type { Store } from "@nats-streaming/store";
import type { StoreUnderTest } from "@nats-streaming/store-conformance";
import type { Database, DriverOptions, SessionPool } from "../../src/database.ts";
import { createServerDatabase } from "../../src/server-database.ts";
import { createSqlStore, type SqlStoreSetup } from "../../src/sql-store.ts";
import { flushFaults, SQL_CAPABILITIES } from "../conformance.ts";
import { databasesByPlace, faultyDatabase } from "../faulty-database.ts";
import { lockedInTime } from "../passing-time.ts";
import type { SqlServer } from "./server-process.ts";

export interface ServerStoreSetup {
  readonly name: string;
  readonly driver: "postgres" | "mysql";
  readonly server: () => SqlServer;
  readonly schema: string;
  readonly createPool: (options: DriverOptions) => SessionPool;
  readonly options?: Partial<SqlStoreSetup>;
}

/** A store on a database of its own for each place of the conformance suite. */
export function serverStore(setup: ServerStoreSetup): StoreUnderTest {
  const { driver, server, createPool } = setup;
  const databasesOf = databasesByPlace();
  const made = new Set<string>();
  // PostgreSQL takes a second to make and drop a database, and milliseconds for a schema in one.
  const isSchema = driver === "postgres";
  const nameOf = (place: string): string => place.replaceAll("-", "_");

  const reopen: NonNullable<StoreUnderTest["reopen"]> = async ({ place, limits, clock, logger }): Promise<Store> => {
    const source = isSchema
      ? server().source("postgres", { search_path: nameOf(place) })
      : server().source(nameOf(place));
    const openDatabase = (): Database => {
      // Real sockets need real time.
      const options = { source, maxOpenConns: 0, bulkInsertLimit: 0, logger, clock: systemClock() };
      const database = faultyDatabase(createServerDatabase(createPool(options)));
      databasesOf(place).push(database);
      return database;
    };
    const given = limits === undefined ? {} : { limits };
    const store = createSqlStore({ driver, source, clock, logger, openDatabase, ...given, ...setup.options });
    return clock instanceof FakeClock ? lockedInTime(store, clock, databasesOf(place)) : store;
  };
  return {
    name: setup.name,
    async open(given) {
      const database = nameOf(given.place);
      if (!made.has(database)) {
        made.add(database);
        if (isSchema) {
          const text = `CREATE SCHEMA ${database}; SET search_path = ${database}; ${setup.schema}`;
          await server().query("postgres", text);
        } else {
          await server().createDatabase(database, setup.schema);
        }
      }
      return reopen(given);
    },
    reopen,
    async cleanUp(place) {
      if (!made.delete(nameOf(place))) return;
      if (isSchema) await server().query("postgres", `DROP SCHEMA ${nameOf(place)} CASCADE`);
      else await server().dropDatabase(nameOf(place));
    },
    faults: flushFaults(databasesOf),
    capabilities: SQL_CAPABILITIES,
  };
}
