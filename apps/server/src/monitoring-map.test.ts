import { FakeClock } from "@nats-streaming/kernel/testing";
import type { PartitionSnapshot } from "@nats-streaming/monitoring";
import { expect, it } from "vitest";
import { keepMap } from "./monitoring-map.ts";

const EMPTY: PartitionSnapshot = { servers: [], conflicts: [], unowned: [], isComplete: true };

/** Maps that take so long to make each. */
function maps(millis: number) {
  const clock = new FakeClock();
  let made = 0;
  const map = keepMap(clock, async () => {
    made++;
    if (millis > 0) await new Promise<void>((resolve) => clock.setTimer(millis, resolve));
    return { ...EMPTY };
  });
  return { clock, map, made: () => made };
}

it("shows a map for two seconds, then makes another", async () => {
  const { clock, map, made } = maps(0);
  const first = await map();
  await clock.advanceAsync(1_999);
  expect(await map()).toBe(first);
  await clock.advanceAsync(1);
  expect(await map()).not.toBe(first);
  expect(made()).toBe(2);
});

it("keeps a map that took long to make for fifty times as long", async () => {
  const { clock, map, made } = maps(100);
  const first = map();
  await clock.advanceAsync(100);
  await first;
  await clock.advanceAsync(4_999);
  expect(await map()).toBe(await first);
  expect(made()).toBe(1);
  await clock.advanceAsync(1);
  const second = map();
  await clock.advanceAsync(100);
  expect(await second).not.toBe(await first);
});

it("gives all who ask meanwhile the map that is being made", async () => {
  const { clock, map, made } = maps(100);
  const asked = [map(), map(), map()];
  await clock.advanceAsync(100);
  const [first, ...others] = await Promise.all(asked);
  expect(others).toEqual([first, first]);
  expect(made()).toBe(1);
});

it("asks again when there was no map yet, or making one failed", async () => {
  const clock = new FakeClock();
  const answers = [
    async () => undefined,
    async () => {
      throw new Error("on purpose");
    },
    async () => EMPTY,
  ];
  const map = keepMap(clock, () => answers.shift()!());
  expect(await map()).toBeUndefined();
  await expect(map()).rejects.toThrow("on purpose");
  expect(await map()).toBe(EMPTY);
});
