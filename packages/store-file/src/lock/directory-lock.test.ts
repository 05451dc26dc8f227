import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nativeDirectoryLock } from "./directory-lock.ts";

/** An addon whose locks exclude each other by path, as the native one's do; what else it does is up to the test. */
function fakeAddon(tryLock: (descriptor: number) => boolean) {
  return async (): Promise<unknown> => ({ default: { tryLock } });
}

describe("directory lock", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lock-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const path = (): string => join(folder, ".rootdir.lck");
  const failing = (code: string) =>
    fakeAddon(() => {
      throw Object.assign(new Error(`${code}: it fails`), { code });
    });

  it("FS-G15 can be taken twice by its owner, names him to others, and is released for them", async () => {
    let isTaken = false;
    const addon = fakeAddon(() => {
      if (isTaken) return false;
      isTaken = true;
      return true;
    });
    const [one, other] = [nativeDirectoryLock(addon), nativeDirectoryLock(addon)];
    expect(await one.acquire(path())).toEqual({ kind: "acquired" });
    expect(await one.acquire(path())).toEqual({ kind: "acquired" });
    expect(await other.acquire(path())).toEqual({ kind: "busy", holder: `pid ${process.pid}` });
    one.release();
    one.release();
    isTaken = false;
    expect(readFileSync(path(), "utf8")).toBe("");
    expect(await other.acquire(path())).toEqual({ kind: "acquired" });
    other.release();
  });

  it.each(["EAGAIN", "EACCES", "EINTR", "ENOLCK"])("takes %s for a lock that somebody else has", async (code) => {
    expect(await nativeDirectoryLock(failing(code)).acquire(path())).toEqual({ kind: "busy" });
  });

  it("FS-G15 fails for good on any other error, on a file that cannot be made, and without its addon", async () => {
    const refusals = [
      nativeDirectoryLock(failing("EBADF")).acquire(path()),
      nativeDirectoryLock(fakeAddon(() => true)).acquire(join(folder, "missing", "file")),
      nativeDirectoryLock(async () => ({})).acquire(path()),
      nativeDirectoryLock(() => Promise.reject(new Error("not installed"))).acquire(path()),
    ];
    for (const refusal of refusals) await expect(refusal).rejects.toMatchObject({ code: "lock_failed" });
  });
});
