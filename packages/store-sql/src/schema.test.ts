import { rmSync } from "node:fs";
import { silentLogger } from "@nats-streaming/kernel";
import BetterSqlite3 from "better-sqlite3";
import { afterAll, describe, expect, it } from "vitest";
import { sqlitePlace } from "../test-support/sqlite-place.ts";
import { createSqlSchema } from "./create-schema.ts";
import type { DriverName } from "./dialect.ts";
import { schemaStatements, sqlSchema } from "./schema.ts";
import { sqliteDialect } from "./sqlite/sqlite-dialect.ts";

const place = sqlitePlace();
afterAll(() => place.remove());

const TABLES = ["Channels", "Clients", "Messages", "ServerInfo", "StanRedeliveries", "StoreLock", "SubsPending"];

describe("schema", () => {
  it("has every table of the original for each driver, and the one for redeliveries behind them", () => {
    for (const driver of ["sqlite", "postgres", "mysql"] satisfies DriverName[]) {
      const made = schemaStatements(sqlSchema(driver))
        .map((statement) => /^CREATE TABLE (?:IF NOT EXISTS )?["`]?(\w+)/i.exec(statement)?.[1])
        .filter((name) => name !== undefined);
      expect([driver, ...made].at(-1)).toBe("StanRedeliveries");
      expect([...made].sort()).toEqual([...TABLES, "Subscriptions"].sort());
    }
  });

  it("is split into statements where a line ends with a semicolon, without comments", () => {
    expect(schemaStatements("-- a; b;\nCREATE x (\n  y -- z\n);\n\n INSERT ';' ;\n-- end\n")).toEqual([
      "CREATE x (\n  y -- z\n)",
      "INSERT ';'",
    ]);
  });

  it("makes the tables of a SQLite database, with what statements need", async () => {
    const path = place.path("schema");
    await createSqlSchema({ driver: "sqlite", source: path, logger: silentLogger });
    await createSqlSchema({ driver: "sqlite", source: path });
    const database = new BetterSqlite3(path);
    for (const text of Object.values(sqliteDialect.statements)) if (text !== "") database.prepare(text);
    database.prepare(sqliteDialect.insertMessages(3));
    const version = database.pragma("user_version", { simple: true });
    database.close();
    rmSync(path);
    expect(version).toBe(1);
  });

  it("is refused for an unknown driver, in the original's words", async () => {
    const made = createSqlSchema({ driver: "db2", source: "x" });
    await expect(made).rejects.toThrow('sql: unknown driver "db2" (forgotten import?)');
    await expect(made).rejects.toMatchObject({ code: "invalid_options" });
  });
});
