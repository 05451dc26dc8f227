import { closeSync, constants, ftruncateSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { errorText } from "@nats-streaming/kernel";
import { type LockOutcome, StoreError } from "@nats-streaming/store";

/** Keeps other servers off a directory for as long as it is held, those of the original included. */
export interface DirectoryLock {
  /**
   * Takes the lock on a file, which is made if it does not exist. Taken already: taken again.
   * @throws (rejects) StoreError `lock_failed` when trying again is hopeless
   */
  acquire(path: string): Promise<LockOutcome>;
  /** Lets go of it; the file stays. Idempotent. */
  release(): void;
}

/** The one function of the native addon that is used. */
interface LockAddon {
  /** An exclusive lock over the whole file, owned by the open file: false when somebody else has it. */
  tryLock(descriptor: number): boolean;
}

const ADDON = "fs-native-extensions";

/** Errors that pass by themselves. @see file-store.md 17 */
const PASSING = new Set(["EAGAIN", "EACCES", "EINTR", "ENOLCK", "EWOULDBLOCK"]);

/**
 * A record lock over the whole file, of the kind that excludes the original's (`fcntl`, type F_WRLCK) in both directions,
 * and two stores within one process. The holder writes its process ID into the file, for whoever finds it busy.
 * @param load brings the addon
 * @see file-store.md 17
 */
export function nativeDirectoryLock(load: () => Promise<unknown> = () => import(ADDON)): DirectoryLock {
  let descriptor: number | undefined;
  return {
    async acquire(path): Promise<LockOutcome> {
      if (descriptor !== undefined) return { kind: "acquired" };
      const addon = await loadAddon(load);
      const opened = openLockFile(path);
      let isTaken = false;
      try {
        isTaken = addon.tryLock(opened);
      } catch (error) {
        if (!PASSING.has(codeOf(error))) {
          throw new StoreError("lock_failed", errorText(error), { cause: error });
        }
      } finally {
        if (!isTaken) closeSync(opened);
      }
      if (!isTaken) {
        const holder = holderOf(path);
        return holder === undefined ? { kind: "busy" } : { kind: "busy", holder };
      }
      descriptor = opened;
      noteHolder(opened);
      return { kind: "acquired" };
    },
    release(): void {
      if (descriptor === undefined) return;
      const held = descriptor;
      descriptor = undefined;
      try {
        ftruncateSync(held, 0);
      } finally {
        closeSync(held);
      }
    },
  };
}

async function loadAddon(load: () => Promise<unknown>): Promise<LockAddon> {
  let loaded: unknown;
  try {
    loaded = await load();
  } catch (cause) {
    const text = `the native addon ${ADDON} is needed to lock the store's directory, and cannot be loaded: ${errorText(cause)}`;
    throw new StoreError("lock_failed", text, { cause });
  }
  const addon = asAddon(loaded) ?? asAddon(propertyOf(loaded, "default"));
  if (addon === undefined) throw new StoreError("lock_failed", `the native addon ${ADDON} has no function tryLock`);
  return addon;
}

function asAddon(value: unknown): LockAddon | undefined {
  const tryLock = propertyOf(value, "tryLock");
  if (typeof tryLock !== "function") return undefined;
  return { tryLock: (descriptor) => tryLock(descriptor) === true };
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** Not emptied, unlike the original does: what stands there names the holder. @throws StoreError `lock_failed` */
function openLockFile(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o666);
  } catch (cause) {
    throw new StoreError("lock_failed", errorText(cause), { cause });
  }
}

function noteHolder(descriptor: number): void {
  try {
    ftruncateSync(descriptor, 0);
    writeSync(descriptor, `${process.pid}\n`, 0);
  } catch {
    // On a full disk nobody can be told who holds the lock; it is held all the same.
  }
}

/** `pid 4711`, if it is known: as we note it down, or as Linux lists the locks of an original server. */
function holderOf(path: string): string | undefined {
  const noted = readText(path)?.trim() ?? "";
  const pid = /^[0-9]{1,10}$/.test(noted) ? noted : listedHolder(path);
  return pid === undefined ? undefined : `pid ${pid}`;
}

function listedHolder(path: string): string | undefined {
  const locks = readText("/proc/locks");
  if (locks === undefined) return undefined;
  const { ino } = statSync(path);
  const match = new RegExp(`POSIX +ADVISORY +WRITE +([0-9]+) +[0-9a-f]+:[0-9a-f]+:${ino} `).exec(locks);
  return match?.[1];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  const code = propertyOf(error, "code");
  return typeof code === "string" ? code : "";
}
