import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileError } from "./file-system.ts";
import { openFilesLimit, systemFileSystem } from "./system-file-system.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe("systemFileSystem()", () => {
  const files = systemFileSystem();
  let folder = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "files-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const codeOf = (work: () => unknown): string => {
    try {
      work();
      return "no error";
    } catch (error) {
      return error instanceof FileError ? `${error.code}: ${error.message.replace(folder, "DIR")}` : "another error";
    }
  };

  it("writes and reads at positions, at once and beside the event loop", async () => {
    const file = files.openNow(join(folder, "a"), { mode: "write" });
    file.writeNow(bytes("hello"), 0, 5, 0);
    await file.write(bytes("-world-"), 1, 5, 5);
    await file.sync();
    expect(file.sizeNow()).toBe(10);
    const target = new Uint8Array(20);
    expect(file.readNow(target, 2, 10, 3)).toBe(7);
    expect(Buffer.from(target.subarray(2, 9)).toString()).toBe("loworld");
    expect(await file.read(target, 0, 3, 9)).toBe(1);
    file.truncateNow(2);
    expect(files.statNow(join(folder, "a"))).toMatchObject({ size: 2, isDirectory: false });
    file.close();
    file.close();
  });

  it("opens by mode: what must exist, what must not, and with the permissions asked for", () => {
    const path = join(folder, "a");
    expect(codeOf(() => files.openNow(path, { mode: "read" }))).toBe(
      "not_found: open DIR/a: no such file or directory",
    );
    files.openNow(path, { mode: "create", permissions: 0o600 }).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(codeOf(() => files.openNow(path, { mode: "create" }))).toBe("exists: open DIR/a: file exists");
    files.openNow(path, { mode: "write" }).close();
  });

  it("makes, lists in byte order, renames and removes", async () => {
    files.makeDirectoryNow(join(folder, "x/y"));
    for (const name of ["b", "B", "a"]) files.openNow(join(folder, "x", name), { mode: "create" }).close();
    await files.syncDirectory(join(folder, "x"));
    expect(files.listNow(join(folder, "x")).map(({ name }) => name)).toEqual(["B", "a", "b", "y"]);
    files.renameNow(join(folder, "x/a"), join(folder, "x/b"));
    files.removeNow(join(folder, "x/B"));
    files.removeNow(join(folder, "x/B"));
    expect(files.listNow(join(folder, "x")).map(({ name }) => name)).toEqual(["b", "y"]);
    files.removeDirectoryNow(join(folder, "x"));
    files.removeDirectoryNow(join(folder, "x"));
    expect(files.statNow(join(folder, "x"))).toBeUndefined();
  });

  it("knows how many files may be open: the soft limit of the process", () => {
    const limits = `Limit                     Soft Limit           Hard Limit           Units
Max processes             63432                63432                processes
Max open files            20000                524288               files
`;
    expect(openFilesLimit(limits)).toBe(20_000);
    expect(openFilesLimit(limits.replace("20000 ", "unlimited"))).toBe(0);
    if (process.platform === "linux") expect(files.openFilesMax?.()).not.toBe(0);
  });

  it("syncs a range of a file that cannot be opened a second time", () => {
    const path = join(folder, "gone");
    const file = files.openNow(path, { mode: "write" });
    const bytes = Uint8Array.from([1, 2, 3]);
    file.writeNow(bytes, 0, 3, 0);
    file.syncRangeNow(bytes, 0, 3, 0);
    file.close();
    const again = files.openNow(path, { mode: "write" });
    files.removeNow(path);
    again.writeNow(bytes, 1, 2, 3);
    again.syncRangeNow(bytes, 1, 2, 3);
    const read = new Uint8Array(5);
    expect([again.readNow(read, 0, 5, 0), [...read]]).toEqual([5, [1, 2, 3, 2, 3]]);
    again.close();
  });

  it("says what the system said in the words of the original", () => {
    const long = "n".repeat(300);
    expect(codeOf(() => files.makeDirectoryNow(join(folder, long)))).toBe(
      `name_too_long: mkdir DIR/${long}: file name too long`,
    );
    files.openNow(join(folder, "file"), { mode: "create" }).close();
    expect(codeOf(() => files.makeDirectoryNow(join(folder, "file/x")))).toMatch(
      /^not_a_directory: mkdir DIR\/file\/x/,
    );
    expect(codeOf(() => files.listNow(join(folder, "file")))).toMatch(/^not_a_directory/);
    expect(codeOf(() => files.makeDirectoryNow(`${folder}/nul\0`))).toMatch(/^invalid_name: mkdir/);
    files.makeDirectoryNow(join(folder, "one/two/three"));
    files.makeDirectoryNow(join(folder, "one/two"));
    expect(files.listNow(join(folder, "one"))).toEqual([{ name: "two", isDirectory: true }]);
  });
});
