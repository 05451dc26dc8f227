import { durationFromMillis, FileError } from "@nats-streaming/kernel";
import {
  FakeClock,
  type InjectedFault,
  recordingLogger,
  SimulatedDisk,
  seededRandom,
} from "@nats-streaming/kernel/testing";
import { defaultStoreLimits, type RecoveredState, type ServerInfo, StoreError } from "@nats-streaming/store";
import { type CommitLog, CommitLogError } from "../src/commit-log/commit-log.ts";
import { openCommitLog } from "../src/commit-log/open-commit-log.ts";
import { createFileStore, type FileStore } from "../src/file-store.ts";
import type { RecoveryMode } from "../src/options.ts";
import { damageChannel } from "./crash-damage.ts";
import { flipUnacknowledged, flipUnsynced, injectFaults, ROOT } from "./crash-faults.ts";
import { CrashModel, KEPT } from "./crash-model.ts";
import { memoryLocks } from "./memory-lock.ts";
import { read, SERVER_INFO } from "./place.ts";

const SESSIONS_MAX = 3;
/** Starts that may fail one after the other because of injected faults; without any the next one must succeed. */
const FAULTY_STARTS_MAX = 3;

/** What a number of rounds have been through. */
export interface CrashTally {
  rounds: number;
  /** Machines that stopped or stores that ended by a failed sync, each followed by a recovery. */
  crashes: number;
  kills: number;
  powerLosses: number;
  cleanStops: number;
  /** Of {@link crashes}: the machine stopped in the middle of a recovery. */
  inRecovery: number;
  failedSyncs: number;
  flips: number;
  damaged: number;
}

/**
 * Runs the rounds of seeds `[from, from + count)`. In each a store is worked on, its machine crashes, it is recovered and
 * held against what was acknowledged, some times over, with whatever faults a disk may have.
 * @throws with the seed when an acknowledged message is lost or changed, or a start is refused
 */
