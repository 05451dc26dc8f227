import { describe, expect, it } from "vitest";
import type { SqlServer } from "../../packages/store-sql/test-support/servers/server-process.ts";
import { numberOf, numberPublisher } from "./published-numbers.ts";
import { connectRaw } from "./raw-client.ts";
import { connectRawStan } from "./raw-stan.ts";
import { readChannel } from "./read-channel.ts";
import type { Stage } from "./stage.ts";
import { connectStan } from "./stan.ts";
import { startStoreServer } from "./store-server.ts";
import { runServer } from "./streaming-server.ts";
import { testStage } from "./test-stage.ts";

const DATABASE = "stan";
const KILLS = 5;
const CHANNELS = ["sql.a", "sql.b", "sql.c"];

/** The same scenarios over PostgreSQL and MariaDB, each with a database server of its own. */
export function describeSqlServer(
  name: string,
  driver: "postgres" | "mysql",
  startDatabase: (options: { readonly durable: boolean }) => Promise<SqlServer>,
): void {
  const open = async (stage: Stage): Promise<{ database: SqlServer; flags: readonly string[] }> => {
    const database = await startDatabase({ durable: true });
    stage.defer(() => database.close());
    stage.onFailure(() => database.log);
    await database.createDatabase(DATABASE, "");
    const source = database.source(DATABASE);
    const flags = ["-store", "sql", "-sql_driver", driver, "-sql_source", source];
    const created = await runServer(stage, [...flags, "-sql_create_schema"]);
    expect([created.code, created.stdout]).toEqual([0, "The schema has been created\n"]);
    return { database, flags };
  };

  describe(`a server with its store in ${name}`, () => {
    it("says so when there is no schema, and creates it when asked", async () => {
      const stage = testStage();
      const database = await startDatabase({ durable: false });
      stage.defer(() => database.close());
      await database.createDatabase(DATABASE, "");
      const flags = ["-store", "sql", "-sql_driver", driver, "-sql_source", database.source(DATABASE)];
      const refused = await runServer(stage, [...flags, "-a", "127.0.0.1", "-p", "-1"]);
      expect([refused.code, refused.stderr]).toEqual([
        1,
        expect.stringContaining('Failed to start: unable to prepare statement "SELECT '),
      ]);
      expect(refused.stderr).toContain("if the database has no tables yet, -sql_create_schema makes them");
      expect(refused.stderr).not.toContain(database.password);
      const printed = await runServer(stage, ["-sql_print_schema", "-sql_driver", driver]);
      expect([printed.code, printed.stdout]).toEqual([0, expect.stringMatching(/CREATE TABLE .*SubsPending/s)]);
    }, 120_000);

    it("keeps messages, durables and clients over a stop and over a kill", async () => {
      const stage = testStage();
      const { flags } = await open(stage);
      const first = await startStoreServer(stage, flags);
      const client = await connectStan(stage, "keeper", { port: first.port });
      for (let index = 1; index <= 5; index++) await client.publish("kept", `message ${index}`);
      const durable = await client.subscribe("kept", { durableName: "place", manualAcks: true });
      const received = await durable.messages.takeMany(5);
      received[0]?.ack();
      received[1]?.ack();
      await durable.close();
      await first.child.stop();

      const second = await startStoreServer(stage, flags);
      expect(second.log.map(({ text }) => text)).toContain("STREAM: Recovered 1 channel(s)");
      const again = await connectStan(stage, "keeper", { port: second.port });
      const resumed = await again.subscribe("kept", { durableName: "place" });
      expect((await resumed.messages.takeMany(3)).map(({ text }) => text)).toEqual([
        "message 3",
        "message 4",
        "message 5",
      ]);
      await again.publish("kept", "message 6");
      second.child.signal("SIGKILL");
      await second.child.exit();
      const third = await startStoreServer(stage, flags);
      expect(await third.monitor.channel("kept")).toMatchObject({ msgs: 6, lastSequence: 6 });
    }, 120_000);

    it(`has every acknowledged message, in order, once, although the database is killed ${KILLS} times under load`, async () => {
      const stage = testStage();
      const { database, flags } = await open(stage);
      const server = await startStoreServer(stage, flags);
      const client = await connectRaw(stage, { port: server.port });
      const stan = await connectRawStan(client, "publisher");
      const publisher = numberPublisher(CHANNELS);
      const running = publisher.run(client, stan);
      for (let kill = 1; kill <= KILLS; kill++) {
        await publisher.answers(1 + Math.floor(Math.random() * 2000));
        await database.kill();
        await database.start();
      }
      await publisher.answers(2000);
      publisher.stop();
      client.vanish();
      await running;
      const reader = await connectRawStan(await connectRaw(stage, { port: server.port }), "reader");
      for (const channel of CHANNELS) {
        const { lastSequence } = await server.monitor.channel(channel);
        const messages = await readChannel(reader, channel, 1, lastSequence);
        expect(messages.map(({ sequence }) => sequence)).toEqual(messages.map((_, index) => index + 1));
        const numbers = messages.map(({ data }) => numberOf(data));
        expect(new Set(numbers).size).toBe(numbers.length);
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        const stored = new Set(numbers);
        expect((publisher.acknowledged.get(channel) ?? []).filter((number) => !stored.has(number))).toEqual([]);
        expect(numbers.filter((number) => publisher.refused.get(channel)?.has(number))).toEqual([]);
      }
    }, 300_000);
  });
}
