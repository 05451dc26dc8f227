import { describe, expect, it } from "vitest";
import { FileError, type OpenFile } from "../file-system.ts";
import { FakeClock } from "./fake-clock.ts";
import { seededRandom } from "./seeded-random.ts";
import { SimulatedDisk } from "./simulated-disk.ts";

const SEEDS = Array.from({ length: 300 }, (_, i) => i + 1);

function write(file: OpenFile, text: string, position: number): void {
  const bytes = Buffer.from(text);
  file.writeNow(bytes, 0, bytes.length, position);
}

function text(disk: SimulatedDisk, path: string): string | undefined {
  const bytes = disk.contents().get(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof FileError) return error.code;
    throw error;
  }
  return undefined;
}

async function rejection(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => (error instanceof FileError ? error.code : String(error)),
  );
}

/** What each seed leaves of a disk after a power loss. */
async function outcomes(prepare: (disk: SimulatedDisk) => Promise<void>, path: string): Promise<Set<string>> {
  const found = new Set<string>();
  for (const seed of SEEDS) {
    const disk = new SimulatedDisk({ seed });
    await prepare(disk);
    found.add(text(disk.crash("power"), path) ?? "absent");
  }
  return found;
}

describe("SimulatedDisk as a file system", () => {
  it("reads back what was written, with zeros in the holes and nothing behind the end", () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const file = disk.openNow("/a", { mode: "create" });
    write(file, "tail", 9_000);
    const bytes = new Uint8Array(10_000).fill(1);
    expect(file.readNow(bytes, 0, 10_000, 0)).toBe(9_004);
    expect(Buffer.from(bytes.subarray(8_999, 9_005))).toEqual(Buffer.from("\0tail\x01"));
    expect(bytes.subarray(0, 9_000).every((byte) => byte === 0)).toBe(true);
    expect(disk.usedBytes).toBe(4096);
  });

  it("shows zeros, not the old bytes, after a file was cut and made longer again", () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const file = disk.openNow("/a", { mode: "create" });
    write(file, "0123456789", 0);
    file.truncateNow(4);
    file.truncateNow(8);
    expect(text(disk, "/a")).toBe("0123\0\0\0\0");
  });

  it("does what a model of flat byte arrays does, for any writes, cuts and syncs", async () => {
    for (const seed of SEEDS.slice(0, 50)) {
      const random = seededRandom(seed);
      const upTo = (limit: number) => Math.floor(random.next() * limit);
      const disk = new SimulatedDisk({ seed });
      const file = disk.openNow("/a", { mode: "create" });
      let model = new Uint8Array(0);
      for (let step = 0; step < 40; step++) {
        if (random.next() < 0.2) {
          const size = upTo(20_000);
          file.truncateNow(size);
          const cut = new Uint8Array(size);
          cut.set(model.subarray(0, size));
          model = cut;
        } else {
          const position = upTo(15_000);
          const bytes = new Uint8Array(upTo(9_000));
          random.fill(bytes);
          file.writeNow(bytes, 0, bytes.length, position);
          const grown = new Uint8Array(
            bytes.length === 0 ? model.length : Math.max(model.length, position + bytes.length),
          );
          grown.set(model);
          grown.set(bytes, bytes.length === 0 ? 0 : position);
          model = grown;
        }
        if (random.next() < 0.2) await file.sync();
        expect(Buffer.from(disk.contents().get("/a")!).equals(model)).toBe(true);
      }
    }
  });

  it("lists names in the order of their bytes and tells files from directories", () => {
    const disk = new SimulatedDisk({ seed: 1 });
    disk.makeDirectoryNow("/root/b/c");
    disk.makeDirectoryNow("/root/b");
    disk.openNow("/root/a", { mode: "write" }).close();
    disk.openNow("root/Z", { mode: "write" }).close();
    expect(disk.listNow("/root")).toEqual([
      { name: "Z", isDirectory: false },
      { name: "a", isDirectory: false },
      { name: "b", isDirectory: true },
    ]);
    expect(disk.statNow("/root/./b/../a")).toMatchObject({ size: 0, isDirectory: false });
    expect(disk.statNow("/root/none")).toBeUndefined();
    disk.removeDirectoryNow("/root/b");
    disk.removeNow("/root/none");
    expect([...disk.contents().keys()]).toEqual(["/root/a", "/root/Z"]);
  });

  it("refuses with the codes and texts of the real one", async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    disk.makeDirectoryNow("/d");
    disk.openNow("/f", { mode: "create" }).close();
    expect(() => disk.openNow("/none", { mode: "read" })).toThrow("open /none: no such file or directory");
    expect(codeOf(() => disk.openNow("/none/f", { mode: "write" }))).toBe("not_found");
    expect(codeOf(() => disk.openNow("/f", { mode: "create" }))).toBe("exists");
    expect(codeOf(() => disk.openNow("/d", { mode: "write" }))).toBe("is_a_directory");
    expect(codeOf(() => disk.openNow("/f/x", { mode: "write" }))).toBe("not_a_directory");
    expect(codeOf(() => disk.openNow(`/${"x".repeat(256)}`, { mode: "write" }))).toBe("name_too_long");
    expect(codeOf(() => disk.openNow("/a\0b", { mode: "write" }))).toBe("invalid_name");
    expect(codeOf(() => disk.makeDirectoryNow("/f/x"))).toBe("exists");
    expect(codeOf(() => disk.removeNow("/d"))).toBe("is_a_directory");
    expect(codeOf(() => disk.renameNow("/none", "/f"))).toBe("not_found");
    const read = disk.openNow("/f", { mode: "read" });
    expect(codeOf(() => read.writeNow(new Uint8Array(1), 0, 1, 0))).toBe("io");
    read.close();
    read.close();
    expect(await rejection(read.sync())).toBe("io");
  });

  it("lets an open file live on when its name is removed, and frees its space when it is closed", () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const file = disk.openNow("/a", { mode: "create" });
    write(file, "still here", 0);
    disk.removeNow("/a");
    const bytes = Buffer.alloc(10);
    expect(file.readNow(bytes, 0, 10, 0)).toBe(10);
    expect(disk.usedBytes).toBe(4096);
    file.close();
    expect(disk.usedBytes).toBe(0);
  });

  it("takes the time that a clock gives, and then as long as it likes", async () => {
    const clock = new FakeClock();
    const disk = new SimulatedDisk({ seed: 3, latency: { clock, millisMax: 50 } });
    const file = disk.openNow("/a", { mode: "create" });
    const settled: string[] = [];
    const bytes = Buffer.from("late");
    void file.write(bytes, 0, 4, 0).then(() => settled.push("write"));
    await clock.settle();
    expect([settled, text(disk, "/a")]).toEqual([[], ""]);
    await clock.advanceAsync(50);
    expect([settled, text(disk, "/a")]).toEqual([["write"], "late"]);
  });
});

