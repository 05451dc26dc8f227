import { FileError, type FileSystem } from "@nats-streaming/kernel";
import { SimulatedDisk, seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { createFilePool, defaultFilesLimit, type FilePool } from "./file-pool.ts";
import { wholeReads } from "./whole-reads.ts";

const diskWith = (...names: string[]): SimulatedDisk => {
  const disk = new SimulatedDisk({ seed: 1 });
  for (const name of names) disk.openNow(name, { mode: "create" }).close();
  return disk;
};

const poolOf = (fileSystem: FileSystem, limit: number): FilePool => createFilePool(fileSystem, limit, seededRandom(1));

describe("file pool", () => {
  it("FS-G1 opens what is read only if it exists, and leaves no trace of what does not", () => {
    const disk = diskWith();
    const pool = poolOf(disk, 0);
    const file = pool.file("/missing");
    expect(() => file.forReading()).toThrow("open /missing: no such file or directory");
    expect([file.isOpen, pool.openCount, disk.statNow("/missing")]).toEqual([false, 0, undefined]);
    file.forWriting();
    expect([file.isOpen, pool.openCount, disk.statNow("/missing")?.size]).toEqual([true, 1, 0]);
  });

  it("FS-G1 closes others above the limit, never one that is held, nor those that were used last", () => {
    const names = Array.from({ length: 40 }, (_, i) => `/${i}`);
    const pool = poolOf(diskWith(...names), 6);
    const files = names.map((name) => pool.file(name));
    const held = files.slice(0, 3);
    const releases = held.map((file) => {
      file.forReading();
      return file.hold();
    });
    for (const [i, file] of files.entries()) {
      file.forReading();
      expect(files.slice(Math.max(0, i - 3), i + 1).every(({ isOpen }) => isOpen)).toBe(true);
      expect(held.every(({ isOpen }) => isOpen)).toBe(true);
      // More may be in use than the limit allows.
      expect(pool.openCount).toBeLessThanOrEqual(held.length + 5);
    }
    for (const release of releases) release();
    files[7]!.forReading();
    files[8]!.forReading();
    expect(pool.openCount).toBe(6);
  });

  it("finds most files open when it goes round more of them than the limit allows", () => {
    const names = Array.from({ length: 200 }, (_, i) => `/${i}`);
    const pool = poolOf(diskWith(...names), 150);
    const files = names.map((name) => pool.file(name));
    let found = 0;
    for (let round = 0; round < 20; round++) {
      for (const file of files) {
        if (file.isOpen) found++;
        file.forReading();
        expect(pool.openCount).toBeLessThanOrEqual(150);
      }
    }
    expect(found).toBeGreaterThan(20 * 100);
  });

  it("opens again what it has closed, and closes all of it in the end", () => {
    const names = Array.from({ length: 50 }, (_, i) => `/${i}`);
    const disk = diskWith(...names);
    const pool = poolOf(disk, 7);
    const files = names.map((name) => pool.file(name));
    const random = seededRandom(5);
    for (let use = 0; use < 1_000; use++) {
      const file = files[Math.floor(random.next() * files.length)]!;
      if (random.next() < 0.1) file.close();
      else file.forWriting().writeNow(Uint8Array.of(use), 0, 1, 0);
      expect(pool.openCount).toBe(files.filter(({ isOpen }) => isOpen).length);
    }
    pool.close();
    expect([pool.openCount, files.some(({ isOpen }) => isOpen)]).toEqual([0, false]);
  });

  it("FS-G1 keeps a held file readable after it was closed or removed, until it is let go of", () => {
    const disk = diskWith("/a");
    const pool = poolOf(disk, 0);
    const file = pool.file("/a");
    const open = file.forWriting();
    open.writeNow(Uint8Array.of(1, 2, 3), 0, 3, 0);
    const release = file.hold();
    file.remove();
    expect([file.isOpen, disk.statNow("/a")]).toEqual([false, undefined]);
    expect(open.readNow(new Uint8Array(3), 0, 3, 0)).toBe(3);
    release();
    release();
    expect(() => file.forReading()).toThrow('unable to open file "/a", it has been removed');
    file.remove();
  });

  it("FS-G1 refuses to open files once it is closed", () => {
    const pool = poolOf(diskWith("/a"), 0);
    const file = pool.file("/a");
    file.forReading();
    pool.close();
    expect([file.isOpen, pool.openCount]).toEqual([false, 0]);
    expect(() => file.forReading()).toThrow('unable to open file "/a", store is being closed');
  });

  it("opens a file for writing beside a reader that holds it", () => {
    const pool = poolOf(diskWith("/a"), 0);
    const file = pool.file("/a");
    const reader = file.forReading();
    const release = file.hold();
    file.forWriting().writeNow(Uint8Array.of(7), 0, 1, 0);
    expect(reader.readNow(new Uint8Array(1), 0, 1, 0)).toBe(1);
    release();
    expect(pool.openCount).toBe(1);
  });

  it("closes a quarter of its files when the system has no descriptor left, and keeps no more open", () => {
    const names = Array.from({ length: 16 }, (_, i) => `/${i}`);
    const disk = diskWith(...names, "/more");
    const fileSystem = wholeReads(disk, () => pool.makeRoom());
    const pool = poolOf(fileSystem, 0);
    for (const path of names) pool.file(path).forReading();
    disk.inject({ operation: "open", kind: "too_many_open" });
    pool.file("/more").forReading();
    expect(pool.openCount).toBe(13);
    for (const path of names) pool.file(path).forReading();
    expect(pool.openCount).toBe(12);
    // Somebody else is short of one.
    disk.inject({ operation: "open", kind: "too_many_open" });
    fileSystem.openNow("/other", { mode: "write" });
    expect(pool.openCount).toBe(9);
    disk.inject({ operation: "open", kind: "too_many_open", times: 2 });
    expect(() => pool.file("/1").forReading()).toThrow(FileError);
  });

  it("FS-MS5 closes files that were only read once they were not used for a while", () => {
    const pool = poolOf(diskWith("/a", "/b"), 0);
    const [read, written] = [pool.file("/a"), pool.file("/b")];
    read.forReading();
    written.forWriting();
    pool.closeIdle();
    expect(read.isOpen).toBe(true);
    read.forReading();
    pool.closeIdle();
    expect(read.isOpen).toBe(true);
    pool.closeIdle();
    expect([read.isOpen, written.isOpen]).toEqual([false, true]);
  });

  it("hands out what has to be synced once, with the directories whose names have changed", async () => {
    const disk = diskWith("/d");
    disk.removeNow("/d");
    disk.makeDirectoryNow("/d");
    const pool = poolOf(disk, 0);
    const file = pool.file("/d/a");
    file.forWriting();
    file.markMade();
    file.markUnsynced();
    expect(pool.unsyncedCount).toBe(2);
    const unsynced = pool.takeUnsynced();
    expect(unsynced.map(({ path }) => path)).toEqual(["/d/a", "/d"]);
    expect(pool.takeUnsynced()).toEqual([]);
    for (const one of unsynced) await one.sync();
    expect(disk.crash("power").statNow("/d")?.isDirectory).toBe(undefined);
  });

  it("forgets the files of a directory that was removed", async () => {
    const disk = diskWith();
    disk.makeDirectoryNow("/d");
    const pool = poolOf(disk, 0);
    const file = pool.file("/d/a");
    file.forWriting();
    file.markUnsynced();
    disk.removeDirectoryNow("/d");
    pool.forgetBelow("/d");
    expect([file.isOpen, pool.unsyncedCount]).toEqual([false, 0]);
    await file.sync();
    expect(disk.statNow("/d/a")).toBeUndefined();
  });

  it("leaves others a quarter of the descriptors where nobody has said how many it may take", () => {
    expect([1, 1024, undefined].map(defaultFilesLimit)).toEqual([1, 768, 0]);
  });
});
