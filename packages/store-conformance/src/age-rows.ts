import { type DurationNanos, durationFromMillis } from "@nats-streaming/kernel";
import { describe, expect } from "vitest";
import { append, appendRange, expectMessages, read } from "./messages.ts";
import type { Rows } from "./row.ts";
import { storeLimits } from "./scene.ts";
import type { StoreCapabilities } from "./store-under-test.ts";

const HOUR = 3_600_000_000_000n;

/** Rows M4, M5, M6 and M8 of store-interface.md 10.2: max_age, without any real time. */
export function ageRows({ subject, row }: Rows): void {
  const exact = subject.capabilities.ageGranularityMillis === 0;
  const maxAgeMillis = ageOf(subject.capabilities);
  const maxAge: DurationNanos = durationFromMillis(maxAgeMillis);
  const ages = exact ? "" : ` (max_age ${maxAgeMillis} ms, as this store looks in intervals)`;

  describe("max_age", () => {
    row(`STO-M4 removes the older ten of fifteen messages, later all${ages}`, async (scene) => {
      const store = await scene.open(storeLimits({ maxAge }));
      const log = store.createChannel("foo").messages;
      appendRange(scene, log, 1, 10);
      await store.flush();
      await scene.clock.advanceAsync(maxAgeMillis / 2);
      const young = appendRange(scene, log, 11, 15);
      await store.flush();
      await scene.clock.advanceAsync(maxAgeMillis / 2 - 1);
      expect(log.count).toBe(15);
      await scene.age(1);
      await scene.eventually(() => expect(log.count).toBe(5));
      await expectMessages(scene, log, young);
      await scene.age(maxAgeMillis / 2);
      await scene.eventually(() => expect(log.count).toBe(0));
      await expectMessages(scene, log, []);
      expect([log.firstSequence, log.lastSequence]).toEqual([16, 15]);
    });

    row("STO-M4 goes on when the message that the timer was set for is already gone", async (scene) => {
      const store = await scene.open(storeLimits({ maxAge, maxMessages: 1 }));
      const log = store.createChannel("foo").messages;
      append(scene, log, 1);
      await scene.clock.advanceAsync(maxAgeMillis / 2);
      const second = append(scene, log, 2);
      await store.flush();
      await expectMessages(scene, log, [second]);
      await scene.clock.advanceAsync(maxAgeMillis / 2);
      await expectMessages(scene, log, [second]);
      await scene.age(maxAgeMillis / 2);
      await scene.eventually(() => expect(log.count).toBe(0));
      append(scene, log, 3);
      await store.flush();
      await scene.age(maxAgeMillis);
      await scene.eventually(() => expect([log.firstSequence, log.lastSequence]).toEqual([4, 3]));
    });

    if (exact) {
      row("STO-M4 has no timer while the log is empty, and one again with a new message", async (scene) => {
        const store = await scene.open(storeLimits({ maxAge }));
        const log = store.createChannel("foo").messages;
        expect(scene.clock.timerCount).toBe(0);
        appendRange(scene, log, 1, 3);
        expect(scene.clock.timerCount).toBe(1);
        scene.clock.advance(maxAgeMillis);
        expect([log.count, scene.clock.timerCount]).toEqual([0, 0]);
        append(scene, log, 4);
        expect(scene.clock.timerCount).toBe(1);
        scene.clock.advance(maxAgeMillis - 1);
        expect(log.count).toBe(1);
        scene.clock.advance(1);
        expect([log.count, scene.clock.timerCount]).toEqual([0, 0]);
        append(scene, log, 5);
        await store.close();
        expect(scene.clock.timerCount).toBe(0);
      });
    }

    row("STO-M4 removes from the front only: a later timestamp shields those behind it", async (scene) => {
      const store = await scene.open(storeLimits({ maxAge }));
      const log = store.createChannel("foo").messages;
      const late = scene.now() + BigInt(maxAgeMillis) * 1_000_000n;
      append(scene, log, 1);
      const shielding = append(scene, log, 2, { timestamp: late });
      const shielded = append(scene, log, 3);
      await store.flush();
      await scene.age(maxAgeMillis);
      await scene.eventually(() => expect(log.count).toBe(2));
      await expectMessages(scene, log, [shielding, shielded]);
      await scene.age(maxAgeMillis);
      await scene.eventually(() => expect(log.count).toBe(0));
    });

    row("STO-M5 expires over a gap in sequences", async (scene) => {
      const store = await scene.open(storeLimits({ maxAge }));
      const log = store.createChannel("foo").messages;
      for (const s of [1, 2, 5, 6]) append(scene, log, s);
      await store.flush();
      await scene.clock.advanceAsync(maxAgeMillis / 2);
      const last = append(scene, log, 2000);
      await store.flush();
      await scene.age(maxAgeMillis / 2);
      await scene.eventually(() => expect(log.firstSequence).toBeGreaterThan(6));
      if (subject.capabilities.gaps === "kept") await expectMessages(scene, log, [last]);
      expect(await read(log, 6)).toBeUndefined();
      await scene.age(maxAgeMillis / 2);
      await scene.eventually(() => expect(log.count).toBe(0));
      expect([log.firstSequence, log.lastSequence]).toEqual([2001, 2000]);
    });

    row("STO-M6 removes messages that come with a timestamp already too old", async (scene) => {
      const store = await scene.open(storeLimits({ maxAge: durationFromMillis(60_000) }));
      const log = store.createChannel("foo").messages;
      for (const last of [10, 20, 30]) {
        for (let s = last - 9; s <= last; s++) append(scene, log, s, { timestamp: scene.now() - HOUR });
        expect(log.lastSequence).toBe(last);
        await store.flush();
        await scene.age(300);
        await scene.eventually(() => expect(log.count).toBe(0));
        expect([log.firstSequence, log.lastSequence]).toEqual([last + 1, last]);
      }
    });

    row(
      "STO-M8 forgets first and last message when all expired, and has them again after two new ones",
      async (scene) => {
        const store = await scene.open(storeLimits({ maxAge }));
        const log = store.createChannel("foo").messages;
        appendRange(scene, log, 1, 5);
        await store.flush();
        await scene.age(maxAgeMillis);
        await scene.eventually(() => expect(log.count).toBe(0));
        expect(await read(log, log.firstSequence)).toBeUndefined();
        expect(await read(log, log.lastSequence)).toBeUndefined();
        const messages = appendRange(scene, log, 6, 7);
        await store.flush();
        await expectMessages(scene, log, messages);
      },
    );

    row("removes twenty-five thousand messages that expire at once", async (scene) => {
      const store = await scene.open(storeLimits({ maxAge }));
      const log = store.createChannel("foo").messages;
      for (let s = 1; s <= 25_000; s++) append(scene, log, s, { data: "x" });
      await store.flush();
      await scene.age(maxAgeMillis);
      await scene.eventually(() => expect(log.count).toBe(0));
      expect([log.firstSequence, log.lastSequence, log.bytes]).toEqual([25_001, 25_000, 0]);
    });
  });
}

/** The 500 ms of the requirement; with room for the intervals of a store that only looks now and then. */
function ageOf(capabilities: StoreCapabilities): number {
  return 500 + 8 * capabilities.ageGranularityMillis;
}
