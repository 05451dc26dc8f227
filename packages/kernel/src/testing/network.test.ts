import { describe, expect, it } from "vitest";
import { BusError } from "../bus.ts";
import { FakeClock } from "./fake-clock.ts";
import { TestNetwork } from "./network.ts";

const text = (value: string): Uint8Array => Buffer.from(value);

describe("TestNetwork", () => {
  it("delivers to every subscription that matches, and to one of a queue group", () => {
    const network = new TestNetwork(new FakeClock());
    const [a, b] = [network.connect(), network.connect()];
    const seen: string[] = [];
    a.subscribe("foo.*", (message) => seen.push(`a ${message.subject} ${message.reply}`));
    b.subscribe("foo.>", () => seen.push("b"), { queue: "q" });
    a.subscribe("foo.bar", () => seen.push("a"), { queue: "q" });
    b.publish("foo.bar", text("x"), "answer");
    expect(seen.sort()).toEqual(["a", "a foo.bar answer"]);
  });

  it("answers a request, notices that nobody listens, and times out", async () => {
    const clock = new FakeClock();
    const bus = new TestNetwork(clock).connect();
    bus.subscribe("echo", (message) => bus.publish(message.reply, message.bytes, "", message.start, message.end));
    bus.subscribe("silent", () => {});
    expect(await bus.request("echo", text("hi"), 100)).toEqual({ kind: "reply", payload: new Uint8Array(text("hi")) });
    expect(await bus.request("nobody", text(""), 100)).toEqual({ kind: "no_responders" });
    const waiting = bus.request("silent", text(""), 100);
    await clock.advanceAsync(100);
    expect(await waiting).toEqual({ kind: "timeout" });
  });

  it("refuses to publish while disconnected and goes on after the reconnect", async () => {
    const network = new TestNetwork(new FakeClock());
    const bus = network.connect();
    const seen: string[] = [];
    bus.onTopologyChange(() => seen.push("topology"));
    bus.onStatus((status) => seen.push(status.kind));
    bus.subscribe("foo", (message) => seen.push(Buffer.from(message.bytes).toString()));
    bus.disconnect();
    expect(() => bus.publish("foo", text("lost"))).toThrow(BusError);
    expect(await bus.request("foo", text(""), 10)).toMatchObject({ kind: "failed" });
    bus.reconnect();
    bus.publish("foo", text("kept"));
    expect(seen).toEqual(["disconnected", "connected", "topology", "kept"]);
  });
});
