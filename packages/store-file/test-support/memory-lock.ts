import type { DirectoryLock } from "../src/lock/directory-lock.ts";

/** Locks that exclude each other within this process, for tests on disks that are not there. */
export function memoryLocks(): { lockFor(place: string): DirectoryLock } {
  const holders = new Map<string, DirectoryLock>();
  return {
    lockFor(place: string): DirectoryLock {
      const lock: DirectoryLock = {
        async acquire() {
          const holder = holders.get(place) ?? lock;
          holders.set(place, holder);
          return holder === lock ? { kind: "acquired" } : { kind: "busy", holder: "pid 1" };
        },
        release() {
          if (holders.get(place) === lock) holders.delete(place);
        },
      };
      return lock;
    },
  };
}
