import { BusError } from "@nats-streaming/kernel";
import {
  FakeClock,
  type RecordingLogger,
  recordingLogger,
  seededRandom,
  type TestBus,
  TestNetwork,
} from "@nats-streaming/kernel/testing";
import { CtrlMsgType, encodeCtrlMsg } from "@nats-streaming/protocol/spb";
import type { LockOutcome } from "@nats-streaming/store";
import { beforeEach, describe, expect, it } from "vitest";
import { type SharedLock, sharedLock } from "../test-support/shared-lock.ts";
import { readHeartbeat } from "./heartbeat.ts";
import { type FaultTolerance, type FaultToleranceOptions, startFaultTolerance } from "./start-fault-tolerance.ts";
import { type FaultToleranceFailure, monitoredState } from "./state.ts";

const SUBJECT = "_STAN.ft.test-cluster.ft";
const BUSY = "INF ft: unable to get store lock at this time, going back to standby";
/** Longest missed-heartbeat interval. */
const MISSED = 1_375;

let clock: FakeClock;
let network: TestNetwork;
let lock: SharedLock;
let started = 0;
beforeEach(() => {
  clock = new FakeClock();
  network = new TestNetwork(clock);
  lock = sharedLock();
  started = 0;
});

interface Server {
  readonly id: string;
  readonly bus: TestBus;
  readonly logger: RecordingLogger;
  readonly member: FaultTolerance;
  readonly failures: FaultToleranceFailure[];
  signal: AbortSignal | undefined;
  /** Ends the membership, then closes the store, as an orderly shutdown does. */
  close(): void;
  /** Ends without a word, as a killed process does. */
  kill(): Promise<void>;
}

function launch(options: Partial<FaultToleranceOptions> = {}): Server {
  started++;
  const id = `server${started}`.padEnd(22, "x");
  const bus = network.connect();
  const logger = recordingLogger();
  const failures: FaultToleranceFailure[] = [];
  const server: { signal: AbortSignal | undefined } = { signal: undefined };
  const fail = (failure: FaultToleranceFailure): void => {
    failures.push(failure);
    lock.release(id);
  };
  const member = startFaultTolerance({
    clusterId: "test-cluster",
    group: "ft",
    serverId: id,
    bus,
    clock,
    random: seededRandom(started),
    logger,
    acquireLock: () => lock.acquire(id),
    async onActive(signal): Promise<void> {
      server.signal = signal;
      logger.info("Streaming Server is ready");
    },
    onActivationFailed: fail,
    onAbort: fail,
    ...options,
  });
  const close = (): void => {
    member.close();
    lock.release(id);
  };
  return Object.assign(server, {
    id,
    bus,
    logger,
    member,
    failures,
    close,
    async kill(): Promise<void> {
      await bus.close();
      close();
    },
  });
}

/** Launches a member and gives it the time to become active, if it can. */
async function start(options: Partial<FaultToleranceOptions> = {}): Promise<Server> {
  const server = launch(options);
  await clock.advanceAsync(MISSED);
  return server;
}

/** Who sends heartbeats, one entry each. */
function watch(): string[] {
  const seen: string[] = [];
  network.connect().subscribe(SUBJECT, (message) => {
    const heard = readHeartbeat(message.bytes.slice(message.start, message.end));
    seen.push(heard.kind === "nothing" ? "nothing" : heard.serverId);
  });
  return seen;
}

const stateOf = (server: Server): string => monitoredState(server.member.state);

