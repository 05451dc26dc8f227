import { FileError, type OpenFile, type Random, silentLogger } from "@nats-streaming/kernel";
import { FakeClock, type InjectedFault, SimulatedDisk, seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import type { CommitLog, ReplayReport } from "./commit-log.ts";
import { openCommitLog } from "./open-commit-log.ts";
import { replayCommitLog } from "./replay.ts";

const ROOT = "/store";
const ROUNDS = 3000;
const SESSIONS_MAX = 4;
const STEPS_MAX = 40;
const SEGMENT_BYTES = 16_384;

interface Entry {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** What the caller of a log knows about one of its files. */
interface ModelFile {
  open: OpenFile;
  /** Durable: what a commit that has settled covers. */
  durable: Buffer;
  /** Appended since, in order. */
  pending: Entry[];
  /** Everything that was ever written behind what is durable: it may lie there after a power loss. */
  written: Entry[];
  /** What the file that had the name before held, as long as it may come back. */
  former: Buffer | undefined;
}

/** A caller of the log that does what it owes to it, with many files, on a disk that will stop. */
class ModelCaller {
  readonly files = new Map<string, ModelFile>();
  readonly #disk: SimulatedDisk;
  readonly #log: CommitLog;
  readonly #random: Random;
  #lastFault: InjectedFault | undefined;

  constructor(disk: SimulatedDisk, log: CommitLog, random: Random, known: ReadonlyMap<string, Buffer>) {
    this.#disk = disk;
    this.#log = log;
    this.#random = random;
    for (const [name, durable] of known) this.files.set(name, this.#opened(name, durable));
  }

  #opened(name: string, durable: Buffer): ModelFile {
    const open = this.#disk.openNow(`${ROOT}/${name}`, { mode: "write" });
    return { open, durable, pending: [], written: [], former: undefined };
  }

  #upTo(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  async run(): Promise<void> {
    const steps = this.#upTo(STEPS_MAX);
    for (let i = 0; i < steps; i++) await this.#step(this.#random.next());
  }

  async #step(chance: number): Promise<void> {
    if (chance < 0.55) this.#append();
    else if (chance < 0.7) await this.#commit();
    else if (chance < 0.85) void this.#commit();
    else if (chance < 0.92) await this.#checkpoint();
    else if (chance < 0.95) await this.#removeChannel();
    else if (chance < 0.97) await this.#replaceFile();
    else this.#fault();
  }

  #append(): void {
    const name = `c${this.#upTo(4)}/${["msgs.1.dat", "subs.dat", "msgs.2.dat"][this.#upTo(3)]}`;
    if (!this.files.has(name)) {
      this.#disk.makeDirectoryNow(`${ROOT}/${name.slice(0, 2)}`);
      this.files.set(name, this.#opened(name, Buffer.alloc(0)));
    }
    const file = this.files.get(name)!;
    const last = file.pending.at(-1);
    const position = last === undefined ? file.durable.length : last.position + last.bytes.length;
    const chance = this.#random.next();
    const bytes = new Uint8Array(1 + this.#upTo(chance < 0.03 ? 40_000 : chance < 0.2 ? 3000 : 200));
    this.#random.fill(bytes);
    // Zeros are what the holes of a torn file hold: they have to be told from them by their neighbours.
    if (this.#random.next() < 0.1) bytes.fill(0);
    const entry = { position, bytes };
    file.pending.push(entry);
    file.written.push(entry);
    this.#log.append({ file: name, position, sequence: 1 + this.#upTo(100) }, bytes, 0, bytes.length);
    file.open.writeNow(bytes, 0, bytes.length, position);
  }

  /** @returns whether it was not refused */
  async #commit(): Promise<boolean> {
    const covered = [...this.files.values()].map((file) => [file, [...file.pending]] as const);
    try {
      await this.#log.commit();
      if (!this.#disk.isRunning) return new Promise<never>(() => {});
    } catch (error) {
      if (!this.#disk.isRunning) return new Promise<never>(() => {});
      if (!(error instanceof FileError)) throw error;
      return false;
    }
    for (const [file, entries] of covered) {
      const now = entries.filter((entry) => file.pending.includes(entry));
      file.durable = Buffer.concat([file.durable, ...now.map((entry) => entry.bytes)]);
      file.pending = file.pending.filter((entry) => !now.includes(entry));
    }
    return true;
  }

  cutBack(): void {
    // The machine stopped: what was under way may or may not be durable.
    if (!this.#disk.isRunning) return;
    for (const file of this.files.values()) {
      if (file.pending.length === 0) continue;
      file.pending = [];
      file.open.truncateNow(file.durable.length);
    }
  }

  async #checkpoint(): Promise<void> {
    const position = this.#log.position();
    const names = [...this.files.keys()];
    for (const name of names) await this.files.get(name)?.open.sync();
    for (const name of new Set(names.map((one) => one.slice(0, 2)))) {
      if (this.#disk.statNow(`${ROOT}/${name}`) !== undefined) await this.#disk.syncDirectory(`${ROOT}/${name}`);
    }
    await this.#disk.syncDirectory(ROOT);
    await this.#log.checkpointed(position).catch((error: unknown) => {
      if (!(error instanceof FileError) || !this.#disk.isRunning) throw error;
    });
  }

  async #removeChannel(): Promise<void> {
    const channel = `c${this.#upTo(4)}`;
    if (this.#disk.statNow(`${ROOT}/${channel}`) === undefined) return;
    for (const [name, file] of this.files) {
      if (!name.startsWith(`${channel}/`)) continue;
      file.open.close();
      this.files.delete(name);
    }
    this.#disk.removeDirectoryNow(`${ROOT}/${channel}`);
    this.#log.removeChannel(channel);
    await this.#disk.syncDirectory(ROOT);
    while (!(await this.#commit()));
  }

  /** As a compaction does: another file, synced, takes the name. */
  async #replaceFile(): Promise<void> {
    const name = [...this.files.keys()][this.#upTo(this.files.size)];
    if (name === undefined) return;
    const compact = Buffer.from(`compact ${this.#upTo(1e6)}`);
    const temporary = `subs${this.#upTo(1e9)}`;
    const open = this.#disk.openNow(`${ROOT}/${temporary}`, { mode: "create" });
    open.writeNow(compact, 0, compact.length, 0);
    await open.sync();
    await this.#disk.syncDirectory(ROOT);
    const former = this.files.get(name);
    if (former === undefined) return;
    this.#disk.renameNow(`${ROOT}/${temporary}`, `${ROOT}/${name}`);
    this.#log.replaceFile(name, temporary);
    former.open.close();
    // Until the log knows of it, either file may be there after a crash.
    const replaced: ModelFile = { open, durable: compact, pending: [], written: [], former: former.durable };
    this.files.set(name, replaced);
    while (!(await this.#commit()));
    replaced.former = undefined;
  }

  /** One at a time: where even the erasing of a refused batch fails, it may come back after a crash. */
  #fault(): void {
    if (this.#lastFault?.hits === 0) return;
    const isSegment = (path: string) => path.includes("/.commit.");
    const kind = this.#random.next() < 0.5 ? "io" : "no_space";
    this.#lastFault = this.#disk.inject({ operation: "write", kind, path: isSegment, skip: this.#upTo(3) });
  }
}

/** Contents below the root without the log's own files and temporary ones. */
function contents(disk: SimulatedDisk): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const [path, bytes] of disk.contents()) {
    const name = path.slice(ROOT.length + 1);
    if (name.includes("/")) found.set(name, Buffer.from(bytes));
  }
  return found;
}

function hex(files: ReadonlyMap<string, Buffer>): readonly string[] {
  return [...files].map(([name, bytes]) => `${name} ${bytes.toString("hex")}`).sort();
}

interface Replayed {
  readonly disk: SimulatedDisk;
  readonly report: ReplayReport;
  /** What the files held when the replay began that got through. */
  readonly before: ReadonlyMap<string, Buffer>;
}

/** Replays after a crash, and perhaps crashes while at it. */
async function replayed(crashed: SimulatedDisk, random: Random): Promise<Replayed> {
  let disk = crashed;
  for (;;) {
    const before = contents(disk);
    if (random.next() < 0.3) disk.stopAfter(1 + Math.floor(random.next() * 60));
    const report = await Promise.race([
      replayCommitLog({ directory: ROOT, fileSystem: disk, logger: silentLogger }).catch((error: unknown) => {
        if (disk.isRunning) throw error;
        return undefined;
      }),
      disk.stopped.then(() => undefined),
    ]);
    if (report !== undefined && disk.isRunning) {
      disk.stopAfter(Number.POSITIVE_INFINITY);
      return { disk, report, before };
    }
    disk = disk.crash(random.next() < 0.5 ? "kill" : "power");
  }
}

/** Checks what a replay has left of one file, and decides what the next session takes it to be. */
function check(name: string, file: ModelFile, before: Buffer | undefined, after: Buffer | undefined): Buffer {
  const { durable, former, pending, written } = file;
  const left = after ?? Buffer.alloc(0);
  if (former !== undefined && left.subarray(0, durable.length).compare(durable) !== 0) {
    expect(left.subarray(0, former.length).toString("hex"), `${name}, as it was`).toBe(former.toString("hex"));
    return former;
  }
  expect(left.subarray(0, durable.length).toString("hex"), name).toBe(durable.toString("hex"));
  if (former !== undefined) return durable;
  // Behind it may lie what was written and not committed, whole or not; but the replay has added nothing of what was
  // refused, and of what was under way all or nothing.
  const [first] = pending;
  const whole = Buffer.concat(pending.map((entry) => entry.bytes));
  for (let at = durable.length; at < left.length; at++) {
    const stands = left[at]!;
    // Also a file that a crash made longer than it wrote.
    if (stands === 0) continue;
    if (stands === before?.[at]) {
      const known = written.some(({ position, bytes }) => bytes[at - position] === stands);
      if (!known) expect.fail(`${name}: a byte at ${at} that nobody has written`);
    } else if (first === undefined || whole[at - first.position] !== stands) {
      expect.fail(`${name}: the replay has put a byte at ${at} that was not under way`);
    }
  }
  return durable;
}

/** Takes what was found as it is, as far as it is known to be good; cuts off the rest, for good. */
async function mend(disk: SimulatedDisk, good: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const { name, isDirectory } of disk.listNow(ROOT)) {
    if (!isDirectory && name.startsWith("subs")) disk.removeNow(`${ROOT}/${name}`);
    if (!isDirectory) continue;
    for (const file of disk.listNow(`${ROOT}/${name}`)) {
      const path = `${ROOT}/${name}/${file.name}`;
      const known = good.get(`${name}/${file.name}`);
      if (known === undefined) {
        disk.removeNow(path);
        continue;
      }
      const open = disk.openNow(path, { mode: "write" });
      open.truncateNow(known.length);
      await open.sync();
      open.close();
    }
    await disk.syncDirectory(`${ROOT}/${name}`);
  }
  await disk.syncDirectory(ROOT);
}

/** One directory through several servers, each of which ends in a crash. */
async function life(seed: number): Promise<{ readonly sessions: number; readonly replayed: number }> {
  const random = seededRandom(seed);
  const clock = new FakeClock();
  let disk = new SimulatedDisk({ seed });
  disk.makeDirectoryNow(ROOT);
  await disk.syncDirectory("/");
  let known: ReadonlyMap<string, Buffer> = new Map();
  let count = 0;
  const sessions = 1 + Math.floor(random.next() * SESSIONS_MAX);
  for (let session = 0; session < sessions; session++) {
    disk.stopAfter(1 + Math.floor(random.next() * random.next() * 400));
    let caller: ModelCaller | undefined;
    const run = async (): Promise<void> => {
      const options = { directory: ROOT, fileSystem: disk, logger: silentLogger, clock, random };
      const onRefused = (): void => caller?.cutBack();
      const { log } = await openCommitLog({ ...options, segmentBytes: SEGMENT_BYTES, onRefused });
      caller = new ModelCaller(disk, log, random, known);
      await caller.run();
    };
    const ended = run().catch((error: unknown) => {
      if (disk.isRunning) throw error;
    });
    await Promise.race([ended, disk.stopped]);
    disk = disk.crash(random.next() < 0.5 ? "kill" : "power");

    const recovery = await replayed(disk, random);
    const { report, before } = recovery;
    disk = recovery.disk;
    count += report.replayed;
    expect(report.damaged).toEqual([]);
    const after = contents(disk);
    const good = new Map<string, Buffer>();
    for (const [name, file] of caller?.files ?? []) {
      const durable = check(name, file, before.get(name), after.get(name));
      if (durable.length > 0) good.set(name, durable);
    }
    if (caller === undefined) expect(hex(after)).toEqual(hex(before));

    const again = await replayCommitLog({ directory: ROOT, fileSystem: disk, logger: silentLogger });
    expect([again.replayed, again.present, again.discardedCount]).toEqual([0, 0, 0]);
    expect(hex(contents(disk))).toEqual(hex(after));
    if (caller !== undefined) known = good;
    // What was replayed does not need the log any more.
    const isCertain = [...(caller?.files.values() ?? [])].every((file) => file.former === undefined);
    if (isCertain && random.next() < 0.3) disk = (await replayed(disk.crash("power"), random)).disk;
    const kept = contents(disk);
    for (const [name, durable] of known) {
      const left = kept.get(name)?.subarray(0, durable.length) ?? Buffer.alloc(0);
      expect(left.toString("hex"), name).toBe(durable.toString("hex"));
    }
    await mend(disk, known);
  }
  return { sessions, replayed: count };
}

describe("commit log on a disk that fails", () => {
  it(`has everything that was committed, once and in its place, after ${ROUNDS} lives of servers that crash`, async () => {
    let replayedCount = 0;
    for (let seed = 1; seed <= ROUNDS; seed++) {
      try {
        replayedCount += (await life(seed)).replayed;
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    // The disk does lose what the log then brings back.
    expect(replayedCount).toBeGreaterThan(ROUNDS);
  }, 120_000);
});
