import { silentLogger, systemClock } from "@nats-streaming/kernel";
import type { DriverOptions, SessionPool } from "../../src/database.ts";
import { createServerDatabase } from "../../src/server-database.ts";
import type { DatabaseUnderTest } from "../database-under-test.ts";
import { fullSchema } from "./schemas.ts";
import type { SqlServer } from "./server-process.ts";

export interface ServerRequirementsSetup {
  readonly driver: "postgres" | "mysql";
  readonly server: () => SqlServer;
  readonly createPool: (options: DriverOptions) => SessionPool;
}

/** A real server for the requirements of sql-store.md 13. */
export function serverUnderTest({ driver, server, createPool }: ServerRequirementsSetup): DatabaseUnderTest {
  const made = new Set<string>();
  const nameOf = (place: string): string => place.replaceAll("-", "_");
  return {
    name: driver,
    driver,
    async open(place, options = {}) {
      const name = nameOf(place);
      if (!made.has(name)) {
        made.add(name);
        if (driver === "postgres") {
          // Made and dropped within milliseconds, unlike a database.
          const text = `CREATE SCHEMA ${name}; SET search_path = ${name}; ${fullSchema(driver)}`;
          await server().query("postgres", text);
        } else {
          await server().createDatabase(name, fullSchema(driver));
        }
      }
      const source = driver === "postgres" ? server().source("postgres", { search_path: name }) : server().source(name);
      const limits = { maxOpenConns: options.maxOpenConns ?? 0, bulkInsertLimit: options.bulkInsertLimit ?? 0 };
      return createServerDatabase(createPool({ source, ...limits, clock: systemClock(), logger: silentLogger }));
    },
    async query(place, statement) {
      const name = nameOf(place);
      if (driver === "mysql") return server().rows(name, statement);
      return server().rows("postgres", `SET search_path = ${name}; ${statement}`);
    },
    async cleanUp(place) {
      const name = nameOf(place);
      if (!made.delete(name)) return;
      if (driver === "postgres") await server().query("postgres", `DROP SCHEMA ${name} CASCADE`);
      else await server().dropDatabase(name);
    },
  };
}
