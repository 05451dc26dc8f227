import type { OpenFile } from "@nats-streaming/kernel";
import { SimulatedDisk } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { wholeReads } from "./whole-reads.ts";

function diskWith(bytes: readonly number[]): SimulatedDisk {
  const disk = new SimulatedDisk({ seed: 3 });
  const file = disk.openNow("/f", { mode: "create" });
  file.writeNow(Uint8Array.from(bytes), 0, bytes.length, 0);
  file.close();
  return disk;
}

const BYTES = Array.from({ length: 100 }, (_, i) => i);

/** A disk whose one file has bytes that cannot be read. */
class StuckDisk extends SimulatedDisk {
  override openNow(path: string): OpenFile {
    return {
      path,
      readNow: () => 0,
      read: async () => 0,
      sizeNow: () => 100,
      writeNow: () => {},
      write: async () => {},
      sync: async () => {},
      syncRangeNow: () => {},
      truncateNow: () => {},
      close: () => {},
    };
  }
}

describe("whole reads", () => {
  it("read on where a read comes short before the end of the file", async () => {
    const disk = diskWith(BYTES);
    const file = wholeReads(disk, () => {}).openNow("/f", { mode: "read" });
    for (let round = 0; round < 50; round++) {
      disk.inject({ operation: "read", kind: "short_read", times: 3 });
      const now = new Uint8Array(100);
      expect(file.readNow(now, 0, 100, 0)).toBe(100);
      disk.inject({ operation: "read", kind: "short_read", times: 3 });
      const later = new Uint8Array(100);
      expect(await file.read(later, 10, 90, 10)).toBe(90);
      expect([[...now], [...later.subarray(10)]]).toEqual([BYTES, BYTES.slice(10)]);
    }
  });

  it("end where the file ends", async () => {
    const file = wholeReads(diskWith(BYTES), () => {}).openNow("/f", { mode: "read" });
    expect([file.readNow(new Uint8Array(50), 0, 50, 80), await file.read(new Uint8Array(5), 0, 5, 100)]).toEqual([
      20, 0,
    ]);
  });

  it("are an error when the file goes on and nothing more of it comes", async () => {
    const file = wholeReads(new StuckDisk({ seed: 1 }), () => {}).openNow("/f", { mode: "read" });
    const text = "read /f: input/output error: the file goes on, and no more of it can be read";
    expect(() => file.readNow(new Uint8Array(1), 0, 1, 0)).toThrow(text);
    await expect(file.read(new Uint8Array(1), 0, 1, 0)).rejects.toThrow(text);
  });

  it("close files for whoever needs a descriptor: to open, list, remove or sync a directory", async () => {
    const disk = diskWith(BYTES);
    disk.makeDirectoryNow("/d");
    let rooms = 0;
    const files = wholeReads(disk, () => {
      rooms++;
    });
    const calls: Record<string, () => unknown> = {
      open: () => files.openNow("/f", { mode: "read" }).close(),
      list: () => files.listNow("/"),
      sync_directory: () => files.syncDirectory("/"),
      remove: () => files.removeDirectoryNow("/d"),
    };
    for (const operation of ["open", "list", "sync_directory", "remove"] as const) {
      disk.inject({ operation, kind: "too_many_open" });
      await calls[operation]?.();
    }
    expect(rooms).toBe(4);
    expect(disk.statNow("/d")).toBeUndefined();
    // When that does not help, it is told; and a sync that failed is not tried again.
    disk.inject({ operation: "sync_directory", kind: "too_many_open", times: 2 });
    await expect(files.syncDirectory("/")).rejects.toThrow("sync /: too many open files");
    disk.inject({ operation: "sync_directory", kind: "io" });
    await expect(files.syncDirectory("/")).rejects.toThrow("sync /: input/output error");
    expect(rooms).toBe(5);
  });
});
