import type { BusMessage } from "@nats-streaming/kernel";
import { describe, expect, it } from "vitest";
import { createStartGate } from "./start-gate.ts";

const message = (subject: string, text = ""): BusMessage => {
  const bytes = Buffer.from(text);
  return { subject, reply: `to.${subject}`, bytes, start: 0, end: bytes.length };
};

describe("a start gate", () => {
  it("keeps what comes, with bytes of its own, and hands it over in order when it opens", () => {
    const gate = createStartGate();
    const seen: string[] = [];
    const first = gate.guard(({ subject, reply, bytes, start, end }) =>
      seen.push(`1 ${subject} ${reply} ${Buffer.from(bytes.subarray(start, end))}`),
    );
    const second = gate.guard(({ subject }) => seen.push(`2 ${subject}`));
    const reused = message("a", "hello");
    first(reused);
    reused.bytes.fill(0);
    second(message("b"));
    first(message("c"));
    expect(seen).toEqual([]);
    gate.open();
    second(message("d"));
    expect(seen).toEqual(["1 a to.a hello", "2 b", "1 c to.c ", "2 d"]);
  });

  it("keeps no more than it has room for", () => {
    const gate = createStartGate();
    let count = 0;
    const handle = gate.guard(() => count++);
    for (let i = 0; i < 70_000; i++) handle(message("a"));
    gate.open();
    expect(count).toBe(65_536);
    const large = createStartGate();
    let bytes = 0;
    const take = large.guard(({ end, start }) => {
      bytes += end - start;
    });
    const text = "x".repeat(1024 * 1024);
    for (let i = 0; i < 70; i++) take(message("a", text));
    large.open();
    expect(bytes).toBe(64 * 1024 * 1024);
  });
});
