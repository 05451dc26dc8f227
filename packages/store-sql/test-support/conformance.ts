import type { StoreCapabilities, StoreFaults } from "@nats-streaming/store-conformance";
import type { FaultyDatabase } from "./faulty-database.ts";

/** What the conformance suite may expect of a SQL store, whatever its database. */
export const SQL_CAPABILITIES: StoreCapabilities = {
  kind: "SQL",
  recoverable: true,
  exclusiveLock: true,
  bytesPerMessageOverhead: 0,
  encrypted: false,
  subscriptionIdSpace: "store",
  gaps: "kept",
  ageGranularityMillis: 1000,
  timestampTies: "first",
};

/** The failures that the conformance suite asks for, of the database opened last on a place. */
export function flushFaults(databasesOf: (place: string) => readonly FaultyDatabase[]): StoreFaults {
  return {
    failNextFlush(place, code) {
      databasesOf(place)
        .at(-1)
        ?.failNextWrite(code === "write_failed" ? "refused" : "sync_failed");
    },
  };
}
