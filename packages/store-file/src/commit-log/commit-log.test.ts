import {
  FakeClock,
  type RecordingLogger,
  recordingLogger,
  SimulatedDisk,
  seededRandom,
} from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import type { CommitLog } from "./commit-log.ts";
import { type CommitLogOptions, openCommitLog } from "./open-commit-log.ts";
import { replayCommitLog } from "./replay.ts";

const ROOT = "/store";
const SEGMENT_BYTES = 32_768;

interface Scene {
  readonly disk: SimulatedDisk;
  readonly clock: FakeClock;
  readonly logger: RecordingLogger;
  readonly log: CommitLog;
  /** What the log said when it dropped entries. */
  readonly refusals: string[];
}

async function open(disk = newDisk(), options: Partial<CommitLogOptions> = {}): Promise<Scene> {
  const clock = new FakeClock();
  const logger = recordingLogger();
  const refusals: string[] = [];
  const { log } = await openCommitLog({
    directory: ROOT,
    fileSystem: disk,
    clock,
    logger,
    random: seededRandom(1),
    segmentBytes: SEGMENT_BYTES,
    onRefused: (error) => refusals.push(error.message),
    ...options,
  });
  return { disk, clock, logger, log, refusals };
}

function newDisk(seed = 1): SimulatedDisk {
  const disk = new SimulatedDisk({ seed });
  disk.makeDirectoryNow(ROOT);
  return disk;
}

function append(log: CommitLog, file: string, position: number, text: string, sequence = 0): number {
  const bytes = Buffer.from(text);
  log.append({ file, position, sequence }, bytes, 0, bytes.length);
  return position + bytes.length;
}

function contents(disk: SimulatedDisk): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [path, bytes] of disk.contents(ROOT)) {
    if (!path.includes("/.commit.")) files[path.slice(ROOT.length + 1)] = Buffer.from(bytes).toString();
  }
  return files;
}

/** What the log brings back after the machine has stopped; nothing had been written to the files themselves. */
async function recovered(disk: SimulatedDisk): Promise<Record<string, string>> {
  const next = disk.crash("kill");
  await replayCommitLog({ directory: ROOT, fileSystem: next, logger: recordingLogger() });
  return contents(next);
}

function segments(disk: SimulatedDisk): string[] {
  return disk.listNow(ROOT).flatMap(({ name }) => (name.startsWith(".commit.") ? [name] : []));
}

async function outcome(promise: Promise<void>): Promise<string> {
  return promise.then(
    () => "done",
    (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : String(error)),
  );
}