describe("SimulatedDisk after a crash", () => {
  it("keeps everything when only the process was killed", async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    disk.makeDirectoryNow("/d");
    write(disk.openNow("/d/a", { mode: "create" }), "not synced", 0);
    expect(text(disk.crash("kill"), "/d/a")).toBe("not synced");
  });

  it("still loses in a later power loss what was not synced when the process was killed", async () => {
    const found = await outcomes(async (disk) => {
      const file = disk.openNow("/a", { mode: "create" });
      await disk.syncDirectory("/");
      write(file, "x".repeat(100), 0);
    }, "/a");
    const twice = new Set<string>();
    for (const seed of SEEDS) {
      const disk = new SimulatedDisk({ seed });
      write(disk.openNow("/a", { mode: "create" }), "x", 0);
      await disk.syncDirectory("/");
      twice.add(text(disk.crash("kill").crash("power"), "/a") ?? "absent");
    }
    expect(found.has("")).toBe(true);
    expect(found.has("x".repeat(100))).toBe(true);
    expect(twice).toEqual(new Set(["", "x", "\0"]));
  });

  it("keeps what was synced with its name, whatever the seed", async () => {
    const found = await outcomes(async (disk) => {
      const file = disk.openNow("/a", { mode: "create" });
      write(file, "synced", 0);
      await file.sync();
      await disk.syncDirectory("/");
    }, "/a");
    expect(found).toEqual(new Set(["synced"]));
  });

  it("may lose the name of a synced file", async () => {
    const found = await outcomes(async (disk) => {
      const file = disk.openNow("/a", { mode: "create" });
      write(file, "synced", 0);
      await file.sync();
    }, "/a");
    expect(found).toEqual(new Set(["synced", "absent"]));
  });

  it("renames wholly or not at all", async () => {
    for (const seed of SEEDS) {
      const disk = new SimulatedDisk({ seed });
      for (const name of ["old", "new"]) {
        const file = disk.openNow(`/${name}`, { mode: "create" });
        write(file, name, 0);
        await file.sync();
      }
      await disk.syncDirectory("/");
      disk.renameNow("/new", "/old");
      const after = disk.crash("power");
      const both = [text(after, "/old"), text(after, "/new")];
      expect(["old,new", "new,"]).toContain(both.join());
    }
  });

  it("keeps any of several pages, in any order, and tears them at sectors and bytes", async () => {
    const letters = new Set<string>();
    for (const seed of SEEDS) {
      const disk = new SimulatedDisk({ seed });
      const file = disk.openNow("/a", { mode: "create" });
      write(file, "-".repeat(3 * 4096), 0);
      await file.sync();
      await disk.syncDirectory("/");
      write(file, "A".repeat(3 * 4096), 0);
      const left = text(disk.crash("power"), "/a")!;
      expect(left).toHaveLength(3 * 4096);
      expect(left).toMatch(/^[-A]*$/);
      const pages = [0, 1, 2].map((page) => {
        const bytes = left.slice(page * 4096, (page + 1) * 4096);
        if (!bytes.includes("A")) return "-";
        if (!bytes.includes("-")) return "A";
        return /^(?:A{512}|-{512})*$/.test(bytes) ? "s" : "b";
      });
      letters.add(pages.join(""));
    }
    for (const want of ["---", "AAA", "A--", "-A-", "--A", "A-A"]) expect(letters).toContain(want);
    expect([...letters].some((pages) => pages.includes("s"))).toBe(true);
    expect([...letters].some((pages) => pages.includes("b"))).toBe(true);
  });

  it("keeps any size between the synced and the new one, with zeros where pages are missing", async () => {
    const sizes = new Set<number>();
    for (const seed of SEEDS) {
      const disk = new SimulatedDisk({ seed });
      const file = disk.openNow("/a", { mode: "create" });
      write(file, "-".repeat(100), 0);
      await file.sync();
      await disk.syncDirectory("/");
      write(file, "A".repeat(10_000), 100);
      const left = text(disk.crash("power"), "/a")!;
      expect(left.slice(0, 100)).toBe("-".repeat(100));
      expect(left.slice(100)).toMatch(/^[A\0]*$/);
      sizes.add(left.length);
    }
    expect(sizes).toContain(100);
    expect(sizes).toContain(10_100);
    expect(sizes.size).toBeGreaterThan(20);
    expect([...sizes].every((size) => size >= 100 && size <= 10_100)).toBe(true);
  });

  it("does not take what was written after a sync began as synced", async () => {
    const found = await outcomes(async (disk) => {
      const file = disk.openNow("/a", { mode: "create" });
      await disk.syncDirectory("/");
      write(file, "before", 0);
      const sync = file.sync();
      write(file, "BEHIND", 0);
      await sync;
    }, "/a");
    expect(found).toContain("before");
    expect(found).toContain("BEHIND");
    expect([...found].filter((left) => !/^[a-zA-Z]{6}$/.test(left))).toEqual([]);
  });

  it("leaves any beginning of a write that was under way, and never settles it", async () => {
    const found = new Set<string>();
    let settled = 0;
    for (const seed of SEEDS) {
      const disk = new SimulatedDisk({ seed });
      const file = disk.openNow("/a", { mode: "create" });
      void file.write(Buffer.from("abc"), 0, 3, 0).then(
        () => settled++,
        () => settled++,
      );
      found.add(text(disk.crash("kill"), "/a")!);
      await disk.stopped;
    }
    expect(found).toEqual(new Set(["", "a", "ab", "abc"]));
    expect(settled).toBe(0);
  });

  it("stops at the operation that was asked for, and does nothing after it", async () => {
    for (let stop = 1; stop <= 4; stop++) {
      const disk = new SimulatedDisk({ seed: stop });
      disk.stopAfter(stop);
      let done = 0;
      for (let i = 1; i <= 4; i++) if (codeOf(() => disk.makeDirectoryNow(`/d${i}`)) === undefined) done++;
      expect(done).toBe(stop - 1);
      await disk.stopped;
      expect(disk.crash("kill").listNow("/")).toHaveLength(stop - 1);
    }
  });

  it("is the same for the same seed", async () => {
    const run = (seed: number) => {
      let disk = new SimulatedDisk({ seed });
      for (let i = 0; i < 5; i++) {
        write(disk.openNow(`/f${i}`, { mode: "write" }), "content ".repeat(1000), i * 100);
        disk = disk.crash("power");
      }
      return JSON.stringify([...disk.contents()].map(([path, bytes]) => [path, Buffer.from(bytes).toString("base64")]));
    };
    expect(run(7)).toBe(run(7));
    expect(new Set([1, 2, 3, 4, 5].map(run)).size).toBeGreaterThan(1);
  });
});

