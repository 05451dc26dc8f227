import type { Clock, Timer, Timestamp } from "@nats-streaming/kernel";
import { recordingLogger } from "@nats-streaming/kernel/testing";
import { defaultStoreLimits } from "@nats-streaming/store";
import { type Stage, type StageOptions, setStage } from "./harness.ts";
import { Disk, RecordingStore } from "./recording-store.ts";

/** A stage whose engine can be stopped, or killed, and followed by another one over what it left. */
export interface PersistentStage extends Stage {
  readonly store: RecordingStore;
  /** Ends the engine, in order. */
  stop(): Promise<void>;
  /** Ends the engine as `kill -9` or a power cut does: nothing that is not flushed survives. */
  kill(): Promise<void>;
  /** Starts the next engine; clients, network and time go on. */
  start(options?: StartOptions): Promise<PersistentStage>;
  /** Stop, then start at once. */
  restart(options?: StartOptions): Promise<PersistentStage>;
}

export interface StartOptions extends Omit<StageOptions, "store"> {
  /** Prepares the store before the engine gets it. */
  readonly prepare?: (store: RecordingStore) => void;
}

export async function setPersistentStage(options: StartOptions = {}): Promise<PersistentStage> {
  const { limits, ...rest } = options;
  let disk: Disk | undefined;
  const open = (clock: Clock): RecordingStore => {
    disk ??= new Disk(clock, recordingLogger(), { ...defaultStoreLimits, ...limits });
    return new RecordingStore(disk);
  };
  return begin(rest, open);
}

async function begin(options: StartOptions, open: (clock: Clock) => RecordingStore): Promise<PersistentStage> {
  let store: RecordingStore | undefined;
  let mortal: MortalClock | undefined;
  const { prepare, ...rest } = options;
  const stage = await setStage({
    ...rest,
    store: (clock) => {
      store = open(clock);
      prepare?.(store);
      return store;
    },
    mapClock: (clock) => {
      mortal = new MortalClock(clock);
      return mortal;
    },
  });
  if (store === undefined || mortal === undefined) throw new Error("the stage was set without a store");
  const opened = store;
  const clock = mortal;
  const start = (more: StartOptions = {}): Promise<PersistentStage> => begin({ ...rest, ...more, beside: stage }, open);
  const stop = async (): Promise<void> => {
    const closing = stage.engine.close();
    await stage.clock.settle();
    await closing;
    await stage.serverBus.close();
  };
  return {
    ...stage,
    store: opened,
    start,
    stop,
    async kill() {
      clock.die();
      opened.cutOff();
      await stage.serverBus.close();
      await stage.clock.settle();
      await opened.disk.loseUnflushed();
    },
    async restart(more) {
      await stop();
      return start(more);
    },
  };
}

/** The clock as one process sees it: when the process dies, its timers die with it. */
class MortalClock implements Clock {
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  #isDead = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  die(): void {
    this.#isDead = true;
    for (const timer of this.#timers) timer.cancel();
  }

  read(out: Timestamp): void {
    this.#clock.read(out);
  }

  monotonicMillis(): number {
    return this.#clock.monotonicMillis();
  }

  setTimer(delayMillis: number, callback: () => void): Timer {
    if (this.#isDead) return { cancel: () => {} };
    const timer = this.#clock.setTimer(delayMillis, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }

  defer(callback: () => void): void {
    this.#clock.defer(() => {
      if (!this.#isDead) callback();
    });
  }
}
