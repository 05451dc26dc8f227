import type { LockOutcome } from "@nats-streaming/store";

/** The exclusive lock of a store that several members share, as the file store keeps it. */
export interface SharedLock {
  /** Who has it. */
  holder: string | undefined;
  /** Attempts so far, by member. */
  readonly attempts: string[];
  acquire(member: string): Promise<LockOutcome>;
  release(member: string): void;
}

export function sharedLock(): SharedLock {
  const lock: SharedLock = {
    holder: undefined,
    attempts: [],
    async acquire(member): Promise<LockOutcome> {
      lock.attempts.push(member);
      if (lock.holder !== undefined && lock.holder !== member) return { kind: "busy", holder: lock.holder };
      lock.holder = member;
      return { kind: "acquired" };
    },
    release(member): void {
      if (lock.holder === member) lock.holder = undefined;
    },
  };
  return lock;
}