export async function crashRounds(from: number, count: number): Promise<CrashTally> {
  const tally: CrashTally = {
    rounds: 0,
    crashes: 0,
    kills: 0,
    powerLosses: 0,
    cleanStops: 0,
    inRecovery: 0,
    failedSyncs: 0,
    flips: 0,
    damaged: 0,
  };
  for (let seed = from; seed < from + count; seed++) {
    try {
      await new Round(seed, tally).run();
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : ""}`, { cause: error });
    }
    tally.rounds++;
  }
  return tally;
}

let starts = 0;

class Round {
  readonly #tally: CrashTally;
  readonly #random;
  readonly #model: CrashModel;
  /** With 0 every batch is written behind. */
  readonly #writtenAtOnceMax: number;
  #disk: SimulatedDisk;
  #log: CommitLog | undefined;
  #faults: readonly InjectedFault[] = [];
  /** The last store was closed cleanly. */
  #isExact = true;

  constructor(seed: number, tally: CrashTally) {
    this.#tally = tally;
    this.#random = seededRandom(seed);
    this.#model = new CrashModel(this.#random);
    this.#disk = new SimulatedDisk({ seed });
    this.#writtenAtOnceMax = [0, 2, 128][seed % 3]!;
  }

  async run(): Promise<void> {
    const sessions = 1 + this.#model.upTo(SESSIONS_MAX);
    for (let session = 0; session < sessions; session++)
      await this.#session(session, session > 0 && this.#chance(0.15));
    await this.#last();
  }

  async #session(session: number, isClean: boolean): Promise<void> {
    const clock = new FakeClock(1_700_000_100_000 + session * 1_000_000);
    const inRecovery = !isClean && this.#chance(0.2);
    if (inRecovery) this.#stopAfter(200);
    const { store, state } = await this.#start(clock, !isClean);
    if (!isClean && !inRecovery) this.#stopAfter(300);
    const disk = this.#disk;
    const work = this.#model.session(store, state, disk, clock).catch((error: unknown) => {
      if (disk.isRunning) throw error;
    });
    await Promise.race([work, disk.stopped]);
    this.#clearFaults();
    disk.limitSpace(undefined);
    if (!isClean) {
      await this.#crash(store);
      return;
    }
    // Makes everything durable.
    for (let i = 0; i < 3; i++) await this.#model.flush(store, disk);
    await store.close();
    this.#tally.cleanStops++;
    this.#isExact = true;
    // What was closed stays, whatever becomes of the machine.
    this.#disk = this.#disk.crash(this.#chance(0.5) ? "kill" : "power");
    await this.#checkStrict();
  }

  /** A start; while faults are injected, or the machine stops, it may fail, and is tried again. */
  async #start(clock: FakeClock, isFaulty: boolean): Promise<{ store: FileStore; state: RecoveredState | undefined }> {
    for (let attempt = 0; ; attempt++) {
      if (isFaulty && attempt < FAULTY_STARTS_MAX) this.#faults = injectFaults(this.#random, this.#disk);
      let store: FileStore | undefined;
      try {
        store = this.#open("quarantine", true, clock);
        const state = await Promise.race([this.#recoverAndCheck(store), this.#disk.stopped]);
        if (!this.#disk.isRunning) throw new Error("the machine stopped");
        this.#isExact = false;
        return { store, state: state ?? undefined };
      } catch (error) {
        const isStopped = !this.#disk.isRunning;
        const isHit = this.#faults.some(({ hits }) => hits > 0) && isOfTheDisk(error);
        if (!isStopped && !isHit) throw error;
        if (isStopped) this.#tally.inRecovery++;
        this.#isExact = false;
        this.#clearFaults();
        await this.#crash(store);
      }
    }
  }

  async #recoverAndCheck(store: FileStore): Promise<RecoveredState | undefined> {
    const state = await recover(store);
    const [quarantined] = store.quarantined;
    if (quarantined !== undefined) throw new StoreError("corrupt", `quarantined: ${quarantined.reason}`);
    if (state !== undefined) await this.#model.check(state, "start", this.#isExact);
    return state;
  }

  async #crash(store: FileStore | undefined): Promise<void> {
    if (this.#model.isFinal) this.#tally.failedSyncs++;
    this.#model.isFinal = false;
    const kind = this.#chance(0.5) ? "kill" : "power";
    this.#disk = this.#disk.crash(kind);
    void store?.close().catch((error: unknown) => {
      if (!isOfTheDisk(error)) throw error;
    });
    this.#tally.crashes++;
    if (kind === "kill") this.#tally.kills++;
    else this.#tally.powerLosses++;
    if (this.#chance(0.3)) {
      this.#tally.flips++;
      if (this.#log !== undefined && this.#chance(0.5)) flipUnacknowledged(this.#random, this.#disk, this.#log);
      else await flipUnsynced(this.#random, this.#disk);
    }
  }

  async #last(): Promise<void> {
    const { store, state } = await this.#start(new FakeClock(), false);
    const damage =
      state !== undefined && this.#chance(0.15) ? await this.#closeAndDamage(store, state) : await store.close();
    if (damage === undefined) {
      if (state !== undefined) await this.#checkStrict();
      return;
    }
    this.#tally.damaged++;
    await this.#checkQuarantine(damage.channel);
    await this.#checkSalvage(damage.channel, damage.readable);
  }

  async #closeAndDamage(store: FileStore, state: RecoveredState): ReturnType<typeof damageChannel> {
    for (let i = 0; i < 2; i++) await this.#model.flush(store, this.#disk);
    const damage = await damageChannel(this.#random, this.#disk, state);
    await store.close();
    return damage;
  }

  /** A damaged channel is served or not; a server starts, and all others are whole. */
  async #checkQuarantine(channel: string): Promise<void> {
    const store = this.#open("quarantine", true, new FakeClock());
    const state = await store.recover();
    const others = store.quarantined.filter((one) => one.channel !== channel);
    if (state === undefined || others.length > 0) throw new Error(`quarantined: ${others[0]?.reason}`);
    this.#model.channels.delete(channel);
    await this.#model.check(without(state, channel), "beside damage", true);
    await store.close();
  }

  async #checkSalvage(channel: string, readable: ReadonlyMap<number, string>): Promise<void> {
    const store = this.#open("salvage", true, new FakeClock());
    const state = await store.recover();
    const messages = state?.channels.get(channel)?.messages;
    for (const [sequence, payload] of readable) {
      if (messages === undefined || (await read(messages, sequence)) !== payload) {
        throw new Error(`salvage of ${channel} has lost message ${sequence}`);
      }
    }
    await store.close();
  }

  /** After a clean stop the directory is one that the original opens without a word. */
  async #checkStrict(): Promise<void> {
    const logger = recordingLogger();
    const store = this.#open("strict", false, new FakeClock(), logger);
    const state = await store.recover();
    if (state === undefined) throw new Error("nothing is there after a clean stop");
    await this.#model.check(state, "after a clean stop", true);
    if (store.damage.length + logger.lines.length > 0) throw new Error(`after a clean stop: ${logger.lines[0]}`);
    await store.close();
  }

  #open(recovery: RecoveryMode, sync: boolean, clock: FakeClock, logger = recordingLogger()): FileStore {
    const disk = this.#disk;
    return createFileStore({
      directory: ROOT,
      limits: { ...defaultStoreLimits, maxMessages: KEPT },
      recovery,
      writtenAtOnceMax: this.#writtenAtOnceMax,
      options: {
        sync,
        sliceMaxMessages: 9,
        compactMinBytes: 200,
        compactIntervalSeconds: 1,
        autoSync: durationFromMillis(60_000),
      },
      clock,
      logger,
      fileSystem: disk,
      // Salts of the commit log's segments must differ from start to start.
      random: seededRandom(++starts),
      lock: memoryLocks().lockFor("data"),
      openCommitLog: async (options) => {
        const opened = await openCommitLog({ ...options, segmentBytes: 16_384 });
        this.#log = opened.log;
        return opened;
      },
      onFailure: () => {
        if (disk.isRunning) this.#model.isFinal = true;
      },
    });
  }

  #stopAfter(operationsMax: number): void {
    this.#disk.stopAfter(1 + this.#model.upTo(operationsMax));
  }

  #clearFaults(): void {
    for (const fault of this.#faults) fault.remove();
    this.#faults = [];
  }

  #chance(share: number): boolean {
    return this.#random.next() < share;
  }
}

/** As a server does it: one that does not know who it is says so, and looks again. */
async function recover(store: FileStore): Promise<RecoveredState | undefined> {
  try {
    const state = await store.recover();
    if (state === undefined) await store.init(SERVER);
    return state;
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== "no_server_info") throw error;
    await store.init(SERVER);
    return await store.recover();
  }
}

const SERVER: ServerInfo = SERVER_INFO;

function isOfTheDisk(error: unknown): boolean {
  return error instanceof StoreError || error instanceof FileError || error instanceof CommitLogError;
}

function without(state: RecoveredState, channel: string): RecoveredState {
  return { ...state, channels: new Map([...state.channels].filter(([name]) => name !== channel)) };
}
