import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { FakeClock } from "@nats-streaming/kernel/testing";
import { expect, it, onTestFinished } from "vitest";
import { deadlinesOf, SilenceError, withinDeadline } from "./socket-deadline.ts";

const limits = { read: 500, write: 200 };

/** Both ends of a connection of this machine. */
async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const near = connect(address.port, "127.0.0.1");
  const [[far]] = await Promise.all([once(server, "connection"), once(near, "connect")]);
  near.on("error", () => {});
  onTestFinished(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return [near, far];
}

it("gives what the work gives, and leaves no timer behind", async () => {
  const clock = new FakeClock();
  const [near] = await socketPair();
  expect(await withinDeadline(near, clock, limits, async () => 5)).toBe(5);
  await expect(withinDeadline(near, clock, limits, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(clock.timerCount).toBe(0);
  expect(near.destroyed).toBe(false);
});

it("ends the connection when the other side has kept silent for the time allowed", async () => {
  const clock = new FakeClock();
  const [near] = await socketPair();
  const waiting = withinDeadline(near, clock, limits, () => once(near, "data"));
  clock.advance(499);
  expect(near.destroyed).toBe(false);
  clock.advance(1);
  await expect(waiting).rejects.toThrow(new SilenceError("read", 500));
  await expect(waiting).rejects.toThrow("read: i/o timeout: the database has not answered for 500ms");
  expect(near.destroyed).toBe(true);
});

it("goes on as long as bytes keep coming", async () => {
  const clock = new FakeClock();
  const [near, far] = await socketPair();
  near.on("data", () => {});
  let finish = (): void => {};
  const work = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const waiting = withinDeadline(near, clock, limits, () => work);
  for (let i = 0; i < 5; i++) {
    const arrived = once(near, "data");
    far.write("x");
    await arrived;
    clock.advance(500);
  }
  finish();
  await waiting;
  expect(near.destroyed).toBe(false);
});

it("ends the connection when the other side does not take what is sent", async () => {
  const clock = new FakeClock();
  const [near, far] = await socketPair();
  far.pause();
  const waiting = withinDeadline(near, clock, limits, () => {
    near.write(Buffer.alloc(64 * 1024 * 1024));
    return new Promise<void>(() => {});
  });
  clock.advance(200);
  await expect(waiting).rejects.toThrow("write: i/o timeout: the database has not listened for 200ms");
});

it("has deadlines when the source names none, and longer ones for what goes through whole tables", () => {
  expect(deadlinesOf({ readTimeoutMillis: 0, writeTimeoutMillis: 0 })).toEqual({
    readMillis: 10_000,
    writeMillis: 10_000,
    slowMillis: 600_000,
  });
  expect(deadlinesOf({ readTimeoutMillis: 500, writeTimeoutMillis: 700 })).toEqual({
    readMillis: 500,
    writeMillis: 700,
    slowMillis: 500,
  });
});
