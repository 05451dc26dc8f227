import BetterSqlite3 from "better-sqlite3";
import { afterAll } from "vitest";
import type { TableRow } from "../../test-support/database-under-test.ts";
import { describeSqlRequirements } from "../../test-support/sql-requirements.ts";
import { sqlitePlace } from "../../test-support/sqlite-place.ts";

const place = sqlitePlace();
afterAll(() => place.remove());

describeSqlRequirements({
  name: "sqlite",
  driver: "sqlite",
  open: async (at) => place.open(at),
  async query(at, statement) {
    const database = new BetterSqlite3(place.path(at));
    try {
      const prepared = database.prepare<[], TableRow>(statement);
      if (prepared.reader) return prepared.all();
      prepared.run();
      return [];
    } finally {
      database.close();
    }
  },
});