describe("a group", () => {
  it("FT-02 has one active; when it stops the other becomes active", async () => {
    const first = await start();
    const second = await start();
    expect([first, second].map(stateOf)).toEqual(["FT_ACTIVE", "FT_STANDBY"]);
    await clock.advanceAsync(60_000);
    expect([first, second].map(stateOf)).toEqual(["FT_ACTIVE", "FT_STANDBY"]);
    expect(lock.attempts).toEqual([first.id]);

    first.close();
    await clock.advanceAsync(MISSED);
    expect([first, second].map(stateOf)).toEqual(["SHUTDOWN", "FT_ACTIVE"]);
  });

  it("has one active of any number that start together", async () => {
    const all = Array.from({ length: 5 }, () => launch());
    await clock.advanceAsync(10_000);
    expect(all.map(stateOf).sort()).toEqual(["FT_ACTIVE", ...Array.from({ length: 4 }, () => "FT_STANDBY")]);
  });

  it("logs the lines of a normal life", async () => {
    const first = await start();
    await clock.advanceAsync(1_000);
    expect(first.logger.lines).toEqual([
      "INF Starting in standby mode",
      "INF Server is active",
      "INF Streaming Server is ready",
    ]);
  });

  it("FT-14 is ready on the active only, and on the standby once it takes over", async () => {
    const first = await start();
    const second = await start();
    const ready = (server: Server): boolean => server.logger.lines.includes("INF Streaming Server is ready");
    expect([first, second].map(ready)).toEqual([true, false]);
    await first.kill();
    await clock.advanceAsync(MISSED);
    expect(ready(second)).toBe(true);
  });

  it("FT-13 tells monitoring which member is active", async () => {
    const first = launch();
    expect(stateOf(first)).toBe("FT_STANDBY");
    await clock.advanceAsync(MISSED);
    expect(stateOf(first)).toBe("FT_ACTIVE");
    expect(first.member.state).toMatchObject({ kind: "active", phase: "serving" });
  });

  it("FT-15 keeps its standbys quiet while the active checks its partition and recovers, however long it takes", async () => {
    const over: (() => void)[] = [];
    const first = await start({ onActive: () => new Promise<void>((resolve) => over.push(resolve)) });
    const second = await start();
    await clock.advanceAsync(600_000);
    expect(first.member.state).toMatchObject({ kind: "active", phase: "activating" });
    expect(lock.attempts).toEqual([first.id]);
    over[0]?.();
    await clock.settle();
    expect(first.member.state).toMatchObject({ kind: "active", phase: "serving" });

    first.close();
    await clock.advanceAsync(MISSED);
    expect(stateOf(second)).toBe("FT_ACTIVE");
  });

  it("does not mind another group of the same cluster, nor the same group of another one", async () => {
    await start();
    const other = sharedLock();
    const acquireLock = (): Promise<LockOutcome> => other.acquire("other");
    const second = await start({ group: "ft2", acquireLock });
    expect(stateOf(second)).toBe("FT_ACTIVE");
    other.release("other");
    const third = await start({ clusterId: "other-cluster", acquireLock });
    expect(stateOf(third)).toBe("FT_ACTIVE");
  });

  it("meets under a name that is not ASCII as UTF-8 bytes", async () => {
    const subjects: string[] = [];
    network.connect().subscribe("_STAN.ft.>", (message) => subjects.push(message.subject));
    await start({ group: "größe" });
    expect(subjects[0]).toBe(`_STAN.ft.test-cluster.${Buffer.from("größe").toString("latin1")}`);
  });
});

