import { type Random, silentLogger, systemClock } from "@nats-streaming/kernel";
import { seededRandom } from "@nats-streaming/kernel/testing";
import type { Store } from "@nats-streaming/store";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createSqlStore, type SqlStoreSetup } from "../../src/sql-store.ts";
import { startCommitProxy } from "./commit-proxy.ts";
import { appendPayload, type Load, startLoad, storedPayloads } from "./load.ts";
import { fullSchema, originalSchema } from "./schemas.ts";
import { SERVER_START_MILLIS_MAX, type SqlServer } from "./server-process.ts";

export interface DisastersUnderTest {
  readonly driver: "postgres" | "mysql";
  readonly startServer: () => Promise<SqlServer>;
}

const KILLS = 12;
const CUTS = 6;
const BLOCKS = 4;
/** Batches before and after the disaster, besides those that it meets. */
const BATCHES = 8;
/** Batches that may be refused when the disaster is over: those that meet what it left behind. */
const REFUSED_MAX = 50;

/** What happens to a database server under load, for real. To be called at the top level of a test file. */
export function describeDisasters(subject: DisastersUnderTest): void {
  let server: SqlServer;
  let databases = 0;

  beforeAll(async () => {
    server = await subject.startServer();
  }, SERVER_START_MILLIS_MAX);
  afterAll(() => server.close(), SERVER_START_MILLIS_MAX);

  const newDatabase = async (schema = fullSchema(subject.driver)): Promise<string> => {
    const database = `disaster_${++databases}`;
    await server.createDatabase(database, schema);
    return database;
  };

  const openStore = async (
    database: string,
    setup: Partial<SqlStoreSetup> = {},
    params: Readonly<Record<string, string>> = {},
  ): Promise<Store> => {
    const store = createSqlStore({
      driver: subject.driver,
      source: server.source(database, params),
      clock: systemClock(),
      logger: silentLogger,
      ...setup,
    });
    onTestFinished(() => store.close().catch(() => {}));
    if ((await store.recover()) === undefined) await store.init(SERVER_INFO);
    return store;
  };

  /** Publishes until the disaster has struck and is over, and a little longer; then looks. */
  const survive = async (load: Load, random: Random, strike: () => Promise<void>): Promise<void> => {
    for (let i = 0; i < BATCHES; i++) await load.publish();
    let isOver = false;
    // Not at the same place of a batch every time.
    const striking = turns(Math.floor(random.next() * 60))
      .then(strike)
      .finally(() => {
        isOver = true;
      });
    let refused = 0;
    for (let after = 0; after < BATCHES && refused < REFUSED_MAX; ) {
      const isLate = isOver;
      if (!(await load.publish())) refused += isLate ? 1 : 0;
      else if (isLate) after++;
      // A refusal that comes at once must not keep the event loop from everything else.
      await turns(1);
    }
    await striking;
    expect(refused).toBeLessThan(REFUSED_MAX);
  };

  const checkTables = async (database: string, load: Load): Promise<void> => {
    expect(await storedPayloads(server, database)).toEqual(load.acknowledged);
  };

  describe("killed with SIGKILL and restarted under load", () => {
    for (let round = 1; round <= KILLS; round++) {
      // In every other round nothing waits for the server to come back: batches are refused.
      const retryMillis = round % 2 === 0 ? 0 : 20_000;
      it(`keeps every acknowledged message, in order and once, and none that was refused (round ${round})`, async () => {
        const database = await newDatabase();
        const store = await openStore(database, { retryMillis });
        const load = startLoad(store);
        await survive(load, seededRandom(round), async () => {
          await server.kill();
          await server.start();
        });
        await checkTables(database, load);
        if (retryMillis > 0) expect(load.refusedBatches).toBe(0);
        await store.close();
        const again = await openStore(database);
        expect(again.totals().messages).toBe([...load.acknowledged.values()].flat().length);
      });
    }
  });

  describe("connections cut under load", () => {
    for (let round = 1; round <= CUTS; round++) {
      const retryMillis = round % 2 === 0 ? 0 : 20_000;
      it(`keeps every acknowledged message, in order and once, and none that was refused (round ${round})`, async () => {
        const database = await newDatabase();
        const load = startLoad(await openStore(database, { retryMillis, noCaching: round % 3 === 0 }));
        await survive(load, seededRandom(round), async () => {
          for (let i = 0; i < 5; i++) await server.cutConnections(database);
        });
        await checkTables(database, load);
      });
    }
  });

  describe("a connection that breaks at COMMIT", () => {
    for (const fate of ["answer lost", "never arrives", "arrives late"] as const) {
      for (const retryMillis of [0, 20_000]) {
        const patience = retryMillis === 0 ? "that is not tried again" : "that is tried again";
        it(`decides a batch ${patience} for good before going on: ${fate}`, async () => {
          const database = await newDatabase();
          const proxy = await startCommitProxy(server.port);
          onTestFinished(() => proxy.close());
          const source = server.source(database).replace(`${server.port}`, `${proxy.port}`);
          const store = await openStore(database, { retryMillis, source });
          const load = startLoad(store);
          for (let i = 0; i < 3; i++) expect(await load.publish()).toBe(true);
          proxy.doomNextCommit(fate);
          expect(await load.publish()).toBe(retryMillis > 0);
          await proxy.doomed;
          expect(await load.publish()).toBe(true);
          proxy.deliverLate();
          for (let i = 0; i < 3; i++) expect(await load.publish()).toBe(true);
          await checkTables(database, load);
        });
      }
    }
  });

  describe("blocked under load", () => {
    for (let round = 1; round <= BLOCKS; round++) {
      it(`ends what waits at the deadline, and settles what was under way before going on (round ${round})`, async () => {
        const database = await newDatabase();
        const deadlines = { readTimeout: "300ms", writeTimeout: "300ms" };
        const store = await openStore(database, { retryMillis: 0 }, deadlines);
        const load = startLoad(store);
        for (let i = 0; i < BATCHES; i++) expect(await load.publish()).toBe(true);
        server.pause();
        const isAcknowledged = await load.publish().finally(() => server.resume());
        expect(isAcknowledged).toBe(false);
        let refused = 0;
        while (!(await load.publish()) && refused < REFUSED_MAX) refused++;
        expect(refused).toBeLessThan(REFUSED_MAX);
        for (let i = 0; i < BATCHES; i++) expect(await load.publish()).toBe(true);
        await checkTables(database, load);
      });
    }
  });

  describe("a message that is too long", () => {
    it("is refused by itself: its neighbours are stored, and so is what comes later", async () => {
      const database = await newDatabase(originalSchema(subject.driver));
      const store = await openStore(database);
      const log = store.createChannel("one").messages;
      const short = "payload-1-xx";
      const long = `payload-2-${"x".repeat(70_000)}`;
      appendPayload(log, short);
      if (subject.driver === "mysql") {
        expect(() => appendPayload(log, long)).toThrow("Data too long for column 'data'");
      } else {
        appendPayload(log, long);
      }
      appendPayload(log, short);
      await store.flush();
      appendPayload(log, short);
      await store.flush();
      const expected = subject.driver === "mysql" ? [short, short, short] : [short, long, short, short];
      expect((await storedPayloads(server, database)).get("one")).toEqual(expected);
    });
  });
}

const SERVER_INFO = {
  clusterId: "test-cluster",
  discovery: "_STAN.discover.test-cluster",
  publish: "_STAN.pub.test-cluster",
  subscribe: "_STAN.sub.test-cluster",
  unsubscribe: "_STAN.unsub.test-cluster",
  close: "_STAN.close.test-cluster",
  subClose: "_STAN.subclose.test-cluster",
  acksSubs: "_STAN.ack.test-cluster",
};

/** Lets the event loop go round. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
