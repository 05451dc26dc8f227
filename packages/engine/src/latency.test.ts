import { describe, expect, it } from "vitest";
import { setStage } from "../test/harness.ts";
import { setPersistentStage } from "../test/persistent-stage.ts";

describe("statistics of an engine", () => {
  it("time each publish until its PubAck, and each flush", async () => {
    const stage = await setPersistentStage();
    const client = await stage.client("me");
    const { statistics } = stage.engine.inspection;
    const flushes = statistics.flushLatency.count;
    stage.store.holding.add("flush");
    client.publishLater("foo", "a");
    client.publishLater("foo", "b");
    await stage.pass(40);
    expect(statistics.publishLatency.count).toBe(0);
    stage.store.holding.clear();
    stage.store.release("flush");
    await stage.clock.settle();
    expect(statistics.publishLatency.count).toBe(2);
    expect(statistics.publishLatency.sum).toBe(80);
    expect(statistics.flushLatency.count).toBe(flushes + 1);
    expect(statistics.flushLatency.sum).toBe(40);
  });

  it("count what is sent again", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    await client.subscribe("foo", { ackWaitInSecs: 1 });
    await client.publish("foo");
    await stage.pass(2_500);
    const { statistics } = stage.engine.inspection;
    expect(statistics.outMessages).toBe(3);
    expect(statistics.redelivered).toBe(2);
  });
});