describe("commit()", () => {
  it("makes appends to any number of files durable with one write and one sync", async () => {
    const { disk, log } = await open();
    append(log, "warm-up", 0, "x");
    await log.commit();
    for (let i = 0; i < 100; i++) append(log, `channel-${i}/msgs.1.dat`, 0, `message of ${i}`, 1);
    const before = disk.operations;
    await log.commit();
    expect(disk.operations - before).toBe(2);
    const files = await recovered(disk);
    expect(Object.keys(files)).toHaveLength(101);
    expect(files["channel-99/msgs.1.dat"]).toBe("message of 99");
  });

  it("copies the bytes at once", async () => {
    const { disk, log } = await open();
    const bytes = Buffer.from("__mine__");
    log.append({ file: "f", position: 0, sequence: 0 }, bytes, 2, 6);
    bytes.fill(0xff);
    await log.commit();
    expect(await recovered(disk)).toEqual({ f: "mine" });
  });

  it("has nothing to write when nothing was added, and is done when what is under way is done", async () => {
    const { disk, log } = await open();
    append(log, "f", 0, "x");
    await log.commit();
    const before = disk.operations;
    await log.commit();
    expect(disk.operations).toBe(before);
    append(log, "f", 1, "y");
    const order: string[] = [];
    const first = log.commit().then(() => order.push("first"));
    const second = log.commit().then(() => order.push("second"));
    await Promise.all([first, second]);
    expect(order).toEqual(["first", "second"]);
  });

  it("shares the next sync among the calls that come while one runs", async () => {
    const { disk, log } = await open();
    let end = append(log, "f", 0, "first ");
    await log.commit();
    const before = disk.operations;
    const settled: number[] = [];
    for (let i = 0; i < 5; i++) {
      end = append(log, "f", end, `${i}`);
      void log.commit().then(() => settled.push(i));
    }
    await log.commit();
    expect(settled).toEqual([0, 1, 2, 3, 4]);
    // Five parts, since each was asked for by itself, and one sync.
    expect(disk.operations - before).toBe(5 + 1);
    expect(await recovered(disk)).toEqual({ f: "first 01234" });
  });

  it("covers what was added before it and nothing that came later, not even when that could share its sync", async () => {
    const { disk, log } = await open();
    append(log, "a", 0, "under way");
    const first = log.commit();
    append(log, "b", 0, "asked for");
    const second = log.commit();
    append(log, "b", 9, " and not");
    await first;
    await second;
    expect(await recovered(disk)).toEqual({ a: "under way", b: "asked for" });
  });

  it("takes what does not fit into one segment to as many as it needs, all or nothing", async () => {
    const large = "0123456789abcdef".repeat(8000);
    const { disk, log } = await open();
    append(log, "small", 0, "x");
    append(log, "large", 0, large);
    for (let i = 0; i < 40; i++) append(log, `f${i}`, 0, "y".repeat(3000));
    await log.commit();
    const whole = disk.crash("kill");
    const names = segments(whole);
    expect(names.length).toBeGreaterThan(4);
    const gone = whole.openNow(`${ROOT}/${names[2]}`, { mode: "write" });
    const files = await recovered(whole);
    expect([files["large"], files["f39"]]).toEqual([large, "y".repeat(3000)]);

    const again = await open(newDisk());
    append(again.log, "small", 0, "x");
    append(again.log, "large", 0, large);
    for (let i = 0; i < 40; i++) append(again.log, `f${i}`, 0, "y".repeat(3000));
    await again.log.commit();
    const torn = again.disk.crash("kill");
    const last = segments(torn).at(-1)!;
    torn.flipBit(`${ROOT}/${last}`, 5000, 0);
    expect(await recovered(torn)).toEqual({});
    gone.close();
  });

  it("tells when the disk took long", async () => {
    const clock = new FakeClock();
    const disk = new SimulatedDisk({ seed: 5, latency: { clock, millisMax: 100_000 } });
    disk.makeDirectoryNow(ROOT);
    const opening = open(disk, { clock });
    await clock.advanceAsync(1_000_000);
    const { log, logger } = await opening;
    append(log, "f", 0, "x");
    const commit = log.commit();
    await clock.advanceAsync(100_000);
    await commit;
    expect(logger.lines).toEqual([expect.stringMatching(/^WRN Commit log: the disk took \d+\.\ds for a commit$/)]);
  });
});

