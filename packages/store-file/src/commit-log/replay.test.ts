import { FileError } from "@nats-streaming/kernel";
import {
  FakeClock,
  type RecordingLogger,
  recordingLogger,
  SimulatedDisk,
  seededRandom,
} from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { type CommitLog, DISCARDED_LISTED_MAX, type ReplayReport } from "./commit-log.ts";
import { openCommitLog } from "./open-commit-log.ts";
import { replayCommitLog } from "./replay.ts";

const ROOT = "/store";
const SEGMENT = `${ROOT}/.commit.1.log`;
const FRAMES = 4096;

const NOTHING: ReplayReport = {
  replayed: 0,
  present: 0,
  removed: 0,
  discarded: [],
  discardedCount: 0,
  tornTail: false,
  damaged: [],
};

function newDisk(seed = 1): SimulatedDisk {
  const disk = new SimulatedDisk({ seed });
  disk.makeDirectoryNow(ROOT);
  return disk;
}

async function open(disk: SimulatedDisk, seed = 1): Promise<CommitLog> {
  const options = { directory: ROOT, fileSystem: disk, clock: new FakeClock(), logger: recordingLogger() };
  return (await openCommitLog({ ...options, random: seededRandom(seed), segmentBytes: 65_536 })).log;
}

function append(log: CommitLog, file: string, position: number, text: string, sequence = 0): void {
  const bytes = Buffer.from(text, "latin1");
  log.append({ file, position, sequence }, bytes, 0, bytes.length);
}

function put(disk: SimulatedDisk, name: string, text: string, position = 0): void {
  disk.makeDirectoryNow(`${ROOT}/${name}`.replace(/\/[^/]*$/, ""));
  const file = disk.openNow(`${ROOT}/${name}`, { mode: "write" });
  file.writeNow(Buffer.from(text, "latin1"), 0, text.length, position);
  file.close();
}

function contents(disk: SimulatedDisk): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [path, bytes] of disk.contents(ROOT)) {
    if (!path.includes("/.commit.")) files[path.slice(ROOT.length + 1)] = Buffer.from(bytes).toString("latin1");
  }
  return files;
}

function replay(disk: SimulatedDisk, logger: RecordingLogger = recordingLogger()): Promise<ReplayReport> {
  return replayCommitLog({ directory: ROOT, fileSystem: disk, logger });
}

