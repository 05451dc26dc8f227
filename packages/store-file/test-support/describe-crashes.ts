import { describe, expect, it } from "vitest";
import { crashRounds } from "./crash-rounds.ts";

/** Rounds of one test file; four of them run side by side, on as many cores as there are. */
const ROUNDS = 2500;
/** A quarter of a minute on one core; a busy machine may take its time. */
const TIMEOUT_MILLIS = 300_000;

/**
 * Registers the crash rounds of one test file. `CRASH_SEED` and `CRASH_ROUNDS` run others: one seed alone, to look at it, or
 * as many as somebody has time for.
 * @param shard 0 to 3
 */
export function describeCrashes(shard: number): void {
  const rounds = Number(process.env["CRASH_ROUNDS"] ?? ROUNDS);
  const from = Number(process.env["CRASH_SEED"] ?? 1) + shard * rounds;
  describe("a machine that stops, tears, flips bits, fills up and fails", () => {
    it(
      `loses nothing that was acknowledged, and starts again (seeds ${from} to ${from + rounds - 1})`,
      async () => {
        const tally = await crashRounds(from, rounds);
        console.info(`crash rounds: ${JSON.stringify(tally)}`);
        expect(tally.rounds).toBe(rounds);
        if (rounds < ROUNDS) return;
        // Each kind of ending has had its share.
        expect(tally.crashes).toBeGreaterThan(2 * rounds);
        expect(Math.min(tally.kills, tally.powerLosses, tally.flips)).toBeGreaterThan(rounds / 2);
        expect(Math.min(tally.failedSyncs, tally.inRecovery, tally.cleanStops, tally.damaged)).toBeGreaterThan(50);
      },
      TIMEOUT_MILLIS,
    );
  });
}
