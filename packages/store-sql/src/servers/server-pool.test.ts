import { FakeClock, recordingLogger } from "@nats-streaming/kernel/testing";
import { expect, it } from "vitest";
import type { SessionPool } from "../database.ts";
import { postgresDialect } from "../postgres/postgres-dialect.ts";
import type { FailureKind, ServerConnection, ServerDriver } from "./server-driver.ts";
import { CONNECTIONS_MAX_DEFAULT, createServerPool } from "./server-pool.ts";

class FakeConnection implements ServerConnection {
  isUsable = true;
  isEnded = false;
  readonly controls: string[] = [];
  commitAnswer: "COMMIT" | "ROLLBACK" = "COMMIT";
  failure: Failure | undefined;

  async prepare(): Promise<void> {}
  async define(): Promise<void> {}
  async execute(): Promise<{ rows: []; matched: number }> {
    if (this.failure !== undefined) throw this.failure;
    return { rows: [], matched: 0 };
  }
  async control(text: "BEGIN" | "COMMIT" | "ROLLBACK"): Promise<"BEGIN" | "COMMIT" | "ROLLBACK"> {
    this.controls.push(text);
    if (this.failure !== undefined) throw this.failure;
    return text === "COMMIT" ? this.commitAnswer : text;
  }
  nextInsert(): never {
    throw new Error("not used");
  }
  async end(): Promise<void> {
    this.destroy();
  }
  destroy(): void {
    this.isUsable = false;
    this.isEnded = true;
  }
}

class Failure extends Error {
  readonly kind: FailureKind;
  constructor(kind: FailureKind) {
    super(`failed: ${kind}`);
    this.kind = kind;
  }
}

interface World {
  readonly clock: FakeClock;
  readonly pool: SessionPool;
  readonly made: FakeConnection[];
  /** What the next attempts to connect meet. */
  readonly refusals: FailureKind[];
  /** Lost sessions that the server still knows, and how often it was asked to end them. */
  readonly alive: Set<ServerConnection>;
  endings: number;
}

function world(maxOpenConns = 0): World {
  const clock = new FakeClock();
  const made: FakeConnection[] = [];
  const refusals: FailureKind[] = [];
  const alive = new Set<ServerConnection>();
  const driver: ServerDriver = {
    dialect: postgresDialect,
    patienceMillis: 1000,
    async load(): Promise<void> {},
    async connect(): Promise<ServerConnection> {
      const refusal = refusals.shift();
      if (refusal !== undefined) throw new Failure(refusal);
      const connection = new FakeConnection();
      made.push(connection);
      return connection;
    },
    inspect: async () => ({ maxMessageBytes: 1, maxNameLength: 1, hasRedeliveries: true }),
    classify: (error) => (error instanceof Failure ? error.kind : "lost"),
    async endOnServer(_connection, lost): Promise<boolean> {
      self.endings++;
      return !alive.has(lost);
    },
  };
  const pool = createServerPool({ driver, maxOpenConns, clock, logger: recordingLogger() });
  const self: World = { clock, pool, made, refusals, alive, endings: 0 };
  return self;
}

it("uses a connection again that was given back", async () => {
  const { pool, made } = world();
  for (let i = 0; i < 3; i++) (await pool.acquire()).release();
  expect(made).toHaveLength(1);
});

it("bounds connections by itself when the configuration does not", async () => {
  const { pool, made, clock } = world(0);
  const sessions = await Promise.all(Array.from({ length: CONNECTIONS_MAX_DEFAULT }, () => pool.acquire()));
  const late = pool.acquire();
  await clock.settle();
  expect(made).toHaveLength(CONNECTIONS_MAX_DEFAULT);
  sessions[0]?.release();
  expect((await late) !== undefined).toBe(true);
  expect(made).toHaveLength(CONNECTIONS_MAX_DEFAULT);
});

it("gives up waiting for a free connection at the deadline", async () => {
  const { pool, clock } = world(1);
  const session = await pool.acquire();
  const late = pool.acquire();
  const refused = expect(late).rejects.toMatchObject({
    code: "connection_lost",
    message: "all 1 connections of the database are in use",
  });
  await clock.advanceAsync(1000);
  await refused;
  session.release();
  (await pool.acquire()).release();
});

