import { durationNanos, sequence, type Timestamp } from "@nats-streaming/kernel";
import { FakeClock, recordingLogger } from "@nats-streaming/kernel/testing";
import { decodeMsgProto } from "@nats-streaming/protocol/stan";
import { defaultStoreLimits, type MessageLog, type StoredMessage, type StoreLimits } from "@nats-streaming/store";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryStore } from "./memory-store.ts";

const START = 1_700_000_000_000;

function open(limits: Partial<StoreLimits> = {}) {
  const clock = new FakeClock(START);
  const logger = recordingLogger();
  const store = createMemoryStore({ limits: { ...defaultStoreLimits, ...limits }, clock, logger });
  return { clock, logger, store };
}

function append(log: MessageLog, at: Timestamp, text = "message"): void {
  const bytes = Buffer.from(text);
  const range = { bytes, replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: bytes.length };
  log.append(sequence(log.lastSequence + 1), range, at);
}

const found = (): StoredMessage => ({ bytes: new Uint8Array(0), start: 0, end: 0 });

describe("memory store", () => {
  it("removes a message exactly at its age, at the first whole millisecond not before it", () => {
    const { clock, store } = open({ maxAge: durationNanos(10_000_500n) });
    const log = store.createChannel("foo").messages;
    append(log, { millis: START, nanos: 0 });
    append(log, { millis: START, nanos: 499_500 });
    append(log, { millis: START, nanos: 499_501 });
    append(log, { millis: START + 1, nanos: 999_500 });
    append(log, { millis: START + 1, nanos: 999_501 });
    const counts: number[] = [];
    for (let at = 9; at <= 14; at++) {
      clock.advance(at === 9 ? 9 : 1);
      counts.push(log.count);
    }
    // 10.0005, 10.5, 10.500001, 12.0 and 12.000001 ms after the start; the timer counts in milliseconds.
    expect(counts).toEqual([5, 5, 2, 1, 0, 0]);
  });

  it("waits on when the calendar was set back, and removes at once when it was set forward", () => {
    const { clock, store } = open({ maxAge: durationNanos(1_000_000_000n) });
    const log = store.createChannel("foo").messages;
    append(log, { millis: START, nanos: 0 });
    clock.setWall(START - 5000);
    clock.advance(1000);
    expect(log.count).toBe(1);
    clock.setWall(START + 900);
    clock.advance(4999);
    expect(log.count).toBe(1);
    clock.advance(1);
    expect(log.count).toBe(0);
  });

  it("stops the timers of a deleted channel and of a closed store, for messages that still come in too", async () => {
    const { clock, store } = open({ maxAge: durationNanos(1_000_000_000n) });
    const foo = store.createChannel("foo").messages;
    const bar = store.createChannel("bar").messages;
    const now = { millis: START, nanos: 0 };
    append(foo, now);
    append(bar, now);
    await store.deleteChannel("foo");
    append(foo, now);
    expect(clock.timerCount).toBe(1);
    await store.close();
    append(bar, now);
    expect(clock.timerCount).toBe(0);
    expect(() => store.createChannel("baz")).toThrow("store is closed");
  });

  it("gives flush and load nothing to wait for", async () => {
    const { store } = open();
    const { messages } = store.createChannel("foo");
    append(messages, { millis: START, nanos: 0 });
    expect(store.flush()).toBeUndefined();
    await messages.load(1, 10);
    expect(messages.lookup(1, found())).toBe(1);
  });

  it("keeps bytes that a lookup gave while the log goes on and removes the message", () => {
    const { store } = open({ maxMessages: 1 });
    const log = store.createChannel("foo").messages;
    const at = { millis: START, nanos: 0 };
    append(log, at, "first");
    const out = found();
    log.lookup(1, out);
    const before = Buffer.from(out.bytes.subarray(out.start, out.end)).toString("hex");
    for (let i = 0; i < 1000; i++) append(log, at, "another");
    expect(Buffer.from(out.bytes.subarray(out.start, out.end)).toString("hex")).toBe(before);
  });

  it("stores what the protocol's decoder reads back, for any reply, payload and time", () => {
    const { store } = open({ maxBytes: 0 });
    const log = store.createChannel("any.channel").messages;
    const message = fc.record({
      reply: fc.uint8Array({ maxLength: 300 }),
      data: fc.uint8Array({ maxLength: 3000 }),
      millis: fc.integer({ min: 0, max: 9_223_372_036_853 }),
      nanos: fc.nat(999_999),
      skip: fc.nat(3),
    });
    fc.assert(
      fc.property(message, ({ reply, data, millis, nanos, skip }) => {
        const next = sequence(log.lastSequence + 1 + skip);
        const bytes = new Uint8Array([...data, ...reply]);
        const ranges = { dataStart: 0, dataEnd: data.length, replyStart: data.length, replyEnd: bytes.length };
        log.append(next, { bytes, ...ranges }, { millis, nanos });
        const out = found();
        log.lookup(next, out);
        expect(decodeMsgProto(out.bytes, out.start, out.end)).toMatchObject({
          value: {
            sequence: BigInt(next),
            subject: "any.channel",
            reply: Buffer.from(reply).toString("latin1"),
            data: new Uint8Array(data),
            timestamp: BigInt(millis) * 1_000_000n + BigInt(nanos),
            redelivered: false,
          },
        });
      }),
      { numRuns: 300 },
    );
  });
});