describe("a refused commit", () => {
  it("heals when a full disk has space again, and leaves nothing of what it refused", async () => {
    const { disk, log, refusals } = await open();
    append(log, "f", 0, "kept");
    await log.commit();
    disk.limitSpace(disk.usedBytes);
    const results: string[] = [];
    let position = 4;
    for (let i = 0; i < 12; i++) {
      append(log, "f", position, "z".repeat(10_000));
      const result = await outcome(log.commit());
      results.push(result);
      if (result === "done") position += 10_000;
    }
    expect(results.filter((result) => result === "done").length).toBeGreaterThan(0);
    expect(results.slice(-3)).toEqual(["no_space", "no_space", "no_space"]);
    expect(refusals).toHaveLength(results.filter((result) => result === "no_space").length);
    disk.limitSpace(undefined);
    append(log, "f", position, "healed");
    await log.commit();
    expect((await recovered(disk))["f"]).toBe(`kept${"z".repeat(position - 4)}healed`);
  });

  it("opens on a full disk, refuses, and heals", async () => {
    const disk = newDisk();
    disk.limitSpace(0);
    const { log } = await open(disk);
    append(log, "f", 0, "refused");
    expect(await outcome(log.commit())).toBe("no_space");
    disk.limitSpace(undefined);
    append(log, "f", 0, "taken");
    await log.commit();
    expect(await recovered(disk)).toEqual({ f: "taken" });
  });

  it("drops also what was added meanwhile, with the commits that wait, and says so before anybody else gets a turn", async () => {
    const { disk, log, refusals } = await open();
    append(log, "warm-up", 0, "x");
    await log.commit();
    disk.inject({ operation: "write", kind: "io" });
    append(log, "f", 0, "first");
    const first = outcome(log.commit());
    append(log, "f", 5, "second");
    const second = outcome(log.commit());
    append(log, "f", 11, "third");
    const order: string[] = [];
    void first.then(() => order.push(`told ${refusals.length} times`));
    expect([await first, await second]).toEqual(["io", "io"]);
    expect(order).toEqual(["told 1 times"]);
    append(log, "f", 0, "again");
    await log.commit();
    expect(await recovered(disk)).toEqual({ "warm-up": "x", f: "again" });
  });

  it("is not found by a replay even when all of it had reached the disk", async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const { disk, log } = await open(newDisk(seed));
      append(log, "f", 0, "kept");
      await log.commit();
      disk.inject({ operation: "write", kind: "io" });
      append(log, "f", 4, "refused");
      expect(await outcome(log.commit())).toBe("io");
      expect(await recovered(disk)).toEqual({ f: "kept" });
    }
  });

  it("warns when it could not be erased, and is overwritten by the next one", async () => {
    const { disk, log, logger } = await open();
    append(log, "f", 0, "kept");
    await log.commit();
    disk.inject({ operation: "write", kind: "no_space", times: 2 });
    append(log, "f", 4, "refused");
    expect(await outcome(log.commit())).toBe("no_space");
    expect(logger.lines).toEqual([
      "WRN Commit log: a refused batch could not be erased: write /store/.commit.1.log: no space left on device",
    ]);
    append(log, "f", 4, "!");
    await log.commit();
    expect(await recovered(disk)).toEqual({ f: "kept!" });
  });

  it("does not take back what is gone: files stay removed, though their removal was in the refused batch", async () => {
    const { disk, log } = await open();
    append(log, "foo/subs.dat", 0, "old");
    append(log, "bar/subs.dat", 0, "old");
    append(log, "clients.dat", 0, "old");
    await log.commit();
    disk.inject({ operation: "write", kind: "io" });
    log.removeChannel("foo");
    log.removeFile("clients.dat");
    expect(await outcome(log.commit())).toBe("io");
    // Nothing else was added, and yet there is something to commit.
    await log.commit();
    expect(await recovered(disk)).toEqual({ "bar/subs.dat": "old" });
  });

  it("refuses a batch that is too large, drops what follows it in the same turn, and goes on", async () => {
    const { disk, log, refusals } = await open(newDisk(), { gatheredBytesMax: 1000 });
    append(log, "f", 0, "kept");
    const under = log.commit();
    append(log, "f", 4, "x".repeat(2000));
    append(log, "f", 2004, "more");
    log.removeFile("gone");
    expect(await outcome(log.commit())).toBe("batch_too_large");
    expect(await outcome(under)).toBe("done");
    expect(refusals).toEqual(["commit log: more than 1000 bytes, or too many parts, wait for a commit"]);
    append(log, "f", 4, "!");
    await log.commit();
    expect(await recovered(disk)).toEqual({ f: "kept!" });
  });

  it("refuses a batch of too many parts, each of which takes memory", async () => {
    const { disk, log } = await open();
    append(log, "f", 0, "kept");
    const under = log.commit();
    const waiting: Promise<string>[] = [];
    for (let i = 0; i < 5000; i++) {
      append(log, "f", 4 + i, "x");
      waiting.push(outcome(log.commit()));
    }
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(["batch_too_large"]));
    await under;
    append(log, "f", 4, "!");
    await log.commit();
    expect(await recovered(disk)).toEqual({ f: "kept!" });
  });

  it("counts what gathers, not what was committed, against the bound", async () => {
    const { log } = await open(newDisk(), { gatheredBytesMax: 1000 });
    for (let i = 0; i < 20; i++) {
      append(log, "f", i * 400, "x".repeat(400));
      await log.commit();
    }
    append(log, "f", 8000, "x".repeat(400));
    void log.commit();
    append(log, "f", 8400, "x".repeat(400));
    expect(await outcome(log.commit())).toBe("done");
  });
});

