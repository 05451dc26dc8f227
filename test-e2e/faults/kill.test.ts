import { describe, expect, it } from "vitest";
import { type NumberPublisher, numberOf, numberPublisher } from "../harness/published-numbers.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { connectRawStan, type RawStan } from "../harness/raw-stan.ts";
import { readChannel } from "../harness/read-channel.ts";
import { manualStage, type Stage, tempDir } from "../harness/stage.ts";
import { type StoreServer, startStoreServer } from "../harness/store-server.ts";
import { testStage } from "../harness/test-stage.ts";

const CHANNELS = ["kill.a", "kill.b", "kill.c", "kill.d", "kill.e"];
/** A kill comes after so many answers at most: early ones hit the creation of channels, late ones the rolling of slices. */
const ANSWERS_MAX = 1500;

/** Holds what a store has against what was acknowledged; remembers how far that was done. */
class Ledger {
  readonly #seen = new Map<string, { sequence: number; number: number; acknowledged: number }>();

  async check(server: StoreServer, stan: RawStan, publisher: NumberPublisher, round: string): Promise<void> {
    for (const channel of CHANNELS) {
      const acknowledged = publisher.acknowledged.get(channel) ?? [];
      const state = this.#seen.get(channel) ?? { sequence: 0, number: 0, acknowledged: 0 };
      this.#seen.set(channel, state);
      if (acknowledged.length === 0 && publisher.lastSent(channel) === 0) continue;
      const { lastSequence } = await server.monitor.channel(channel).catch(() => ({ lastSequence: 0 }));
      const messages = await readChannel(stan, channel, state.sequence + 1, lastSequence);
      const stored = new Set<number>();
      for (const { sequence, data } of messages) {
        expect(sequence, `${round}: sequences of ${channel}`).toBe(++state.sequence);
        const number = numberOf(data);
        // In order, and none twice.
        expect(number, `${round}: order of ${channel} at ${sequence}`).toBeGreaterThan(state.number);
        state.number = number;
        stored.add(number);
      }
      for (const number of acknowledged.slice(state.acknowledged)) {
        expect(stored.has(number), `${round}: ${channel} ${number} was acknowledged`).toBe(true);
      }
      state.acknowledged = acknowledged.length;
    }
  }
}

async function withStage(action: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = manualStage();
  try {
    await action(stage);
  } catch (error) {
    stage.report();
    throw error;
  } finally {
    await stage.close();
  }
}

describe("a server that is killed under load", () => {
  it.each([
    [50, "a file store", (directory: string) => ["-store", "file", "-dir", directory]],
    [
      20,
      "an encrypted file store with small slices",
      (directory: string) => [
        ...["-store", "file", "-dir", directory, "-file_slice_max_msgs", "500"],
        ...["-encrypt", "-encryption_key", "key"],
      ],
    ],
    [
      50,
      "SQLite",
      (directory: string) => ["-store", "sql", "-sql_driver", "sqlite", "-sql_source", `${directory}/stan.db`],
    ],
  ])(
    "has every acknowledged message, in order, once, in %i rounds on %s",
    async (rounds, _store, argsFor) => {
      const args = argsFor(await tempDir(testStage()));
      const publisher = numberPublisher(CHANNELS);
      const ledger = new Ledger();
      for (let round = 1; round <= rounds; round++) {
        await withStage(async (stage) => {
          const server = await startStoreServer(stage, args);
          const client = await connectRaw(stage, { port: server.port });
          const stan = await connectRawStan(client, `killer-${round}`);
          await ledger.check(server, stan, publisher, `round ${round}`);
          const due = publisher.answers(1 + Math.floor(Math.random() * ANSWERS_MAX));
          const running = publisher.run(client, stan);
          await due;
          server.child.signal("SIGKILL");
          await server.child.exit();
          await running;
        });
      }
      await withStage(async (stage) => {
        const server = await startStoreServer(stage, [...args, "-file_recovery", "strict"]);
        const stan = await connectRawStan(await connectRaw(stage, { port: server.port }), "last");
        await ledger.check(server, stan, publisher, "at the end");
        await new Ledger().check(server, stan, publisher, "from the beginning");
      });
    },
    600_000,
  );
});
