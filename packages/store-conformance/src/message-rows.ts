import { durationFromMillis } from "@nats-streaming/kernel";
import { describe, expect } from "vitest";
import {
  append,
  appendRange,
  expectMessage,
  expectMessages,
  keptBy,
  type MessageOptions,
  read,
  sizeOf,
} from "./messages.ts";
import type { Rows } from "./row.ts";
import { storeLimits } from "./scene.ts";

const HOUR = 3_600_000_000_000n;

/** Rows M1 to M3, M9 and M10 of store-interface.md 10.2, and what the contract says beyond them. */
export function messageRows(rows: Rows): void {
  describe("message log", () => {
    contentRows(rows);
    limitRows(rows);
    contractRows(rows);
  });
}

function contentRows({ row }: Rows): void {
  row("STO-M1 is 0 and empty at first, then has first and last message, lookups and sizes right", async (scene) => {
    const store = await scene.open();
    const log = store.createChannel("foo").messages;
    await expectMessages(scene, log, []);
    expect([log.firstSequence, log.lastSequence]).toEqual([0, 0]);
    const messages = [append(scene, log, 1, { data: "one" }), append(scene, log, 2, { data: "two", reply: "r" })];
    await expectMessages(scene, log, messages);
    await store.flush();
    await expectMessages(scene, log, messages);
    messages.push(append(scene, log, 3, { data: "" }));
    await expectMessages(scene, log, messages);
    expect(store.totals()).toEqual({ messages: 3, bytes: sizeOf(scene, messages) });
  });

  row("STO-M2 keeps its state per channel", async (scene) => {
    const store = await scene.open();
    const foo = store.createChannel("foo").messages;
    const bar = store.createChannel("bar").messages;
    const ofFoo = appendRange(scene, foo, 1, 3);
    const ofBar = appendRange(scene, bar, 1, 1);
    ofFoo.push(append(scene, foo, 4));
    await expectMessages(scene, foo, ofFoo);
    await expectMessages(scene, bar, ofBar);
    expect(store.totals()).toEqual({ messages: 5, bytes: sizeOf(scene, [...ofFoo, ...ofBar]) });
  });

  row(
    "STO-M10 empties: nothing is left, nothing happens at the old expiry time, any sequence may follow",
    async (scene) => {
      const store = await scene.open(storeLimits({ maxAge: durationFromMillis(500) }));
      const log = store.createChannel("foo").messages;
      appendRange(scene, log, 1, 10);
      await store.flush();
      log.empty();
      expect([log.firstSequence, log.lastSequence, log.count, log.bytes]).toEqual([0, 0, 0, 0]);
      for (const s of [1, 5, 10]) expect(await read(log, s)).toBeUndefined();
      await scene.age(1000);
      expect([log.firstSequence, log.lastSequence]).toEqual([0, 0]);
      await expectMessages(scene, log, [append(scene, log, 20)]);
    },
  );
}

