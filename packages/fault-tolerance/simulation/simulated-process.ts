import type { Clock, Random } from "@nats-streaming/kernel";

/** A process that can be stopped and continued like any other, and that can be killed in between. */
export interface SimulatedProcess {
  readonly id: string;
  /** How far its calendar is off, in milliseconds. */
  readonly skewMillis: number;
  isAlive: boolean;
  isFrozen: boolean;
  /** Lets something happen in the process: now, once it is continued, or never. */
  run(event: () => void): void;
  /** A timer of the process. */
  after(millis: number, event: () => void): void;
  /** Continues it. What has gathered meanwhile happens in any order, one after the other. */
  thaw(): void;
  die(): void;
  /** The kernel's part of a process's end, such as letting go of its file locks. */
  onDeath: () => void;
}

export function simulatedProcess(options: {
  readonly id: string;
  readonly skewMillis: number;
  readonly clock: Clock;
  readonly random: Random;
}): SimulatedProcess {
  const { clock, random } = options;
  const backlog: (() => void)[] = [];
  const process: SimulatedProcess = {
    id: options.id,
    skewMillis: options.skewMillis,
    isAlive: true,
    isFrozen: false,
    onDeath: () => {},
    run(event): void {
      if (!process.isAlive) return;
      if (process.isFrozen) backlog.push(event);
      else event();
    },
    after(millis, event): void {
      clock.setTimer(millis, () => process.run(event));
    },
    thaw(): void {
      if (!process.isFrozen) return;
      process.isFrozen = false;
      const gathered = backlog.splice(0);
      while (gathered.length > 0) {
        const [event] = gathered.splice(Math.floor(random.next() * gathered.length), 1);
        if (event !== undefined) process.run(event);
      }
    },
    die(): void {
      if (!process.isAlive) return;
      process.isAlive = false;
      backlog.length = 0;
      process.onDeath();
    },
  };
  return process;
}