describe("SimulatedDisk with faults", () => {
  it("fails the operations that were asked for, and no others", async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    const a = disk.openNow("/a", { mode: "create" });
    const b = disk.openNow("/b", { mode: "create" });
    const fault = disk.inject({ operation: "write", kind: "io", path: (path) => path === "/a", skip: 1, times: 2 });
    const tryWrite = (file: OpenFile) => codeOf(() => write(file, "x", 0));
    expect([tryWrite(b), tryWrite(a), tryWrite(a), tryWrite(a), tryWrite(a)]).toEqual([
      undefined,
      undefined,
      "io",
      "io",
      undefined,
    ]);
    expect(fault.hits).toBe(2);
    const removed = disk.inject({ operation: "sync_directory", kind: "io", times: Number.POSITIVE_INFINITY });
    expect(await rejection(disk.syncDirectory("/"))).toBe("io");
    removed.remove();
    expect(await rejection(disk.syncDirectory("/"))).toBeUndefined();
  });

  it("may have written a part when a write fails", () => {
    const left = new Set<string>();
    for (const seed of SEEDS) {
      const disk = new SimulatedDisk({ seed });
      const file = disk.openNow("/a", { mode: "create" });
      disk.inject({ operation: "write", kind: "no_space" });
      expect(codeOf(() => write(file, "abc", 0))).toBe("no_space");
      left.add(text(disk, "/a")!);
    }
    expect(left).toEqual(new Set(["", "a", "ab", "abc"]));
  });

  it("is full when its space is used up, takes what overwrites, and heals when there is space", async () => {
    const disk = new SimulatedDisk({ seed: 1 });
    disk.limitSpace(8192);
    const file = disk.openNow("/a", { mode: "create" });
    expect(codeOf(() => write(file, "x".repeat(10_000), 0))).toBe("no_space");
    expect(text(disk, "/a")).toBe("x".repeat(8192));
    expect(codeOf(() => write(file, "y".repeat(8192), 0))).toBeUndefined();
    expect(await rejection(file.write(Buffer.from("z"), 0, 1, 8192))).toBe("no_space");
    disk.limitSpace(undefined);
    expect(codeOf(() => write(file, "z", 8192))).toBeUndefined();
    disk.limitSpace(4096);
    file.truncateNow(0);
    expect(codeOf(() => write(file, "again", 0))).toBeUndefined();
  });

  it("drops what a failed sync was to write: the next sync succeeds and does not bring it to the disk", async () => {
    const cached = new Set<string>();
    const left = new Set<string>();
    for (const seed of SEEDS) {
      const disk = new SimulatedDisk({ seed });
      const file = disk.openNow("/a", { mode: "create" });
      write(file, "first", 0);
      await file.sync();
      await disk.syncDirectory("/");
      write(file, "other", 0);
      disk.inject({ operation: "sync", kind: "io" });
      expect(await rejection(file.sync())).toBe("io");
      cached.add(text(disk, "/a")!);
      await file.sync();
      left.add(text(disk.crash("power"), "/a")!);
    }
    expect(cached).toEqual(new Set(["first", "other"]));
    expect(left).toEqual(new Set(["first", "other"]));
  });

  it("writes a dropped page after all when it is written to again", async () => {
    for (const seed of SEEDS) {
      const disk = new SimulatedDisk({ seed });
      const file = disk.openNow("/a", { mode: "create" });
      await disk.syncDirectory("/");
      write(file, "one", 0);
      disk.inject({ operation: "sync", kind: "io" });
      await rejection(file.sync());
      write(file, "two", 0);
      await file.sync();
      expect(text(disk.crash("power"), "/a")).toBe("two");
    }
  });

  it("reads short, and turns bits, once or for good", async () => {
    const disk = new SimulatedDisk({ seed: 5 });
    const file = disk.openNow("/a", { mode: "create" });
    write(file, "0123456789", 0);
    const bytes = Buffer.alloc(10);
    disk.inject({ operation: "read", kind: "short_read" });
    expect(file.readNow(bytes, 0, 10, 0)).toBeLessThan(10);
    disk.inject({ operation: "read", kind: "bit_flip" });
    expect(await file.read(bytes, 0, 10, 0)).toBe(10);
    expect(bytes.toString()).not.toBe("0123456789");
    file.readNow(bytes, 0, 10, 0);
    expect(bytes.toString()).toBe("0123456789");
    disk.flipBit("/a", 9, 0);
    expect(text(disk, "/a")).toBe("0123456788");
    expect(text(disk.crash("kill"), "/a")).toBe("0123456788");
  });
});