function limitRows({ row, recovery }: Rows): void {
  row("STO-M3 removes the oldest above max_msgs and max_bytes, and keeps at least one message", async (scene) => {
    const sizer = await scene.open(storeLimits({}));
    const size = sizeOf(scene, [append(scene, sizer.createChannel("size").messages, 1, { data: "0123456789" })]);
    await sizer.deleteChannel("size");
    const cases = [
      { maxMessages: 10, maxBytes: 1000 * size },
      { maxMessages: 1000, maxBytes: 10 * size },
      { maxMessages: 10, maxBytes: 10 * size },
      { maxMessages: 10, maxBytes: 0 },
      { maxMessages: 0, maxBytes: 10 * size },
    ];
    for (const [index, limits] of cases.entries()) {
      sizer.setLimits(storeLimits(limits));
      const log = sizer.createChannel(`c${index}`).messages;
      const messages = Array.from({ length: 70 }, (_, i) => append(scene, log, i + 1, { data: "0123456789" }));
      const kept = keptBy(scene, messages, limits);
      expect(kept).toHaveLength(10);
      await expectMessages(scene, log, kept);
      expect(await read(log, 1)).toBeUndefined();
      expect(await read(log, 60)).toBeUndefined();

      const large = append(scene, log, 71, { data: "x".repeat(1000 * size) });
      const keptNow = keptBy(scene, [...kept, large], limits);
      expect(keptNow).toHaveLength(limits.maxBytes === 0 ? 10 : 1);
      await expectMessages(scene, log, keptNow);
      const small = append(scene, log, 72, { data: "small" });
      await expectMessages(scene, log, keptBy(scene, [...keptNow, small], limits));
    }
  });

  row("STO-M3 warns once when limits first remove a message", async (scene) => {
    const store = await scene.open(storeLimits({ maxMessages: 2, maxBytes: 2048 }));
    const log = store.createChannel("foo").messages;
    appendRange(scene, log, 1, 2);
    expect(warnings(scene.logger.lines)).toEqual([]);
    const third = appendRange(scene, log, 3, 3);
    const bytes = sizeOf(scene, [{ ...third[0]!, sequence: 2 }, ...third]);
    expect(warnings(scene.logger.lines)).toEqual([
      `WRN Reached limits for store "foo" (msgs=2/2 bytes=${bytes} B/2.00 KB), dropping old messages to make room for new ones`,
    ]);
    appendRange(scene, log, 4, 9);
    expect(warnings(scene.logger.lines)).toHaveLength(1);
  });

  recovery(
    "STO-M9 applies the limits of now to what was stored before",
    async (scene, store) => {
      const log = store.createChannel("foo").messages;
      const old = append(scene, log, 1, { timestamp: scene.now() - HOUR });
      const young = Array.from({ length: 9 }, (_, i) => append(scene, log, i + 2, { data: "x".repeat(90) }));
      await store.flush();
      return { old, young };
    },
    async (scene, { store, state }, { old, young }) => {
      await expectMessages(scene, state.channels.get("foo")!.messages, [old, ...young]);
      const aged = await scene.reopen(store, storeLimits({ maxAge: durationFromMillis(1_800_000) }));
      await expectMessages(scene, aged.state.channels.get("foo")!.messages, young);
      const limited = { maxMessages: 0, maxBytes: 500 };
      const sized = await scene.reopen(aged.store, storeLimits({ maxBytes: 500 }));
      const kept = keptBy(scene, young, limited);
      expect(kept.length).toBeGreaterThan(1);
      await expectMessages(scene, sized.state.channels.get("foo")!.messages, kept);
      const counted = await scene.reopen(sized.store, storeLimits({ maxMessages: 2 }));
      await expectMessages(scene, counted.state.channels.get("foo")!.messages, young.slice(-2));
    },
  );
}

function contractRows({ subject, row }: Rows): void {
  row("stores exactly the bytes of the message, for any name, reply, payload and time", async (scene) => {
    const store = await scene.open();
    const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);
    const samples: MessageOptions[] = [
      { data: "" },
      { data: everyByte },
      { data: "x".repeat(127), reply: "r".repeat(128) },
      { data: "x".repeat(70_000), reply: "\xff\x80 not UTF-8" },
      { data: new Uint8Array(1_500_000).fill(7) },
      { data: "early", timestamp: 1n },
      { data: "late", timestamp: 2n ** 63n - 1n },
    ];
    for (const channel of ["foo", "a b\t.\xff\xfe", "long".repeat(50)]) {
      const log = store.createChannel(channel).messages;
      const messages = samples.map((sample, i) => append(scene, log, i + 1, sample));
      await expectMessages(scene, log, messages);
      await store.flush();
      await expectMessages(scene, log, messages);
    }
  });

  row("takes a sequence that is not above the last as a repeat: nothing happens", async (scene) => {
    const store = await scene.open();
    const log = store.createChannel("foo").messages;
    const messages = appendRange(scene, log, 1, 3);
    for (const s of [1, 2, 3]) append(scene, log, s, { data: "another" });
    await expectMessages(scene, log, messages);
    await store.flush();
    await expectMessages(scene, log, messages);
  });

  row("takes any first sequence", async (scene) => {
    const store = await scene.open();
    const log = store.createChannel("foo").messages;
    await expectMessages(scene, log, appendRange(scene, log, 4_000_000_000, 4_000_000_002));
  });

  row(`leaves gaps ${subject.capabilities.gaps}`, async (scene) => {
    const store = await scene.open();
    const log = store.createChannel("foo").messages;
    const messages = appendRange(scene, log, 3, 4);
    const behind = append(scene, log, 8, { data: "behind the gap" });
    if (subject.capabilities.gaps === "filled") {
      const empty = { channel: "foo", reply: "", data: new Uint8Array(0), timestamp: behind.timestamp };
      messages.push(...[5, 6, 7].map((sequence) => ({ ...empty, sequence })));
    } else {
      for (const s of [5, 6, 7]) expect(await read(log, s)).toBeUndefined();
    }
    messages.push(behind, append(scene, log, 9));
    await expectMessages(scene, log, messages);
    await store.flush();
    await expectMessages(scene, log, messages);
  });

  row("loads a range that is partly or wholly not there", async (scene) => {
    const store = await scene.open(storeLimits({ maxMessages: 3 }));
    const log = store.createChannel("foo").messages;
    await log.load(1, 5);
    const messages = appendRange(scene, log, 1, 6).slice(-3);
    await store.flush();
    await log.load(1, 100);
    await log.load(7, 1);
    for (const message of messages) await expectMessage(log, message);
  });
}

function warnings(lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith("WRN"));
}
