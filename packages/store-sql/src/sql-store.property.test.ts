import type { Sequence } from "@nats-streaming/kernel";
import { seededRandom } from "@nats-streaming/kernel/testing";
import type { MessageLog } from "@nats-streaming/store";
import { afterAll, describe, expect, it } from "vitest";
import {
  type DatabaseUnderTest,
  limitsOf,
  readAll,
  type SqlScene,
  setSqlScene,
} from "../test-support/database-under-test.ts";
import { sqlitePlace } from "../test-support/sqlite-place.ts";

const place = sqlitePlace();
afterAll(() => place.remove());

const subject: DatabaseUnderTest = {
  name: "sqlite",
  driver: "sqlite",
  open: async (at) => place.open(at),
  query: async () => [],
};

const CHANNELS = ["a", "b", "c"];
const STEPS = 60;
const SEEDS = 25;

/** What a log should hold, and what of it is durable. */
interface Model {
  last: number;
  held: number[];
  durableLast: number;
  durable: number[];
}

interface World {
  readonly scene: SqlScene;
  readonly maxMessages: number;
  readonly models: Map<string, Model>;
}

function append({ scene, maxMessages, models }: World, log: MessageLog, sequence: number, size: number): void {
  const model = models.get(log.channel);
  if (model === undefined) throw new Error("no model");
  const bytes = new Uint8Array(size).fill(sequence % 256);
  const message = { bytes, replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: size };
  const now = Number(scene.now() / 1_000_000n);
  log.append(sequence as Sequence, message, { millis: now, nanos: 0 });
  model.last = sequence;
  model.held.push(sequence);
  if (maxMessages > 0 && model.held.length > maxMessages) model.held.shift();
}

function restore(models: Iterable<Model>): void {
  for (const model of models) {
    model.last = model.durableLast;
    model.held = [...model.durable];
  }
}

function keep(models: Iterable<Model>): void {
  for (const model of models) {
    model.durableLast = model.last;
    model.durable = [...model.held];
  }
}

describe("SQL store", () => {
  for (const noCaching of [false, true]) {
    it(`holds what was stored and nothing else, whatever fails${noCaching ? ", one by one" : ""}`, async () => {
      for (let seed = 1; seed <= SEEDS; seed++) await live(seed, noCaching);
    });
  }
});

/** Settles when the database has answered and everybody has taken note. */
async function quiet({ clock, database }: SqlScene): Promise<void> {
  await clock.settle();
  await database.answered();
  await clock.settle();
}

async function live(seed: number, noCaching: boolean): Promise<void> {
  const random = seededRandom(seed);
  const scene = setSqlScene(subject);
  const maxMessages = [0, 1, 7, 30][seed % 4]!;
  const setup = {
    noCaching,
    retryMillis: 0,
    // Everything leaves memory as soon as it may, or by and by, or never.
    cacheBytes: [0, 2000, 1_000_000][seed % 3]!,
    limits: limitsOf({ maxMessages, maxBytes: 0 }),
  };
  let store = await scene.start(setup);
  const models = new Map<string, Model>();
  const world = { scene, maxMessages, models };
  let logs = CHANNELS.map((name) => {
    models.set(name, { last: 0, held: [], durableLast: 0, durable: [] });
    return store.createChannel(name).messages;
  });
  await store.flush();

  for (let step = 0; step < STEPS; step++) {
    const dice = random.next();
    const log = logs[Math.floor(random.next() * logs.length)]!;
    if (dice < 0.5) {
      for (let n = Math.floor(random.next() * 12); n >= 0; n--) {
        const gap = random.next() < 0.05 ? 3 : 1;
        append(world, log, log.lastSequence + gap, Math.floor(random.next() * 200));
      }
    } else if (dice < 0.7) {
      await store.flush();
      keep(models.values());
    } else if (dice < 0.85) {
      if (dice < 0.75) scene.database.loseNextAnswer();
      else scene.database.failNextWrite(dice < 0.8 ? "refused" : "connection_lost");
      const isWaiting = store.flush();
      if (isWaiting === undefined) {
        // Nothing waits: the failure is for what is written lazily, or for the next flush.
        await scene.clock.advanceAsync(2000);
        await quiet(scene);
        scene.database.calm();
        continue;
      }
      await expect(isWaiting).rejects.toMatchObject({ code: "write_failed" });
      scene.database.calm();
      restore(models.values());
    } else if (dice < 0.92) {
      await scene.clock.advanceAsync(1500);
    } else {
      const again = await scene.restart(store, setup);
      keep(models.values());
      store = again.store;
      logs = CHANNELS.map((name) => again.state.channels.get(name)!.messages);
    }
    // Limits that need sizes from the database act when these are there.
    await quiet(scene);
    for (const each of logs) {
      const model = models.get(each.channel)!;
      expect([seed, step, each.channel, each.lastSequence, each.count]).toEqual([
        seed,
        step,
        each.channel,
        model.last,
        model.held.length,
      ]);
      if (dice > 0.6) expect([seed, step, await readAll(each)]).toEqual([seed, step, model.held]);
    }
  }
  await store.close();
}
