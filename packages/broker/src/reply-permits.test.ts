import { FakeClock } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { ReplyPermits } from "./reply-permits.ts";

describe("ReplyPermits", () => {
  it("lets a message be answered in time, as often as may be", () => {
    const clock = new FakeClock();
    const permits = new ReplyPermits({ maxMessages: 2, expiresMillis: 1_000 }, clock);
    permits.note("a");
    permits.note("b");
    expect([permits.use("a"), permits.use("a"), permits.use("a"), permits.use("c")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    clock.advance(1_001);
    expect(permits.use("b")).toBe(false);
    permits.note("b");
    expect(permits.use("b")).toBe(true);
  });

  it("knows no limit below 0, and forgets the oldest of very many", () => {
    const clock = new FakeClock();
    const permits = new ReplyPermits({ maxMessages: -1, expiresMillis: -1 }, clock);
    for (let i = 0; i <= 65_536; i++) permits.note(String(i));
    clock.advance(1_000_000);
    expect(permits.use("0")).toBe(false);
    for (let i = 0; i < 5; i++) expect(permits.use("1")).toBe(true);
  });
});
