import { durationNanos, silentLogger } from "@nats-streaming/kernel";
import { FakeClock } from "@nats-streaming/kernel/testing";
import { defaultStoreLimits, StoreError } from "@nats-streaming/store";
import { describe, expect, it } from "vitest";
import { sqlStoreOptions } from "./options.ts";
import { createSqlStore } from "./sql-store.ts";

const given = { driver: "sqlite", source: "x.db" };

describe("options of a SQL store", () => {
  it("SQL-Q1 take effect as they are given, and have defaults for the rest", () => {
    expect(sqlStoreOptions(given)).toEqual({
      ...given,
      noCaching: false,
      maxOpenConns: 0,
      bulkInsertLimit: 0,
      retryMillis: 10_000,
    });
    const all = { ...given, noCaching: true, maxOpenConns: 7, bulkInsertLimit: 100, retryMillis: 0 };
    expect(sqlStoreOptions(all)).toEqual(all);
  });

  it("SQL-Q3 are refused without driver or source, with an unknown driver, and with negative limits", () => {
    const refused = (setup: object, text: string): void => {
      const create = (): unknown => createSqlStore({ clock: new FakeClock(), logger: silentLogger, ...setup });
      expect(create).toThrow(text);
      expect(create).toThrow(StoreError);
    };
    refused({ source: "x.db" }, "sql: no driver given");
    refused({ driver: "sqlite" }, "sql: no data source given");
    refused({ ...given, driver: "oracle" }, 'sql: unknown driver "oracle" (forgotten import?)');
    refused({ ...given, bulkInsertLimit: 1.5 }, "sql: bulkInsertLimit must be a whole number, not 1.5");
    refused({ ...given, retryMillis: -1 }, "sql: retryMillis must be a whole number of milliseconds, not -1");
    const negative = { ...defaultStoreLimits, maxAge: durationNanos(-1n) };
    refused({ ...given, limits: negative }, "max age limit cannot be negative (-1ns)");
  });
});
