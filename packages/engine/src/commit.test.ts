import { seededRandom } from "@nats-streaming/kernel/testing";
import { type Store, StoreError } from "@nats-streaming/store";
import { createMemoryStore } from "@nats-streaming/store-memory";
import { describe, expect, it } from "vitest";
import { type Stage, setStage } from "../test/harness.ts";

/** A memory store whose flushes take until the test lets them end, well or badly, as those of a disk do. */
interface SlowStore extends Store {
  /** Flushes under way. */
  readonly waiting: { succeed(): void; fail(error: StoreError): void }[];
  slow: boolean;
}

function slowStore(
  stageClock: Parameters<NonNullable<Parameters<typeof setStage>[0]>["store"] & object>[0],
): SlowStore {
  const memory = createMemoryStore({
    clock: stageClock,
    logger: {
      debugEnabled: false,
      traceEnabled: false,
      info() {},
      warn() {},
      error() {},
      fatal() {},
      debug() {},
      trace() {},
    },
  });
  const waiting: SlowStore["waiting"] = [];
  const store = Object.create(memory) as SlowStore;
  // Getters and methods of the memory store need it as their receiver.
  for (const name of [
    "acquireLock",
    "init",
    "recover",
    "setLimits",
    "channelLimits",
    "createChannel",
    "deleteChannel",
    "addClient",
    "deleteClient",
    "totals",
    "close",
  ] as const) {
    Object.defineProperty(store, name, { value: (memory[name] as (...args: never[]) => unknown).bind(memory) });
  }
  Object.defineProperty(store, "limits", { get: () => memory.limits });
  return Object.assign(store, {
    waiting,
    slow: false,
    kind: memory.kind,
    flush(): Promise<void> | undefined {
      if (!store.slow) return undefined;
      return new Promise((resolve, reject) => waiting.push({ succeed: resolve, fail: reject }));
    },
  });
}

async function setSlowStage(): Promise<{ stage: Stage; store: SlowStore }> {
  let store: SlowStore | undefined;
  const stage = await setStage({
    random: seededRandom(3),
    store: (clock) => {
      store = slowStore(clock);
      return store;
    },
  });
  if (store === undefined) throw new Error("no store was made");
  return { stage, store };
}

describe("a store that takes its time", () => {
  it("DK2 keeps deliveries, PubAcks and responses back until the flush that covers them", async () => {
    const { stage, store } = await setSlowStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    store.slow = true;
    const events: string[] = [];
    client.bus.subscribe(subscription.inbox, () => events.push("message"));
    client.publishLater("foo", "1", () => events.push("ack"));
    await stage.clock.settle();
    const second = client.subscribe("foo");
    await stage.clock.settle();
    expect([events, store.waiting.length]).toEqual([[], 1]);
    store.waiting.shift()?.succeed();
    await stage.clock.settle();
    expect(events).toEqual(["message", "ack"]);
    expect((await second).error).toBe("no answer");
    store.waiting.shift()?.succeed();
    await stage.clock.settle();
    expect(stage.engine.inspection.channel("foo")?.subscriptionCount).toBe(2);
  });

  it("lets the next batch gather while a flush runs, and flushes it as one", async () => {
    const { stage, store } = await setSlowStage();
    const client = await stage.client("me");
    store.slow = true;
    const acks: string[] = [];
    for (const data of ["1", "2", "3", "4"]) {
      client.publishLater("foo", data, () => acks.push(data));
      await stage.clock.settle();
    }
    expect(store.waiting.length).toBe(1);
    store.waiting.shift()?.succeed();
    await stage.clock.settle();
    expect([acks, store.waiting.length]).toEqual([["1"], 1]);
    store.waiting.shift()?.succeed();
    await stage.clock.settle();
    expect([acks, store.waiting.length]).toEqual([["1", "2", "3", "4"], 0]);
  });

  it("does not show a subscriber what is not flushed, whatever else makes the subscription move", async () => {
    const { stage, store } = await setSlowStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { maxInFlight: 1 });
    await client.publish("foo");
    store.slow = true;
    client.publishLater("foo", "not yet");
    await stage.clock.settle();
    subscription.ack(1);
    await stage.clock.settle();
    expect(subscription.order).toBe("1");
    store.waiting.shift()?.succeed();
    await stage.clock.settle();
    expect(subscription.order).toBe("1 2");
  });
});