it("ends all but two idle connections after a minute", async () => {
  const { pool, made, clock } = world();
  const sessions = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()));
  for (const session of sessions) session.release();
  await clock.advanceAsync(59_999);
  expect(made.filter((one) => one.isEnded)).toHaveLength(0);
  await clock.advanceAsync(1);
  expect(made.filter((one) => one.isEnded)).toHaveLength(2);
  await pool.close();
  expect(made.every((one) => one.isEnded)).toBe(true);
  expect(clock.timerCount).toBe(0);
});

it("makes a new connection in place of one that broke, for whoever waits", async () => {
  const { pool, made } = world(1);
  const session = await pool.acquire();
  const waiting = pool.acquire();
  made[0]!.isUsable = false;
  session.release();
  (await waiting).release();
  expect(made).toHaveLength(2);
});

it("does not use an idle connection that broke", async () => {
  const { pool, made } = world();
  (await pool.acquire()).release();
  made[0]!.isUsable = false;
  (await pool.acquire()).release();
  expect(made).toHaveLength(2);
});

it("ends a connection that comes back in the middle of a transaction", async () => {
  const { pool, made } = world();
  const session = await pool.acquire();
  await session.begin();
  session.release();
  expect(made[0]?.isEnded).toBe(true);
});

it("gives out no session before the lost one is gone from the server", async () => {
  const w = world();
  const session = await w.pool.acquire();
  await session.begin();
  w.alive.add(w.made[0]!);
  session.release();
  let next: unknown;
  const acquiring = w.pool.acquire().then((one) => {
    next = one;
  });
  await w.clock.advanceAsync(100);
  expect(next).toBeUndefined();
  expect(w.endings).toBeGreaterThan(1);
  w.alive.clear();
  await w.clock.advanceAsync(20);
  await acquiring;
  const endings = w.endings;
  (await w.pool.acquire()).release();
  expect(w.endings).toBe(endings);
});

it("fails while the lost session does not end, and asks again the next time", async () => {
  const w = world();
  const session = await w.pool.acquire();
  await session.begin();
  w.alive.add(w.made[0]!);
  session.release();
  const refused = expect(w.pool.acquire()).rejects.toMatchObject({
    code: "connection_lost",
    message: "a lost session of the database does not end",
  });
  await w.clock.advanceAsync(1100);
  await refused;
  w.alive.clear();
  (await w.pool.acquire()).release();
});

it.each([
  ["lost", "connection_lost", true],
  ["retry", "connection_lost", false],
  ["invalid", "invalid", false],
  ["refused", "refused", false],
] as const)("says of a commit that failed with %s whether it may have taken place", async (kind, code, unknown) => {
  const { pool, made } = world();
  const session = await pool.acquire();
  await session.begin();
  made[0]!.failure = new Failure(kind);
  await expect(session.commit()).rejects.toMatchObject({ code, isOutcomeUnknown: unknown, message: `failed: ${kind}` });
  session.release();
  expect(made[0]?.isEnded).toBe(true);
});

it("takes a commit that the server answered with a rollback for what it is", async () => {
  const { pool, made } = world();
  const session = await pool.acquire();
  await session.begin();
  made[0]!.commitAnswer = "ROLLBACK";
  await expect(session.commit()).rejects.toMatchObject({ code: "refused", isOutcomeUnknown: false });
  session.release();
  expect(made[0]?.isEnded).toBe(false);
});

it("never says of a failed statement that it may have been committed", async () => {
  const { pool, made } = world();
  const session = await pool.acquire();
  await session.begin();
  made[0]!.failure = new Failure("lost");
  await expect(session.run("updateMaxSequence", [1, 1])).rejects.toMatchObject({
    code: "connection_lost",
    isOutcomeUnknown: false,
    message: 'sql: error executing "UPDATE Channels SET maxseq = $1 WHERE id = $2": failed: lost',
  });
});

it.each(["lost", "refused"] as const)("passes on why it cannot connect: %s", async (kind) => {
  const { pool, refusals } = world();
  refusals.push(kind);
  await expect(pool.acquire()).rejects.toMatchObject({ message: `failed: ${kind}` });
  (await pool.acquire()).release();
});

it("fails when the server has too many clients and none of them is ours", async () => {
  const { pool, refusals } = world();
  refusals.push("too_many_clients");
  await expect(pool.acquire()).rejects.toMatchObject({ code: "connection_lost" });
});
