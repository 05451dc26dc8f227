import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { silentLogger } from "@nats-streaming/kernel";
import { FakeClock, seededRandom } from "@nats-streaming/kernel/testing";
import { decodeMsgProto } from "@nats-streaming/protocol/stan";
import { LOOKUP_COLD, LOOKUP_FOUND, type MessageLog } from "@nats-streaming/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limitsOf } from "../../test-support/database-under-test.ts";
import { sqlitePlace } from "../../test-support/sqlite-place.ts";
import { NO_MESSAGES } from "../messages/pack-messages.ts";
import { schemaStatements, sqlSchema } from "../schema.ts";
import { createSqlStore } from "../sql-store.ts";
import { type EnginePort, workerPort } from "./engine-port.ts";
import { createSqliteDatabase } from "./sqlite-database.ts";

const WRITER = fileURLToPath(new URL("../../test-support/crash-writer.mjs", import.meta.url));
const BUILD = fileURLToPath(new URL("../../dist/sqlite/sqlite-worker.js", import.meta.url));
const ROUNDS = 4;
const MESSAGES_KEPT = 400;

const place = sqlitePlace();
afterAll(() => place.remove());
beforeAll(() => {
  if (!existsSync(BUILD)) throw new Error("these tests run the build: tsc -b packages/store-sql");
});

/** Lets a process write until it has said so many lines, and kills it. @returns the last sequence of each channel */
async function writeAndKill(source: string, seed: number, lines: number): Promise<Map<string, number>> {
  const child = spawn(process.execPath, [WRITER, source, String(seed)], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const flushed = new Map<string, number>();
  let rest = "";
  let seen = 0;
  for await (const chunk of child.stdout) {
    rest += String(chunk);
    const complete = rest.split("\n");
    rest = complete.pop() ?? "";
    for (const line of complete) {
      const [channel = "", sequence] = line.split(" ");
      if (channel !== "ready") flushed.set(channel, Number(sequence));
      seen++;
    }
    if (seen >= lines) child.kill("SIGKILL");
  }
  const [, signal] = await ended;
  expect(signal).toBe("SIGKILL");
  return flushed;
}

async function payload(log: MessageLog, sequence: number): Promise<string | undefined> {
  const out = { bytes: new Uint8Array(0), start: 0, end: 0 };
  if (log.lookup(sequence, out) === LOOKUP_COLD) await log.load(sequence, 1000);
  if (log.lookup(sequence, out) !== LOOKUP_FOUND) return undefined;
  const decoded = decodeMsgProto(out.bytes, out.start, out.end);
  if (decoded.kind === "invalid") throw new Error(decoded.reason);
  return Buffer.from(decoded.value.data).toString();
}

describe("SQLite store in a process that is killed", () => {
  it("has every message that was flushed, as it was, and none twice or out of order", async () => {
    const random = seededRandom(11);
    const name = "killed";
    let flushed = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const lines = 20 + Math.floor(random.next() * 150);
      const latest = await writeAndKill(place.path(name), Math.floor(random.next() * 1e9), lines);
      flushed = new Map([...flushed, ...latest]);
      const store = createSqlStore({
        driver: "sqlite",
        source: "given",
        clock: new FakeClock(),
        logger: silentLogger,
        limits: limitsOf({ maxMessages: MESSAGES_KEPT }),
        openDatabase: () => place.open(name),
      });
      const state = await store.recover();
      expect(flushed.size).toBeGreaterThan(0);
      for (const [channel, last] of flushed) {
        const found = state?.channels.get(channel);
        const log = found?.messages;
        expect(log?.lastSequence).toBeGreaterThanOrEqual(last);
        if (log === undefined || found === undefined) continue;
        expect(log.count).toBe(log.lastSequence - log.firstSequence + 1);
        expect(log.count).toBeGreaterThanOrEqual(Math.min(last, MESSAGES_KEPT));
        for (let s: number = log.firstSequence; s <= log.lastSequence; s++) {
          expect(await payload(log, s)).toBe(`${channel} ${s} ${"x".repeat(s % 500)}`);
        }
        expect(found.subscriptionStates.map((one) => one.state.inbox)).toEqual([channel]);
        const pending = found.subscriptionStates[0]?.pending ?? [];
        expect(pending.every((s) => s <= log.lastSequence)).toBe(true);
      }
      await store.close();
    }
  });
});

describe("SQLite thread", () => {
  it("stores and reads in a thread of its own, and is followed by a new one when it dies", async () => {
    const ports: EnginePort[] = [];
    const database = createSqliteDatabase({
      source: place.source("thread"),
      schema: schemaStatements(sqlSchema("sqlite")),
      logger: silentLogger,
      startEngine: () => {
        const port = workerPort();
        ports.push(port);
        return port;
      },
    });
    await database.open();
    const insert = (id: string) => ({
      guard: "",
      before: [[{ name: "insertClient" as const, params: [id, "inbox", new Uint8Array(3)] }]],
      messages: NO_MESSAGES,
      after: [],
      oneByOne: false,
    });
    await database.write(insert("a"));
    const messages = {
      count: 2,
      channels: Int32Array.of(1, 1),
      sequences: Float64Array.of(1, 2),
      timestamps: BigInt64Array.of(5n, 2n ** 62n),
      starts: Uint32Array.of(0, 2, 5),
      bytes: Uint8Array.of(1, 2, 3, 4, 5),
    };
    await database.write({ ...insert("b"), messages });
    const block = await database.readMessages({ channel: 1, from: 1, to: 9, count: 9, bytes: 9 });
    expect([block.count, [...block.sequences], [...block.starts], [...block.bytes]]).toEqual([
      2,
      [1, 2],
      [0, 2, 5],
      [1, 2, 3, 4, 5],
    ]);
    const dying = expect(database.write(insert("c"))).rejects.toMatchObject({
      code: "connection_lost",
      isOutcomeUnknown: true,
    });
    await Promise.resolve();
    await ports[0]?.terminate();
    await dying;
    await database.write(insert("d"));
    const ids = (await database.query("selectClients", [])).map((row) => row[0]);
    expect(ids.filter((id) => id !== "c")).toEqual(["a", "b", "d"]);
    expect(ports).toHaveLength(2);
    await expect(database.write(insert("d"))).rejects.toMatchObject({ code: "invalid" });
    await database.close();
    await expect(database.query("selectClients", [])).rejects.toMatchObject({ code: "closed" });
  });

  it("holds back whoever writes while a transaction is open", async () => {
    const database = createSqliteDatabase({
      source: place.source("turns"),
      schema: schemaStatements(sqlSchema("sqlite")),
      logger: silentLogger,
    });
    const order: string[] = [];
    const first = database.transaction(async (session) => {
      await session.run("insertLock", ["a", 1]);
      order.push("first");
    });
    const second = database
      .transaction(async (session) => {
        order.push("second");
        await session.run("insertLock", ["b", 1]);
        throw new Error("on purpose");
      })
      .catch((error: unknown) => order.push(String(error)));
    await Promise.all([first, second]);
    expect(order).toEqual(["first", "second", "Error: on purpose"]);
    expect((await database.query("selectLock", [])).map((row) => row[0])).toEqual(["a"]);
    await database.close();
  });
});