describe("a standby", () => {
  it("FT-03 stays standby while it cannot get the lock, and is stopped at once", async () => {
    lock.holder = "somebody";
    const server = await start();
    await clock.advanceAsync(10_000);
    expect(stateOf(server)).toBe("FT_STANDBY");
    server.close();
    expect(stateOf(server)).toBe("SHUTDOWN");
    expect(server.failures).toEqual([]);
    expect(clock.timerCount).toBe(0);
  });

  it("FT-07 is stopped right after its start", async () => {
    const server = launch();
    server.close();
    expect(server.member.state).toEqual({ kind: "stopped" });
    expect(clock.timerCount).toBe(0);
    await clock.advanceAsync(60_000);
    expect(lock.attempts).toEqual([]);
    expect(server.logger.lines).toEqual(["INF Starting in standby mode"]);
  });

  it("FT-07 is stopped at once during a lock attempt that does not end, and does not become active afterwards", async () => {
    const attempts: ((outcome: LockOutcome) => void)[] = [];
    const server = await start({ acquireLock: () => new Promise((resolve) => attempts.push(resolve)) });
    await clock.advanceAsync(60_000);
    expect(attempts).toHaveLength(1);
    expect(server.member.state).toEqual({ kind: "trying" });
    server.close();
    expect(server.member.state).toEqual({ kind: "stopped" });
    expect(clock.timerCount).toBe(0);
    attempts[0]?.({ kind: "acquired" });
    await clock.settle();
    expect(server.member.state).toEqual({ kind: "stopped" });
    expect(server.logger.lines).toEqual(["INF Starting in standby mode"]);
  });

  it("FT-08 stays standby when its lock attempt throws or rejects, and logs the error", async () => {
    const server = await start({
      acquireLock: () => {
        throw new Error("synchronous");
      },
    });
    const other = await start({ acquireLock: () => Promise.reject(new Error("permission denied")) });
    expect([server, other].map(stateOf)).toEqual(["FT_STANDBY", "FT_STANDBY"]);
    const line = "ERR ft: error attempting to get the store lock: ft: fatal error getting the store lock: ";
    expect(server.logger.lines).toContain(`${line}synchronous`);
    expect(other.logger.lines).toContain(`${line}permission denied`);
  });

  it("FT-08 becomes active once the database is back", async () => {
    let isBack = false;
    const acquireLock = async (): Promise<LockOutcome> => {
      if (!isBack) throw new Error("connection refused");
      return { kind: "acquired" };
    };
    const server = await start({ acquireLock });
    await clock.advanceAsync(20_000);
    expect(stateOf(server)).toBe("FT_STANDBY");
    isBack = true;
    await clock.advanceAsync(MISSED);
    expect(stateOf(server)).toBe("FT_ACTIVE");
  });

  it("FT-09 stays standby when the store is locked, says so, and becomes active when it is not any more", async () => {
    lock.holder = "somebody";
    const server = await start();
    expect(server.logger.lines).toEqual([
      "INF Starting in standby mode",
      BUSY,
      "DBG ft: the store lock is held by somebody",
    ]);
    lock.holder = undefined;
    await clock.advanceAsync(MISSED);
    expect(stateOf(server)).toBe("FT_ACTIVE");
  });

  it("obeys any message on the subject", async () => {
    const stranger = network.connect();
    const server = launch();
    for (let i = 0; i < 20; i++) {
      await clock.advanceAsync(1_000);
      stranger.publish(SUBJECT, Buffer.from("anything"));
    }
    expect(lock.attempts).toEqual([]);
    await clock.advanceAsync(MISSED);
    expect(stateOf(server)).toBe("FT_ACTIVE");
  });

  it("with a lock probe takes over within the probe interval after the active was killed", async () => {
    const first = await start({ lockProbeMillis: 100 });
    const second = await start({ lockProbeMillis: 100 });
    await clock.advanceAsync(30_000);
    expect(second.logger.lines).toEqual(["INF Starting in standby mode"]);
    await first.kill();
    await clock.advanceAsync(100);
    expect(stateOf(second)).toBe("FT_ACTIVE");
  });
});

