import { FakeClock, recordingLogger, seededRandom } from "@nats-streaming/kernel/testing";
import { afterEach, describe, expect, it } from "vitest";
import { routeTo, startMember, until } from "../testing/cluster.ts";
import { LiveClock } from "../testing/live-clock.ts";
import { RawClient } from "../testing/raw-client.ts";
import { type Broker, createBroker } from "./broker.ts";
import { dismissOverTime, type LameDuck } from "./lame-duck.ts";
import type { BrokerOptions } from "./options.ts";

const running: Broker[] = [];

afterEach(async () => {
  for (const broker of running.splice(0)) await broker.close();
});

async function start(options: BrokerOptions): Promise<{ readonly broker: Broker; readonly port: number }> {
  const broker = createBroker({ host: "127.0.0.1", port: 0, drainMillis: 200, ...options });
  running.push(broker);
  const { port } = await broker.listen();
  return { broker, port };
}

/** When each of so many connections is closed, in milliseconds. */
function times(count: number, options: LameDuck): readonly number[] {
  const clock = new FakeClock();
  const closed: number[] = [];
  let left = count;
  dismissOverTime({
    ...options,
    clock,
    random: seededRandom(1),
    begin: () => left,
    dismiss: (asked) => {
      for (let number = 0; number < Math.min(asked, left); number++) closed.push(clock.monotonicMillis());
      left = Math.max(0, left - asked);
      return left;
    },
  });
  const first = clock.monotonicMillis();
  for (let passed = 0; passed < 300_000 && left > 0; passed++) clock.advance(1);
  return closed.map((at) => at - first);
}

const GRACE = 10_000;
const LONG: LameDuck = { gracePeriodMillis: GRACE, durationMillis: 120_000 };

describe("dismissOverTime()", () => {
  it("closes few connections within a second of each other, after the grace period", () => {
    const closed = times(5, LONG);
    expect(closed[0]).toBe(GRACE);
    for (const [place, at] of closed.slice(1).entries()) {
      const gap = at - (closed[place] ?? 0);
      expect(gap).toBeGreaterThanOrEqual(500);
      expect(gap).toBeLessThanOrEqual(1_001);
    }
  });

  it.each([1_000, 50_000])("closes %i connections within the duration, spread over at least half of it", (count) => {
    const closed = times(count, LONG);
    expect(closed).toHaveLength(count);
    expect(closed.at(-1)).toBeLessThanOrEqual(120_000);
    expect(closed.at(-1)).toBeGreaterThan(GRACE + 110_000 / 2);
  });

  it("takes a second when the grace period takes all the time there is", () => {
    const closed = times(100, { gracePeriodMillis: 5_000, durationMillis: 5_000 });
    expect(closed.at(-1)).toBeGreaterThan(5_400);
    expect(closed.at(-1)).toBeLessThanOrEqual(6_001);
  });
});

describe("Broker.lameDuck()", () => {
  it("tells clients, takes no more, and closes those who stay one by one", async () => {
    const clock = new LiveClock();
    const logger = recordingLogger({ debug: false, trace: false });
    const { broker, port } = await start({ clock, logger, random: seededRandom(1) });
    const bus = broker.localBus("b");
    const heard: string[] = [];
    bus.subscribe("up", (message) => heard.push(message.subject));
    const one = await RawClient.connected(port, { protocol: 1 });
    const two = await RawClient.connected(port, { protocol: 0 });
    const three = await RawClient.connected(port, { protocol: 1 });
    let isOver = false;
    const over = broker.lameDuck({ gracePeriodMillis: 1_000, durationMillis: 30_000 }).then(() => {
      isOver = true;
    });
    const info = JSON.parse((await one.take("\r\n")).slice(5));
    expect(info).toMatchObject({ ldm: true });
    expect(info).not.toHaveProperty("connect_urls");
    await expect(RawClient.open(port)).rejects.toThrow();
    one.send("PUB up 1\r\nx\r\n");
    await one.synced();
    expect(heard).toEqual(["up"]);
    expect(await two.synced()).toBe("");
    clock.advance(1_000);
    await one.rest();
    expect([two.isClosed, three.isClosed]).toEqual([false, false]);
    clock.advance(1_000);
    await two.rest();
    three.close();
    await over;
    expect(isOver).toBe(true);
    expect(logger.lines.slice(-2)).toEqual([
      "INF Entering lame duck mode, stop accepting new clients",
      "INF Closing existing clients",
    ]);
  });

  it("is over with the grace period when nobody is there any more", async () => {
    const clock = new LiveClock();
    const { broker, port } = await start({ clock });
    const one = await RawClient.connected(port, { protocol: 1 });
    let isOver = false;
    const over = broker.lameDuck({ gracePeriodMillis: 1_000, durationMillis: 2_000 }).then(() => {
      isOver = true;
    });
    await one.take("\r\n");
    one.close();
    await until(() => broker.statistics().connections === 0);
    clock.advance(999);
    await new Promise(setImmediate);
    expect(isOver).toBe(false);
    clock.advance(1);
    await over;
    expect(isOver).toBe(true);
  });

  it("ends with the broker", async () => {
    const { broker, port } = await start({ clock: new LiveClock() });
    const one = await RawClient.connected(port, { protocol: 1 });
    const over = broker.lameDuck({ gracePeriodMillis: 1_000, durationMillis: 2_000 });
    await broker.close();
    await over;
    await one.rest();
    expect(one.isClosed).toBe(true);
  });

  it("has the rest of the cluster send nobody here", async () => {
    const clock = new LiveClock();
    const a = await startMember({}, { clock });
    const b = await startMember({ routes: [routeTo(a.routePort)] });
    running.push(a.broker, b.broker);
    const elsewhere = await RawClient.connected(b.port, { protocol: 1 });
    const here = await RawClient.connected(a.port, { protocol: 1 });
    await until(() => elsewhere.text.includes(`:${a.port}`) || elsewhere.info.includes(`:${a.port}`));
    elsewhere.text = "";
    here.text = "";
    const over = a.broker.lameDuck({ gracePeriodMillis: 60_000, durationMillis: 60_000 });
    const info = JSON.parse((await elsewhere.take("\r\n")).slice(5));
    expect(info.connect_urls).toEqual([`127.0.0.1:${b.port}`]);
    const last = JSON.parse((await here.take("\r\n")).slice(5));
    expect(last).toMatchObject({ ldm: true, connect_urls: [`127.0.0.1:${b.port}`] });
    here.close();
    await until(() => a.broker.statistics().connections === 0);
    clock.advance(60_000);
    await over;
    elsewhere.close();
  });
});