describe("replayCommitLog()", () => {
  it("has nothing to do where no log is, not even a directory", async () => {
    expect(await replay(newDisk())).toEqual(NOTHING);
    expect(await replay(new SimulatedDisk({ seed: 1 }))).toEqual(NOTHING);
  });

  it("makes files and directories that are gone, completes what is cut, and leaves what is there", async () => {
    const disk = newDisk();
    const log = await open(disk);
    append(log, "foo/subs.dat", 0, "\x01\0\0\0");
    append(log, "foo/subs.dat", 4, "record", 7);
    append(log, "bar/msgs.1.dat", 0, "headmessage", 1);
    append(log, "clients.dat", 0, "client");
    append(log, "clients.dat", 6, "more");
    await log.commit();
    const next = disk.crash("kill");
    put(next, "bar/msgs.1.dat", "headmes");
    put(next, "clients.dat", "client");
    const logger = recordingLogger();
    expect(await replay(next, logger)).toEqual({ ...NOTHING, replayed: 4, present: 1 });
    expect(contents(next)).toEqual({
      "foo/subs.dat": "\x01\0\0\0record",
      "bar/msgs.1.dat": "headmessage",
      "clients.dat": "clientmore",
    });
    expect(logger.lines).toEqual(["INF Commit log: 4 entries written to their files, 1 were there"]);
    expect(await replay(next)).toEqual(NOTHING);
  });

  it("fills holes that a crash left in front of what it wrote, and keeps what stands behind", async () => {
    const disk = newDisk();
    const log = await open(disk);
    append(log, "f", 0, "first");
    append(log, "f", 5, "second");
    await log.commit();
    const next = disk.crash("kill");
    put(next, "f", "fi\0\0\0\0\0cond, not committed");
    expect(await replay(next)).toEqual({ ...NOTHING, replayed: 2 });
    expect(contents(next)).toEqual({ f: "firstsecond, not committed" });
  });

  it("discards entries whose place another server has taken, with all that follow in that file, and says so", async () => {
    const disk = newDisk();
    const log = await open(disk);
    for (let i = 0; i < 5; i++) append(log, "foo/msgs.1.dat", 10 * i, `message ${i}:`, i + 1);
    append(log, "foo/subs.dat", 0, "record");
    await log.commit();
    const next = disk.crash("kill");
    // It lost the last three, and another server has gone on in their place.
    put(next, "foo/msgs.1.dat", "message 0:message 1:MESSAGE 2:");
    const logger = recordingLogger();
    const discarded = [2, 3, 4].map((i) => ({ file: "foo/msgs.1.dat", position: 10 * i, sequence: i + 1 }));
    expect(await replay(next, logger)).toEqual({ ...NOTHING, replayed: 1, present: 2, discarded, discardedCount: 3 });
    expect(contents(next)).toEqual({ "foo/msgs.1.dat": "message 0:message 1:MESSAGE 2:", "foo/subs.dat": "record" });
    expect(logger.lines).toEqual([
      "INF Commit log: 1 entries written to their files, 2 were there",
      "WRN Commit log: 3 entries discarded, as other bytes stand at their places",
      'WRN Commit log: "foo/msgs.1.dat": 3, the first at 20 (sequence 3)',
    ]);
  });

  it("discards entries behind a file's end: what is missing before them is nowhere", async () => {
    const disk = newDisk();
    const log = await open(disk);
    append(log, "gone/msgs.1.dat", 100, "x", 5);
    append(log, "short", 100, "y", 6);
    append(log, "short", 3, "z", 7);
    await log.commit();
    const next = disk.crash("kill");
    put(next, "short", "abc");
    const report = await replay(next);
    expect([report.replayed, report.discardedCount]).toEqual([0, 3]);
    expect(contents(next)).toEqual({ short: "abc" });
  });

  it("lists so many discarded entries and counts all", async () => {
    const disk = newDisk();
    const log = await open(disk);
    for (let i = 0; i < DISCARDED_LISTED_MAX + 5; i++) append(log, `gone${i % 30}`, 1 + i, "x");
    await log.commit();
    const next = disk.crash("kill");
    const logger = recordingLogger();
    const report = await replay(next, logger);
    expect([report.discarded.length, report.discardedCount]).toEqual([DISCARDED_LISTED_MAX, DISCARDED_LISTED_MAX + 5]);
    expect(logger.lines).toHaveLength(22);
  });

  it("does not bring back what was removed or replaced, nor touch what came in its place", async () => {
    const disk = newDisk();
    const log = await open(disk);
    append(log, "foo/msgs.1.dat", 0, "old message");
    append(log, "foo/subs.dat", 0, "old record");
    append(log, "foobar/subs.dat", 0, "another channel");
    append(log, "slices/msgs.1.dat", 0, "old slice");
    append(log, "slices/msgs.2.dat", 0, "new slice");
    append(log, "clients.dat", 0, "old clients, and many of them");
    log.removeChannel("foo");
    log.removeFile("slices/msgs.1.dat");
    put(disk, "clients.dat9", "compact");
    disk.renameNow(`${ROOT}/clients.dat9`, `${ROOT}/clients.dat`);
    log.replaceFile("clients.dat", "clients.dat9");
    append(log, "foo/subs.dat", 0, "new record");
    append(log, "clients.dat", 7, "+1");
    await log.commit();
    const next = disk.crash("kill");
    expect(await replay(next)).toEqual({ ...NOTHING, replayed: 4, removed: 4 });
    expect(contents(next)).toEqual({
      "foo/subs.dat": "new record",
      "foobar/subs.dat": "another channel",
      "slices/msgs.2.dat": "new slice",
      "clients.dat": "compact+1",
    });
  });

  it("renames again what a crash has given its former name, but not what was removed after that", async () => {
    const disk = newDisk();
    const log = await open(disk);
    append(log, "foo/subs.dat", 0, "old");
    log.replaceFile("foo/subs.dat", "subs1");
    append(log, "foo/subs.dat", 7, "+1");
    log.replaceFile("bar/subs.dat", "subs2");
    log.removeChannel("bar");
    await log.commit();
    const next = disk.crash("kill");
    put(next, "foo/subs.dat", "old");
    put(next, "subs1", "compact");
    put(next, "subs2", "not wanted");
    expect(await replay(next)).toEqual({ ...NOTHING, replayed: 1, removed: 1 });
    expect(contents(next)).toEqual({ "foo/subs.dat": "compact+1", subs2: "not wanted" });
  });

  it("takes bytes that a refused batch left for nobody's", async () => {
    const disk = newDisk();
    const log = await open(disk);
    append(log, "f", 0, "start ");
    await log.commit();
    disk.inject({ operation: "write", kind: "no_space" });
    append(log, "f", 6, "refused bytes");
    await log.commit().catch((error: unknown) => expect(error).toBeInstanceOf(FileError));
    append(log, "f", 6, "taken instead");
    await log.commit();
    const next = disk.crash("kill");
    // The file was cut back, but a power loss has undone that.
    put(next, "f", "start refused bytes");
    expect(await replay(next)).toEqual({ ...NOTHING, replayed: 1, present: 1 });
    expect(contents(next)).toEqual({ f: "start taken instead" });
  });

  it("syncs what it finds and what it writes, with the names, before the log is done with", async () => {
    for (let seed = 1; seed <= 100; seed++) {
      const disk = newDisk(seed);
      await disk.syncDirectory("/");
      const log = await open(disk, seed);
      put(disk, "foo/present", "present");
      append(log, "foo/present", 0, "present");
      append(log, "foo/missing", 0, "missing");
      await log.commit();
      const next = disk.crash("kill");
      expect(await replay(next)).toEqual({ ...NOTHING, replayed: 1, present: 1 });
      const after = next.crash("power");
      expect(await replay(after)).toEqual(NOTHING);
      expect(contents(after)).toEqual({ "foo/present": "present", "foo/missing": "missing" });
    }
  });

  it("fails on a full disk, leaves the log as it is, and succeeds when there is space", async () => {
    const disk = newDisk();
    const log = await open(disk);
    append(log, "f", 0, "x".repeat(10_000));
    await log.commit();
    const next = disk.crash("kill");
    next.limitSpace(next.usedBytes);
    await expect(replay(next)).rejects.toMatchObject({ code: "no_space" });
    next.limitSpace(undefined);
    expect((await replay(next)).replayed).toBe(1);
  });

  it("ends with an error when a sync fails", async () => {
    for (const operation of ["sync", "sync_directory"] as const) {
      const disk = newDisk();
      const log = await open(disk);
      append(log, "f", 0, "x");
      await log.commit();
      const next = disk.crash("kill");
      next.inject({ operation, kind: "io" });
      await expect(replay(next)).rejects.toMatchObject({ code: "sync_failed" });
    }
  });
});