describe("a cut line", () => {
  it.each([
    ["FT-04", 0],
    ["FT-05", 1],
  ])("%s leaves the active active and the standby standby, whoever is cut off", async (_number, cutOff) => {
    const first = await start();
    const second = await start();
    const { bus } = [first, second][cutOff]!;
    bus.disconnect();
    await clock.advanceAsync(5_000);
    expect(lock.attempts.filter((id) => id === second.id).length).toBeGreaterThanOrEqual(3);
    expect(second.logger.lines).toContain(BUSY);
    expect([first, second].map(stateOf)).toEqual(["FT_ACTIVE", "FT_STANDBY"]);

    bus.reconnect();
    const before = lock.attempts.length;
    await clock.advanceAsync(60_000);
    expect([first, second].map(stateOf)).toEqual(["FT_ACTIVE", "FT_STANDBY"]);
    expect(lock.attempts.length - before).toBeLessThanOrEqual(1);
  });

  it("FT-11 interrupts the heartbeats of the active, which resume as soon as it is back", async () => {
    const seen = watch();
    const first = await start();
    await clock.advanceAsync(5_000);
    expect(seen.length).toBeGreaterThanOrEqual(5);
    first.bus.disconnect();
    seen.length = 0;
    await clock.advanceAsync(5_000);
    expect(seen).toEqual([]);
    expect(first.logger.lines.filter((line) => line.startsWith("ERR"))).toEqual([
      "ERR Unable to send FT heartbeat: bus is disconnected",
      "ERR Unable to send FT heartbeat: bus is disconnected",
      "ERR Unable to send FT heartbeat: bus is disconnected",
    ]);
    expect(stateOf(first)).toBe("FT_ACTIVE");
    first.bus.reconnect();
    expect(seen).toEqual([first.id]);
  });

  it.each([
    ["had never heard of the first", 0],
    ["had heard the first until then", 5_000],
  ])(
    "FT-10 ends with the one that was activated first, when the second one, which %s, wrongly got the lock",
    async (_what, together) => {
      const first = await start();
      const second = launch({ acquireLock: async () => ({ kind: "acquired" }) });
      await clock.advanceAsync(together);
      second.bus.disconnect();
      await clock.advanceAsync(MISSED);
      expect([first, second].map(stateOf)).toEqual(["FT_ACTIVE", "FT_ACTIVE"]);

      second.bus.reconnect();
      await clock.advanceAsync(MISSED);
      expect([first, second].map(stateOf)).toEqual(["FT_ACTIVE", "FAILED"]);
      const message = `ft: serverID "${first.id}" claims to be active, aborting`;
      expect(second.failures).toEqual([{ reason: "earlier_active", message, exitStatus: 2 }]);
      expect(second.logger.lines.at(-1)).toBe(`FTL ${message}`);
      expect(second.signal?.aborted).toBe(true);
      expect(first.logger.lines.at(-1)).toBe(`ERR ft: serverID "${second.id}" claims to be active`);
    },
  );

  it("leaves two actives of the same instant complaining to each other at most ten times a second", async () => {
    const acquireLock = async (): Promise<LockOutcome> => ({ kind: "acquired" });
    const left = launch({ acquireLock, random: seededRandom(7), lockProbeMillis: 100 });
    const right = launch({ acquireLock, random: seededRandom(7), lockProbeMillis: 100 });
    const seen = watch();
    await clock.advanceAsync(10_000);
    expect([left, right].map(stateOf)).toEqual(["FT_ACTIVE", "FT_ACTIVE"]);
    expect(seen.length).toBeGreaterThan(100);
    expect(seen.length).toBeLessThanOrEqual(202);
  });
});