describe("a store that cannot write", () => {
  it("refuses the publishes of the batch and of the one that gathered, and goes on without a gap", async () => {
    const { stage, store } = await setSlowStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", {}, { autoAck: true });
    expect(await client.publish("foo", "kept")).toBe("");
    store.slow = true;
    const errors: string[] = [];
    client.publishLater("foo", "lost", (error) => errors.push(error));
    await stage.clock.settle();
    client.publishLater("foo", "lost too", (error) => errors.push(error));
    await stage.clock.settle();
    // As the contract says: a store whose flush fails has taken back all that was not durable.
    const log = stage.engine.inspection.channel("foo");
    expect(log?.lastSequence).toBe(3);
    store.waiting.shift()?.fail(new StoreError("write_failed", "no space left on device"));
    await stage.clock.settle();
    expect(errors).toEqual(["no space left on device", "no space left on device"]);
    expect(subscription.seen.map(({ data }) => data)).toEqual(["kept"]);
    expect(stage.fatal).toEqual([]);
    expect(stage.logger.lines).toContain("ERR Unable to store: no space left on device");
  });

  it("logs one line a second of it, with the count of those in between", async () => {
    const { stage, store } = await setSlowStage();
    const client = await stage.client("me");
    store.slow = true;
    const refuse = async (): Promise<void> => {
      client.publishLater("foo", "lost", () => {});
      await stage.clock.settle();
      store.waiting.shift()?.fail(new StoreError("write_failed", "disk full"));
      await stage.clock.settle();
    };
    for (let i = 0; i < 5; i++) await refuse();
    await stage.pass(1000);
    await refuse();
    expect(stage.logger.lines.filter((line) => line.startsWith("ERR Unable to store"))).toEqual([
      "ERR Unable to store: disk full",
      "ERR Unable to store: disk full (and 4 more batches before)",
    ]);
  });

  it("PROTO 10.1.15 refuses a subscription whose record it cannot keep, and leaves nothing of it", async () => {
    const { stage, store } = await setSlowStage();
    const client = await stage.client("me");
    await client.publish("foo");
    store.slow = true;
    const subscribing = client.subscribe("foo", { durableName: "dur" });
    await stage.clock.settle();
    store.waiting.shift()?.fail(new StoreError("write_failed", "no space left on device"));
    await subscribing;
    await stage.clock.settle();
    expect(stage.engine.inspection.subscriptionCount()).toBe(0);
    expect(stage.engine.inspection.client("me")?.subscriptionCount).toBe(0);
    store.slow = false;
    expect((await client.subscribe("foo", { durableName: "dur" })).order).toBe("1");
  });

  it("DLV-S20 leaves an offline durable in place when its resume fails", async () => {
    const { stage, store } = await setSlowStage();
    const client = await stage.client("me");
    const first = await client.subscribe("foo", { durableName: "dur" });
    await first.close();
    store.slow = true;
    const resuming = client.subscribe("foo", { durableName: "dur" });
    await stage.clock.settle();
    store.waiting.shift()?.fail(new StoreError("write_failed", "no space left on device"));
    await resuming;
    await stage.clock.settle();
    expect(stage.engine.inspection.channel("foo")?.subscriptions()).toMatchObject([{ isOffline: true }]);
    store.slow = false;
    expect(await client.close()).toBe("");
    expect(stage.engine.inspection.channel("foo")?.subscriptions()).toMatchObject([{ isOffline: true }]);
  });
});

describe("a store whose sync has failed", () => {
  it("PROTO 9.1.6 acknowledges and delivers nothing any more, and asks for the end of the server once", async () => {
    const { stage, store } = await setSlowStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    store.slow = true;
    const acks: string[] = [];
    client.publishLater("foo", "1", (error) => acks.push(error));
    await stage.clock.settle();
    store.waiting.shift()?.fail(new StoreError("sync_failed", "input/output error"));
    await stage.clock.settle();
    expect([acks, subscription.order]).toEqual([[], ""]);
    expect(stage.fatal.map((error) => error.message)).toEqual(["input/output error"]);
    store.slow = false;
    client.publishLater("foo", "2", (error) => acks.push(error));
    await stage.clock.settle();
    expect(acks).toEqual(["the store has failed"]);
    expect(stage.fatal).toHaveLength(1);
  });
});