describe("a damaged log", () => {
  /** Three batches, of which each is one frame of one sector. */
  async function threeBatches(seed = 1): Promise<SimulatedDisk> {
    const disk = newDisk(seed);
    const log = await open(disk);
    append(log, "a", 0, "first");
    await log.commit();
    append(log, "b", 0, "second");
    await log.commit();
    append(log, "c", 0, "third");
    await log.commit();
    return disk.crash("kill");
  }

  it("that ends in a torn entry is whole up to there, wherever it is torn", async () => {
    for (let at = 0; at < 28 + 12; at++) {
      const disk = await threeBatches();
      const file = disk.openNow(SEGMENT, { mode: "write" });
      file.writeNow(new Uint8Array(100), 0, 100 - at, FRAMES + 2 * 512 + at);
      file.close();
      const report = await replay(disk);
      expect(contents(disk)).toEqual({ a: "first", b: "second" });
      expect(report).toMatchObject({ replayed: 2, damaged: [] });
      // Known for a torn entry as soon as salt and address are there, of which the last six bytes are zero anyway.
      expect(report.tornTail).toBe(at >= 18);
    }
  });

  it("with a batch that cannot be read keeps the later ones, says so, and puts the segment aside", async () => {
    for (let bit = 0; bit < 8 * 40; bit += 7) {
      const disk = await threeBatches();
      disk.flipBit(SEGMENT, FRAMES + 512 + Math.floor(bit / 8), bit % 8);
      const logger = recordingLogger();
      const report = await replay(disk, logger);
      const kept = `${ROOT}/.commit.damaged.1`;
      expect(report).toMatchObject({ replayed: 2, damaged: [{ file: kept, offset: FRAMES + 512 }], tornTail: false });
      expect(contents(disk)).toEqual({ a: "first", c: "third" });
      expect(disk.statNow(kept)?.size).toBe(65_536);
      expect(logger.lines).toContain(
        `ERR Commit log: committed entries cannot be read; segment kept as ${kept} (damaged at ${FRAMES + 512})`,
      );
      expect(await replay(disk)).toEqual(NOTHING);
    }
  });

  it("whose damage took the meaning of a name does not guess it", async () => {
    const disk = newDisk();
    const log = await open(disk);
    append(log, "a", 0, "first");
    await log.commit();
    append(log, "b", 0, "second");
    await log.commit();
    append(log, "b", 6, "third", 3);
    append(log, "a", 5, "more");
    await log.commit();
    const next = disk.crash("kill");
    next.flipBit(SEGMENT, FRAMES + 512 + 30, 0);
    const logger = recordingLogger();
    expect(await replay(next, logger)).toMatchObject({ replayed: 1, discardedCount: 2 });
    expect(contents(next)).toEqual({ a: "first" });
    expect(logger.lines.at(-1)).toMatch(/^WRN Commit log: files unknown, after damage in the log: 2/);
  });

  it("never takes for an entry what a client wrote to look like one", async () => {
    const disk = newDisk();
    const log = await open(disk);
    append(log, "a", 0, "first");
    await log.commit();
    const bytes = disk.contents().get(SEGMENT)!;
    // A whole frame, put so that it stands where a frame may stand, with the file of another channel in it.
    const frame = Buffer.from(bytes.subarray(FRAMES, FRAMES + 512))
      .toString("latin1")
      .replace("first", "evil!");
    for (let pad = 0; pad < 512; pad++) append(log, "a", 5 + pad * 600, "-".repeat(pad) + frame);
    await log.commit();
    const next = disk.crash("kill");
    // What would come after it is missing, so that all of it is looked at.
    next.flipBit(SEGMENT, FRAMES + 512 + 28, 3);
    expect((await replay(next)).replayed).toBe(1);
    expect(contents(next)).toEqual({ a: "first" });
  });

  it("that a former use left in a recycled segment is not looked at", async () => {
    const disk = newDisk();
    const log = await open(disk);
    for (let i = 0; i < 40; i++) {
      append(log, "f", i * 6000, "x".repeat(6000));
      await log.commit();
      put(disk, "f", "x".repeat(6000), i * 6000);
      if (i % 10 === 9) {
        const file = disk.openNow(`${ROOT}/f`, { mode: "write" });
        await file.sync();
        file.close();
        await log.checkpointed(log.position());
      }
    }
    append(log, "g", 0, "last");
    await log.commit();
    const next = disk.crash("kill");
    next.removeNow(`${ROOT}/f`);
    expect(await replay(next)).toEqual({ ...NOTHING, replayed: 1 });
    expect(contents(next)).toEqual({ g: "last" });
  });
});
