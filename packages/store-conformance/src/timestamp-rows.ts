import { durationFromMillis, timestampNanos } from "@nats-streaming/kernel";
import type { MessageLog } from "@nats-streaming/store";
import { describe, expect } from "vitest";
import { append, appendRange, expectMessages } from "./messages.ts";
import type { Rows } from "./row.ts";
import { storeLimits } from "./scene.ts";

const HOUR = 3_600_000_000_000n;

/** Row M7 of store-interface.md 10.2, and the ties of section 8. */
export function timestampRows(rows: Rows): void {
  describe("sequence from timestamp", () => {
    recoveredTimeRow(rows);
    timeRows(rows);
  });
}

function recoveredTimeRow({ recovery }: Rows): void {
  recovery(
    "STO-M7 finds the first sequence not before a time",
    async (scene, store) => {
      const log = store.createChannel("foo").messages;
      expect(await log.sequenceFromTimestamp(timestampNanos(scene.now()))).toBe(0);
      const start = scene.now();
      // Ten messages 2 ms and 7 ns apart, so that both parts of a time count.
      const times = Array.from({ length: 10 }, (_, i) => start + BigInt(i) * 2_000_007n);
      const messages = times.map((timestamp, i) => append(scene, log, i + 1, { timestamp }));
      await store.flush();
      await expectTimes(log, times);
      return { times, messages };
    },
    async (scene, { state, store }, { times, messages }) => {
      const log = state.channels.get("foo")!.messages;
      await expectMessages(scene, log, messages);
      await expectTimes(log, times);
      scene.clock.advance(10_000);
      const expired = await scene.reopen(store, storeLimits({ maxAge: durationFromMillis(1000) }));
      const empty = expired.state.channels.get("foo")!.messages;
      await scene.eventually(() => expect(empty.count).toBe(0));
      for (const time of [0n, times[3]!, scene.now()]) {
        expect(await empty.sequenceFromTimestamp(timestampNanos(time))).toBe(11);
      }
    },
  );
}

function timeRows({ subject, row }: Rows): void {
  row("STO-M7 gives last + 1 for any time after everything has expired", async (scene) => {
    const store = await scene.open(storeLimits({ maxAge: durationFromMillis(500) }));
    const log = store.createChannel("foo").messages;
    const time = scene.now();
    appendRange(scene, log, 1, 3);
    await store.flush();
    await scene.age(500);
    await scene.eventually(() => expect(log.count).toBe(0));
    for (const asked of [0n, time - 1n, time, time + HOUR]) {
      expect(await log.sequenceFromTimestamp(timestampNanos(asked))).toBe(4);
    }
  });

  row("finds times over a gap, before 1970 and at the ends of their range", async (scene) => {
    const store = await scene.open();
    const log = store.createChannel("foo").messages;
    const sequences = [5, 6, 9, 40];
    const times = [-5_000_001n, -1n, 0n, 9_000_000_000_000_000_001n];
    // A store that fills gaps gives the missing sequences the time of the message behind them.
    const filled = subject.capabilities.gaps === "filled";
    for (const [i, s] of sequences.entries()) append(scene, log, s, { timestamp: times[i]! });
    await store.flush();
    const asked: [bigint, number][] = [
      [-(2n ** 63n), 5],
      [-5_000_001n, 5],
      [-5_000_000n, 6],
      [-1n, 6],
      [0n, filled ? 7 : 9],
      [1n, filled ? 10 : 40],
      [2n ** 63n - 1n, 41],
    ];
    for (const [time, expected] of asked) {
      expect([time, await log.sequenceFromTimestamp(timestampNanos(time))]).toEqual([time, expected]);
    }
  });

  row(
    `gives the ${subject.capabilities.timestampTies} of several messages with the time of the last`,
    async (scene) => {
      const store = await scene.open();
      const log = store.createChannel("foo").messages;
      const time = scene.now();
      append(scene, log, 1, { timestamp: time - 5n });
      for (const s of [2, 3, 4]) append(scene, log, s, { timestamp: time });
      await store.flush();
      const expected = subject.capabilities.timestampTies === "last" ? 4 : 2;
      expect(await log.sequenceFromTimestamp(timestampNanos(time))).toBe(expected);
      expect(await log.sequenceFromTimestamp(timestampNanos(time - 4n))).toBe(2);
    },
  );
}

async function expectTimes(log: MessageLog, times: readonly bigint[]): Promise<void> {
  const asked: [bigint, number][] = [
    [0n, 1],
    [times[0]! - 1n, 1],
    ...times.flatMap((time, i): [bigint, number][] => [
      [time, i + 1],
      [time + 1n, i + 2],
    ]),
    [times.at(-1)! + HOUR, times.length + 1],
  ];
  for (const [time, expected] of asked) {
    expect([time, await log.sequenceFromTimestamp(timestampNanos(time))]).toEqual([time, expected]);
  }
}
