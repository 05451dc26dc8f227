import { durationFromMillis } from "@nats-streaming/kernel";
import { defaultStoreLimits, type Store } from "@nats-streaming/store";
import { describe, expect } from "vitest";
import { appendRange } from "./messages.ts";
import { expectRefused } from "./refusals.ts";
import type { Rows } from "./row.ts";
import { storeLimits } from "./scene.ts";

/**
 * Rows Y1 to Y4 of store-interface.md 10.5. They were written about the memory store; Y1 and Y3 hold for every store, Y2
 * for those without a lock, Y4 for those with a timer per log. A store with a lock has its own row instead of Y2.
 */
export function openingRows({ subject, row }: Rows): void {
  const { exclusiveLock, ageGranularityMillis } = subject.capabilities;

  describe("opening", () => {
    row("STO-Y1 has the default limits in force when none are given", async (scene) => {
      const store = await scene.open();
      expect(store.limits).toEqual(defaultStoreLimits);
      store.createChannel("foo");
      expect(store.channelLimits("foo")).toMatchObject({ maxMessages: 1_000_000, maxBytes: 1_024_000_000 });
    });

    if (exclusiveLock) {
      row("holds the exclusive lock against a second store until it is closed", async (scene) => {
        const first = await scene.open();
        expect(await first.acquireLock()).toEqual({ kind: "acquired" });
        expect(await first.acquireLock()).toEqual({ kind: "acquired" });
        const second = await scene.openBeside();
        expect(await second.acquireLock()).toMatchObject({ kind: "busy" });
        await first.close();
        expect(await second.acquireLock()).toEqual({ kind: "acquired" });
      });
    } else {
      row("STO-Y2 has no exclusive lock: asking for it is an error", async (scene) => {
        const store = await scene.open();
        await expectRefused(() => store.acquireLock(), "not_supported", "not supported");
      });
    }

    row("STO-Y3 is not made with a negative limit", async (scene) => {
      let made: Store | undefined;
      const open = async (): Promise<void> => {
        made = await scene.openBare(storeLimits({ maxMessages: -1 }));
      };
      await expectRefused(open, "invalid_limits", "max messages limit cannot be negative (-1)");
      expect(made).toBeUndefined();
    });

    if (ageGranularityMillis === 0) {
      row("STO-Y4 takes the age timer away and starts again from 0 when the log is emptied", async (scene) => {
        const store = await scene.open(storeLimits({ maxAge: durationFromMillis(1000) }));
        const log = store.createChannel("foo").messages;
        appendRange(scene, log, 1, 5);
        expect(scene.clock.timerCount).toBe(1);
        log.empty();
        expect(scene.clock.timerCount).toBe(0);
        expect([log.firstSequence, log.lastSequence]).toEqual([0, 0]);
      });
    } else {
      row("STO-Y4 starts again from 0 when the log is emptied (adapted: no timer per log)", async (scene) => {
        const store = await scene.open(storeLimits({ maxAge: durationFromMillis(1000) }));
        const log = store.createChannel("foo").messages;
        appendRange(scene, log, 1, 5);
        log.empty();
        expect([log.firstSequence, log.lastSequence]).toEqual([0, 0]);
      });
    }
  });
}
