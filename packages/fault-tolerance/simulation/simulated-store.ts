import type { Clock, Random } from "@nats-streaming/kernel";
import type { SimulatedProcess } from "./simulated-process.ts";

/** What a group shares: an exclusive lock, and data that only its owner may write. */
export interface SimulatedStore {
  /** Who has the lock, if anybody, as the store itself sees it. */
  readonly owner: SimulatedProcess | undefined;
  /** Writes that the store has taken, in order; `owner` is who had the lock then. */
  readonly writes: { readonly writer: SimulatedProcess; readonly owner: SimulatedProcess | undefined }[];
  /** How often the lock was taken from somebody who had not let go of it. */
  readonly steals: number;
  /** One lock attempt; `done` is called in the process. */
  acquire(process: SimulatedProcess, done: (isAcquired: boolean) => void): void;
  /** One write; whether it is taken, the process need not know. */
  write(process: SimulatedProcess): void;
  /** An orderly close. */
  close(process: SimulatedProcess): void;
}

/** The lock of the file store: the operating system keeps it for a process until that lets go of it or dies. */
export function simulatedFileStore(random: Random): SimulatedStore {
  let owner: SimulatedProcess | undefined;
  const writes: SimulatedStore["writes"] = [];
  const release = (process: SimulatedProcess): void => {
    if (owner === process) owner = undefined;
  };
  return {
    writes,
    steals: 0,
    get owner(): SimulatedProcess | undefined {
      return owner;
    },
    acquire(process, done): void {
      owner ??= process;
      const isAcquired = owner === process;
      if (isAcquired) process.onDeath = () => release(process);
      process.after(random.next() * 2, () => done(isAcquired));
    },
    write: (writer) => void writes.push({ writer, owner }),
    close: release,
  };
}

/** Longest way to the database, one direction. */
const DATABASE_MILLIS = 50;
const LOOK_MILLIS = 1_500;
const LOOKS = 3;
const RENEWAL_MILLIS = 1_000;

/** The lock of the SQL store: a row that its owner renews every second, and that others steal when it does not. */
export function simulatedSqlStore(options: {
  readonly clock: Clock;
  readonly random: Random;
  /** Whether a write says under which ownership it is made, and is refused under a later one. */
  readonly checksEpoch: boolean;
  /** Called in a process that finds the lock it had in other hands. */
  onLost(process: SimulatedProcess): void;
}): SimulatedStore {
  const { clock, random } = options;
  /** The row; the epoch is raised whenever the owner changes. */
  let owner: SimulatedProcess | undefined;
  let tick = 0;
  let epoch = 0;
  let steals = 0;
  const writes: SimulatedStore["writes"] = [];
  /** Under which ownership a process writes. Each process knows its own only. */
  const epochs = new Map<SimulatedProcess, number>();

  /** `body` happens at the database even if the process dies or freezes meanwhile. */
  const transaction = <T>(process: SimulatedProcess, body: () => T, done: (result: T) => void): void => {
    clock.setTimer(random.next() * DATABASE_MILLIS, () => {
      const result = body();
      clock.setTimer(random.next() * DATABASE_MILLIS, () => process.run(() => done(result)));
    });
  };

  const renew = (process: SimulatedProcess): void => {
    const body = (): boolean => {
      if (owner === process) tick++;
      return owner === process;
    };
    transaction(process, body, (isOwner) => {
      if (isOwner) process.after(RENEWAL_MILLIS, () => renew(process));
      else options.onLost(process);
    });
  };

  type Look = { readonly kind: "got"; readonly epoch: number } | { readonly kind: "row"; readonly mark: string };

  /** Reads the row and takes it when it is free, or when it still is as marked. */
  const look = (process: SimulatedProcess, stealMark: string | undefined): Look => {
    const mark = `${owner?.id} ${tick}`;
    if (owner !== undefined && owner !== process && mark !== stealMark) return { kind: "row", mark };
    if (owner !== undefined) steals++;
    owner = process;
    tick = 1;
    return { kind: "got", epoch: ++epoch };
  };

  return {
    writes,
    get owner(): SimulatedProcess | undefined {
      return owner;
    },
    get steals(): number {
      return steals;
    },
    acquire(process, done): void {
      let mark: string | undefined;
      const attempt = (place: number): void => {
        const body = (): Look => look(process, place > LOOKS ? mark : undefined);
        transaction(process, body, (seen) => {
          if (seen.kind === "got") {
            epochs.set(process, seen.epoch);
            process.after(RENEWAL_MILLIS, () => renew(process));
            done(true);
          } else if (mark !== undefined && mark !== seen.mark) done(false);
          else {
            mark = seen.mark;
            process.after(place < LOOKS ? LOOK_MILLIS : 0, () => attempt(place + 1));
          }
        });
      };
      // The first look is not one of the three that follow a pause each.
      attempt(0);
    },
    write(process): void {
      const ownEpoch = epochs.get(process);
      const body = (): void => {
        const isOwn = owner === process && ownEpoch === epoch;
        if (!options.checksEpoch || isOwn) writes.push({ writer: process, owner });
      };
      transaction(process, body, () => {});
    },
    close(process): void {
      clock.setTimer(random.next() * DATABASE_MILLIS, () => {
        if (owner === process) owner = undefined;
      });
    },
  };
}