describe("a failed sync", () => {
  it("is final: for the commit under way, those that wait, and all that follow", async () => {
    const { disk, log, refusals } = await open();
    append(log, "f", 0, "first");
    await log.commit();
    disk.inject({ operation: "sync", kind: "io" });
    append(log, "f", 5, "second");
    const under = outcome(log.commit());
    append(log, "f", 11, "third");
    const waiting = outcome(log.commit());
    const checkpoint = outcome(log.checkpointed(log.position()));
    expect([await under, await waiting, await checkpoint]).toEqual(["sync_failed", "sync_failed", "sync_failed"]);
    append(log, "f", 0, "later");
    expect(await outcome(log.commit())).toBe("sync_failed");
    expect(await outcome(log.checkpointed(log.position()))).toBe("sync_failed");
    expect(refusals).toEqual([]);
    await log.close();
  });

  it("is final when a checkpoint meets it, or the making of a segment", async () => {
    const one = await open();
    append(one.log, "f", 0, "first");
    await one.log.commit();
    one.disk.inject({ operation: "sync", kind: "io" });
    expect(await outcome(one.log.checkpointed(one.log.position()))).toBe("sync_failed");
    append(one.log, "f", 5, "x");
    expect(await outcome(one.log.commit())).toBe("sync_failed");

    const other = newDisk();
    other.inject({ operation: "sync_directory", kind: "io" });
    const { log } = await open(other);
    append(log, "f", 0, "x");
    expect(await outcome(log.commit())).toBe("sync_failed");
  });

  it("keeps a full disk from being taken for the end, and files that cannot be cut back from being taken for good", async () => {
    const { disk, log } = await open(newDisk(), {
      onRefused: () => {
        throw new Error("truncate f: input/output error");
      },
    });
    append(log, "f", 0, "x");
    await log.commit();
    disk.inject({ operation: "write", kind: "no_space" });
    append(log, "f", 1, "y");
    expect(await outcome(log.commit())).toBe("no_space");
    append(log, "f", 1, "z");
    await expect(log.commit()).rejects.toThrow(
      "commit log: files could not be cut back: truncate f: input/output error",
    );
  });
});

describe("checkpoints", () => {
  it("recycle segments: their number stays what a checkpoint's worth of commits needs", async () => {
    const { disk, log } = await open();
    let position = 0;
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 10; i++) {
        position = append(log, "f", position, "x".repeat(5000));
        await log.commit();
      }
      const file = disk.openNow(`${ROOT}/f`, { mode: "write" });
      file.writeNow(new Uint8Array(position).fill(0x78), 0, position, 0);
      await file.sync();
      file.close();
      await log.checkpointed(log.position());
      expect(log.bytesSinceCheckpoint).toBe(0);
    }
    expect(segments(disk).length).toBeLessThanOrEqual(5);
    const next = disk.crash("power");
    const report = await replayCommitLog({ directory: ROOT, fileSystem: next, logger: recordingLogger() });
    expect([report.replayed, report.present, report.discardedCount]).toEqual([0, 0, 0]);
  });

  it("count the bytes since the last one, and take none for done that were not durable when its position was taken", async () => {
    const { disk, log } = await open();
    expect(log.bytesSinceCheckpoint).toBe(0);
    append(log, "f", 0, "before");
    await log.commit();
    expect(log.bytesSinceCheckpoint).toBe(512);
    append(log, "f", 6, " under way");
    const under = log.commit();
    const position = log.position();
    append(log, "f", 16, " gathering");
    await under;
    await log.commit();
    await log.checkpointed(position);
    expect(log.bytesSinceCheckpoint).toBe(1024);
    // As if the caller had synced the file when only the first was in it.
    const file = disk.openNow(`${ROOT}/f`, { mode: "write" });
    file.writeNow(Buffer.from("before"), 0, 6, 0);
    file.close();
    expect(await recovered(disk)).toEqual({ f: "before under way gathering" });
  });

  it("come to nothing when they cannot be noted down, and may be tried again", async () => {
    const { disk, log } = await open();
    append(log, "f", 0, "x");
    await log.commit();
    disk.inject({ operation: "write", kind: "no_space" });
    expect(await outcome(log.checkpointed(log.position()))).toBe("no_space");
    expect(log.bytesSinceCheckpoint).toBe(512);
    await log.checkpointed(log.position());
    expect(log.bytesSinceCheckpoint).toBe(0);
    expect(await recovered(disk)).toEqual({});
  });

  it("refuse a position that is not there yet", async () => {
    const { log } = await open();
    const other = await open();
    append(other.log, "f", 0, "x");
    await other.log.commit();
    expect(() => log.checkpointed(other.log.position())).toThrow("a checkpoint of what is not committed");
  });
});

