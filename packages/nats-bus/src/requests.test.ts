import { BusError, type BusMessage } from "@nats-streaming/kernel";
import { FakeClock } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { ascii } from "../test-support/events.ts";
import { createRequests } from "./requests.ts";

function answer(subject: string, payload: string): BusMessage {
  const bytes = ascii(`<${payload}>`);
  return { subject, reply: "", bytes, start: 1, end: bytes.length - 1 };
}

function setUp() {
  const clock = new FakeClock();
  const requests = createRequests("_INBOX.me.", clock);
  const inboxes: string[] = [];
  const start = (timeoutMillis = 1_000) => requests.start(timeoutMillis, (inbox) => inboxes.push(inbox));
  return { clock, requests, inboxes, start };
}

describe("requests", () => {
  it("end with the first reply, each with its own", async () => {
    const { clock, requests, inboxes, start } = setUp();
    const [one, two] = [start(), start()];
    expect(new Set(inboxes).size).toBe(2);
    requests.receive(answer(inboxes[1]!, "two"), false);
    requests.receive(answer(inboxes[0]!, "one"), false);
    requests.receive(answer(inboxes[0]!, "late"), false);
    expect(await one).toEqual({ kind: "reply", payload: ascii("one") });
    expect(await two).toEqual({ kind: "reply", payload: ascii("two") });
    expect(clock.timerCount).toBe(0);
  });

  it("own the payload of the reply", async () => {
    const { requests, inboxes, start } = setUp();
    const reply = start();
    const message = answer(inboxes[0]!, "hello");
    requests.receive(message, false);
    message.bytes.fill(0);
    expect(await reply).toEqual({ kind: "reply", payload: ascii("hello") });
  });

  it("end at once when nobody listens", async () => {
    const { clock, requests, inboxes, start } = setUp();
    const reply = start();
    requests.receive(answer(inboxes[0]!, ""), true);
    expect(await reply).toEqual({ kind: "no_responders" });
    expect(clock.timerCount).toBe(0);
  });

  it("end without a reply once the time has passed, not before", async () => {
    const { clock, requests, inboxes, start } = setUp();
    let ended = false;
    const reply = start(500).finally(() => {
      ended = true;
    });
    await clock.advanceAsync(499);
    expect(ended).toBe(false);
    await clock.advanceAsync(1);
    expect(await reply).toEqual({ kind: "timeout" });
    requests.receive(answer(inboxes[0]!, "late"), false);
  });

  it("fail when they cannot be sent", async () => {
    const { clock, requests } = setUp();
    const reply = requests.start(1_000, () => {
      throw new BusError("disconnected", "bus is disconnected");
    });
    expect(await reply).toEqual({ kind: "failed", reason: "bus is disconnected" });
    expect(clock.timerCount).toBe(0);
  });

  it("fail together when the connection is lost", async () => {
    const { clock, requests, start } = setUp();
    const replies = [start(), start()];
    requests.failAll("bus is disconnected");
    expect(await Promise.all(replies)).toEqual([
      { kind: "failed", reason: "bus is disconnected" },
      { kind: "failed", reason: "bus is disconnected" },
    ]);
    expect(clock.timerCount).toBe(0);
  });

  it("ignore answers to a token that was never given out", () => {
    const { requests } = setUp();
    expect(() => requests.receive(answer("_INBOX.me.zz", "x"), false)).not.toThrow();
  });
});
