import type { Random } from "@nats-streaming/kernel";
import { FakeClock, seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { type SimulatedGroup, simulatedGroup } from "../simulation/simulated-group.ts";
import { type SimulatedStore, simulatedFileStore, simulatedSqlStore } from "../simulation/simulated-store.ts";
import { FILE_LOCK_PROBE_MILLIS } from "./timing.ts";

/** Seeds per property; a failure prints its seed, and `SEED=n` in front of the test command replays it alone. */
const { SEED } = process.env;
const SEEDS = SEED === undefined ? Array.from({ length: 60 }, (_, i) => i + 1) : [Number(SEED)];

const TROUBLE_MILLIS = 120_000;

/** Restart, lost heartbeats and a steal after the last disturbance. */
const REST_MILLIS = 60_000;

interface Run {
  readonly group: SimulatedGroup;
  readonly store: SimulatedStore;
}

type StoreKind = "file" | "sql" | "sql without epoch check";

function simulate(seed: number, kind: StoreKind, lockProbeMillis = 0): Run {
  const clock = new FakeClock();
  const random = seededRandom(seed);
  const store: SimulatedStore =
    kind === "file"
      ? simulatedFileStore(random)
      : simulatedSqlStore({
          clock,
          random,
          checksEpoch: kind === "sql",
          onLost: (process) => group.lockLost(process),
        });
  const group: SimulatedGroup = simulatedGroup({ clock, random, store, size: 3, delayMillis: 240, lockProbeMillis });
  for (let at = 5_000; at < TROUBLE_MILLIS; at += random.next() * 6_000) {
    clock.setTimer(at, () => disturb(group, random));
  }
  clock.advance(TROUBLE_MILLIS + REST_MILLIS);
  return { group, store };
}

/** One thing goes wrong, with the active oftener than with the others. */
function disturb(group: SimulatedGroup, random: Random): void {
  const below = (limit: number): number => Math.floor(random.next() * limit);
  const server = (random.next() < 0.6 ? group.active[0] : undefined) ?? group.servers[below(group.servers.length)]!;
  const troubles: (() => void)[] = [
    () => group.kill(server),
    () => group.stop(server),
    () => group.freeze(server, below(15_000)),
    () => group.freeze(server, below(15_000)),
    () => group.cut(server, below(8_000)),
    () => group.split(below(8_000)),
  ];
  troubles[below(troubles.length)]?.();
}

const describeFailures = (run: Run): string[] =>
  run.group.failures.map(({ process, failure }) => `${process.id}: ${failure.message}`);

describe.each([
  ["that waits for missed heartbeats", 0],
  ["that probes the lock", FILE_LOCK_PROBE_MILLIS],
])("a group on a file store %s", (_what, lockProbeMillis) => {
  const runs = SEEDS.map((seed) => ({ seed, ...simulate(seed, "file", lockProbeMillis) }));

  it("never has two actives at any moment, frozen ones included, and only the holder of the lock writes", () => {
    for (const { seed, group, store } of runs) {
      expect(group.mostActive, `seed ${seed}`).toBe(1);
      expect(
        store.writes.filter((write) => write.writer !== write.owner),
        `seed ${seed}`,
      ).toEqual([]);
      expect(store.writes.length, `seed ${seed}`).toBeGreaterThan(100);
    }
    expect(runs.reduce((sum, { group }) => sum + group.activations, 0)).toBeGreaterThan(3 * runs.length);
  });

  it("loses no member to a heartbeat of the one that was active before, however clocks differ", () => {
    for (const run of runs) expect(describeFailures(run), `seed ${run.seed}`).toEqual([]);
  });

  it("has one active when all has come to rest", () => {
    for (const { seed, group } of runs) expect(group.active.length, `seed ${seed}`).toBe(1);
  });
});

describe("a group on an SQL store, whose lock is stolen from a member that stands still", () => {
  const runs = SEEDS.map((seed) => ({ seed, ...simulate(seed, "sql") }));

  it("has no write of a member that is not the owner any more, neither under way nor after it woke", () => {
    for (const { seed, group, store } of runs) {
      expect(
        store.writes.filter((write) => write.writer !== write.owner),
        `seed ${seed}`,
      ).toEqual([]);
      expect(store.writes.length, `seed ${seed}`).toBeGreaterThan(100);
      for (const process of group.wokeWithoutLock) expect(process.isAlive, `seed ${seed}`).toBe(false);
    }
    expect(runs.filter(({ group }) => group.wokeWithoutLock.size > 0).length).toBeGreaterThan(runs.length / 4);
  });

  it("loses only members that do not own the lock: the one that stole it never gives way to the one that wakes", () => {
    for (const run of runs) {
      expect(
        run.group.failures.filter((failure) => failure.wasOwner),
        `seed ${run.seed}: ${describeFailures(run).join(", ")}`,
      ).toEqual([]);
    }
    expect(runs.reduce((sum, { store }) => sum + store.steals, 0)).toBeGreaterThan(runs.length);
  });

  it("has one active when all has come to rest", () => {
    for (const { seed, group } of runs) expect(group.active.length, `seed ${seed}`).toBe(1);
  });

  it("would be caught writing without the lock, if the store did not check the epoch", () => {
    const caught = SEEDS.filter((seed) => {
      const { store } = simulate(seed, "sql without epoch check");
      return store.writes.some((write) => write.writer !== write.owner);
    });
    expect(caught.length).toBeGreaterThan(SEEDS.length / 4);
  });
});
