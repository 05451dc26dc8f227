import { FakeClock } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { createRecentClients } from "./recent-clients.ts";

const info = (id: string) => ({
  id,
  hbInbox: `_INBOX.${id}`,
  connId: Buffer.from(`conn-${id}`),
  protocol: 1,
  pingInterval: 5,
  pingMaxOut: 3,
});

describe("recent clients", () => {
  it("remember a closed client ID for five seconds, and its connection for longer", () => {
    const clock = new FakeClock();
    const recent = createRecentClients(clock);
    recent.closed(info("a"));
    clock.advance(5_000);
    expect(recent.wasClosed("a")).toBe(true);
    clock.advance(1);
    expect([recent.wasClosed("a"), recent.wasConnectionClosed(info("a").connId)]).toEqual([false, true]);
    expect([recent.wasClosed("b"), recent.wasConnectionClosed(new Uint8Array(0))]).toEqual([false, false]);
  });

  it("remember a sign of life for two seconds, of that connection only", () => {
    const clock = new FakeClock();
    const recent = createRecentClients(clock);
    recent.alive(info("a"));
    clock.advance(2_000);
    expect(recent.wasAlive(info("a"))).toBe(true);
    expect(recent.wasAlive({ ...info("a"), hbInbox: "_INBOX.other" })).toBe(false);
    clock.advance(1);
    expect(recent.wasAlive(info("a"))).toBe(false);
  });

  it("forget the oldest beyond 65,536", () => {
    const recent = createRecentClients(new FakeClock());
    for (let i = 0; i <= 65_536; i++) recent.closed(info(`c${i}`));
    expect([recent.wasClosed("c0"), recent.wasClosed("c1"), recent.wasClosed("c65536")]).toEqual([false, true, true]);
    expect(recent.wasConnectionClosed(info("c0").connId)).toBe(false);
  });
});
