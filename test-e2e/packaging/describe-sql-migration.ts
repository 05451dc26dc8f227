import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { SqlServer } from "../../packages/store-sql/test-support/servers/server-process.ts";
import { connectStan } from "../harness/stan.ts";
import { startStoreServer } from "../harness/store-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { drainDurables, PUBLISHED_HERE } from "./rehearse.ts";
import { readWritten } from "./written-by-original.ts";

const DATABASE = "stan";
const CHANNEL = "jobs";

/** The rehearsal of a move over databases that the Go server wrote; its own schema, without the table that this server adds. */
export function describeSqlMigration(
  name: string,
  driver: "postgres" | "mysql",
  startDatabase: (options: { readonly durable: boolean }) => Promise<SqlServer>,
): void {
  describe(`moving from the Go server's SQL store in ${name}`, () => {
    it.each([driver, `${driver}-no-caching`])(
      "resumes the durables of %s where they were, and goes on",
      async (fixture) => {
        const stage = testStage();
        const database = await startDatabase({ durable: false });
        stage.defer(() => database.close());
        stage.onFailure(() => database.log);
        const dump = new URL(`../fixtures/sql-store/${fixture}/dump.sql`, import.meta.url);
        await database.createDatabase(DATABASE, await readFile(dump, "utf8"));
        const channel = (await readWritten(`sql-store/${fixture}`)).channels.get(CHANNEL);
        if (channel === undefined) throw new Error(`no channel ${CHANNEL} in ${fixture}`);
        // The Go server ran with this limit.
        const flags = ["-store", "sql", "-sql_driver", driver, "-sql_source", database.source(DATABASE), "-mm", "8"];

        const here = await startStoreServer(stage, flags);
        await drainDurables(stage, here, CHANNEL, channel);
        expect((await here.child.stop()).code).toBe(0);

        // What is in the tables of the Go server is what it would have put there.
        const last = channel.lastSequence + PUBLISHED_HERE;
        const stored = await database.query(
          DATABASE,
          `SELECT m.seq FROM Messages m JOIN Channels c ON c.id = m.id WHERE c.name = '${CHANNEL}' ORDER BY m.seq`,
        );
        expect(stored.map(([sequence]) => Number(sequence))).toEqual(
          Array.from({ length: 8 }, (_, at) => last - 7 + at),
        );

        // Nobody is owed anything: what comes first is what is published now.
        const back = await startStoreServer(stage, flags);
        for (const [index, durable] of channel.subscriptions.entries()) {
          if (durable.durableName === "") continue;
          const client = await connectStan(stage, durable.clientId || `member-${index}`, { port: back.port });
          const { durableName, queueGroup } = durable;
          const group = queueGroup === "" ? {} : { queueGroup };
          const subscription = await client.subscribe(CHANNEL, { durableName, ...group });
          const { lastSequence } = await back.monitor.channel(CHANNEL);
          await client.publish(CHANNEL, "afterwards");
          // Others' publishes since the move are new to a durable that was away.
          const fresh = await subscription.messages.takeMany(lastSequence - last + 1);
          expect(fresh.map(({ sequence }) => sequence)).toEqual(fresh.map((_, at) => last + 1 + at));
          await subscription.close();
          await client.close();
        }
        expect((await back.child.stop()).code).toBe(0);
      },
      180_000,
    );
  });
}