describe("close()", () => {
  it("waits for the commits that were asked for, drops the rest, and refuses what follows", async () => {
    const { disk, log } = await open();
    append(log, "f", 0, "one");
    const under = log.commit();
    append(log, "f", 3, "two");
    const waiting = log.commit();
    append(log, "f", 6, "three");
    const closed = Promise.all([log.close(), log.close()]);
    expect(await outcome(log.commit())).toBe("closed");
    expect(await outcome(log.checkpointed(log.position()))).toBe("closed");
    append(log, "f", 11, "four");
    await Promise.all([under, waiting, closed]);
    expect(await recovered(disk)).toEqual({ f: "onetwo" });
  });
});

describe("opening", () => {
  it("replays what an earlier log left, and never again", async () => {
    const first = await open();
    append(first.log, "f", 0, "from the first");
    await first.log.commit();
    const disk = first.disk.crash("kill");
    const options = { directory: ROOT, fileSystem: disk, logger: recordingLogger(), clock: new FakeClock() };
    const second = await openCommitLog({ ...options, random: seededRandom(2), segmentBytes: SEGMENT_BYTES });
    expect(second.report.replayed).toBe(1);
    await second.log.close();
    disk.removeNow(`${ROOT}/f`);
    const third = await openCommitLog({ ...options, random: seededRandom(3), segmentBytes: SEGMENT_BYTES });
    expect(third.report.replayed).toBe(0);
    expect(contents(disk)).toEqual({});
  });

  it("takes segments of another size, or cut short, and makes them whole", async () => {
    const first = await open();
    append(first.log, "f", 0, "x");
    await first.log.commit();
    await first.log.close();
    const file = first.disk.openNow(`${ROOT}/.commit.7.log`, { mode: "write" });
    file.writeNow(Buffer.from("stanlog"), 0, 7, 0);
    file.close();
    const { log, disk } = await open(first.disk, { segmentBytes: 2 * SEGMENT_BYTES });
    for (let i = 0; i < 10; i++) {
      append(log, "g", 20_000 * i, "y".repeat(20_000));
      await log.commit();
    }
    expect(disk.statNow(`${ROOT}/.commit.7.log`)?.size).toBe(2 * SEGMENT_BYTES);
    expect((await recovered(disk))["g"]).toBe("y".repeat(200_000));
  });

  it("refuses a format version that it does not know, and says what to do", async () => {
    const { disk, log } = await open();
    append(log, "f", 0, "x");
    await log.commit();
    await log.close();
    const file = disk.openNow(`${ROOT}/.commit.1.log`, { mode: "write" });
    file.writeNow(Uint8Array.of(9), 0, 1, 7);
    file.close();
    await expect(open(disk)).rejects.toThrow(
      "commit log: /store/.commit.1.log has format version 9, this server knows version 1. " +
        "Start the newer server that wrote it once more and stop it cleanly, then remove the file",
    );
  });

  it("looks at nothing but its own files, and makes none that a channel could be named like", async () => {
    const disk = newDisk();
    for (const name of ["server.dat", "clients.dat", ".rootdir.lck", "subs123", ".commit.log"]) {
      disk.openNow(`${ROOT}/${name}`, { mode: "write" }).close();
    }
    disk.makeDirectoryNow(`${ROOT}/.commit.3.log`);
    const { log } = await open(disk);
    append(log, "f", 0, "x");
    await log.commit();
    const made = disk.listNow(ROOT).map(({ name }) => name);
    expect(made).toContain(".commit.1.log");
    expect(made).toContain(".commit.3.log");
  });
});