describe("an active", () => {
  it("FT-06 fails when its activation fails, tells its owner once, and is silent and deaf then", async () => {
    const reason = 'cluster ID "other" does not match recovered value of "test-cluster"';
    const seen = watch();
    const first = await start({ onActive: () => Promise.reject(new Error(reason)) });
    expect(stateOf(first)).toBe("FAILED");
    expect(first.failures).toEqual([{ reason: "activation_failed", message: reason, exitStatus: 1 }]);
    expect(first.logger.lines.at(-1)).toBe(`FTL ${reason}`);
    expect(seen).toEqual([first.id]);
    expect(clock.timerCount).toBe(0);
    expect(first.bus.subscriptions.size).toBe(0);

    // The owner has let go of the lock, so the group goes on without it.
    const second = await start();
    expect(stateOf(second)).toBe("FT_ACTIVE");
    first.close();
    expect(stateOf(first)).toBe("FAILED");
  });

  it("FT-12 goes on after messages that are no heartbeats", async () => {
    const first = await start();
    const stranger = network.connect();
    const data = Buffer.from("no time");
    stranger.publish(SUBJECT, new Uint8Array());
    stranger.publish(SUBJECT, Buffer.from("no protobuf"));
    stranger.publish(SUBJECT, encodeCtrlMsg({ msgType: CtrlMsgType.ftHeartbeat, serverId: "peer", data }));
    await clock.advanceAsync(5_000);
    expect(stateOf(first)).toBe("FT_ACTIVE");
  });

  it("gives way when its store reports that the lock is lost", async () => {
    const first = await start();
    first.member.lockLost();
    expect(first.failures).toEqual([{ reason: "lock_lost", message: "lost store lock, aborting", exitStatus: 2 }]);
    expect(first.logger.lines.at(-1)).toBe("FTL lost store lock, aborting");
    first.member.lockLost();
    expect(first.failures).toHaveLength(1);
  });

  it("is told to give its activation up when it is closed, and nobody asks what becomes of it", async () => {
    const seen: { signal?: AbortSignal; fail?: (error: Error) => void } = {};
    const first = await start({
      onActive: (signal) =>
        new Promise<void>((_resolve, reject) => {
          seen.signal = signal;
          seen.fail = reject;
        }),
    });
    expect(seen.signal?.aborted).toBe(false);
    first.close();
    expect(seen.signal?.aborted).toBe(true);
    seen.fail?.(new Error("given up"));
    await clock.settle();
    expect(stateOf(first)).toBe("SHUTDOWN");
    expect(first.failures).toEqual([]);
    expect(first.logger.lines).toEqual(["INF Starting in standby mode", "INF Server is active"]);
  });

  it("can be closed within its own activation and within its own failure", async () => {
    const inside: Server[] = [];
    inside.push(
      launch({
        async onActive(): Promise<void> {
          inside[0]?.close();
        },
      }),
    );
    await clock.advanceAsync(MISSED);
    expect(inside.map(stateOf)).toEqual(["SHUTDOWN"]);
    const failing: Server[] = [];
    failing.push(
      launch({
        onActive: () => Promise.reject(new Error("corrupt")),
        onActivationFailed: () => failing[0]?.close(),
      }),
    );
    await clock.advanceAsync(MISSED);
    expect(failing.map(stateOf)).toEqual(["FAILED"]);
    expect(clock.timerCount).toBe(0);
  });

  it("sends nothing and keeps no timer once it is closed", async () => {
    const seen = watch();
    const first = await start();
    first.member[Symbol.dispose]();
    first.member.close();
    seen.length = 0;
    await clock.advanceAsync(10_000);
    expect(seen).toEqual([]);
    expect(clock.timerCount).toBe(0);
    first.bus.disconnect();
    first.bus.reconnect();
    expect(stateOf(first)).toBe("SHUTDOWN");
  });
});

describe("a start", () => {
  it("FT-01 fails when the missed-heartbeat interval is too near to the heartbeat interval", () => {
    expect(() => launch({ timing: { heartbeatMillis: 50, missedHeartbeatMillis: 52.5 } })).toThrow(
      expect.objectContaining({
        code: "bad_timing",
        message:
          "ft: the missed heartbeat interval needs to be at least 10% of the heartbeat interval (hb=50ms missed hb=52.5ms",
      }),
    );
    expect(() => launch({ lockProbeMillis: 1 })).toThrow(expect.objectContaining({ code: "bad_timing" }));
  });

  it("fails when the group's subject cannot be subscribed to", async () => {
    const bus = network.connect();
    await bus.close();
    const cause = new BusError("closed", "bus is closed");
    expect(() => launch({ bus })).toThrow(
      expect.objectContaining({
        code: "subscribe_failed",
        message: "ft: unable to subscribe on ft subject: bus is closed",
        cause,
      }),
    );
    expect(clock.timerCount).toBe(0);
  });

  it("takes intervals of its own, for tests", async () => {
    const server = launch({ timing: { heartbeatMillis: 50, missedHeartbeatMillis: 75 } });
    await clock.advanceAsync(83);
    expect(stateOf(server)).toBe("FT_ACTIVE");
  });
});
