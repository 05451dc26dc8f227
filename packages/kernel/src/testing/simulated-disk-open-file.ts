import { FileError, type OpenFile } from "../file-system.ts";
import { simulatedError } from "./simulated-disk-faults.ts";
import type { SimulatedMachine, WriteUnderWay } from "./simulated-disk-machine.ts";
import type { SimulatedFile } from "./simulated-disk-names.ts";

export interface SimulatedOpenFileOptions {
  readonly path: string;
  readonly file: SimulatedFile;
  readonly machine: SimulatedMachine;
  readonly canWrite: boolean;
  /** The calendar, in milliseconds. */
  readonly now: () => number;
}

/** An open file of a simulated disk. */
export class SimulatedOpenFile implements OpenFile {
  readonly path: string;
  readonly #file: SimulatedFile;
  readonly #machine: SimulatedMachine;
  readonly #canWrite: boolean;
  readonly #now: () => number;
  #isOpen = true;

  constructor(options: SimulatedOpenFileOptions) {
    this.path = options.path;
    this.#file = options.file;
    this.#machine = options.machine;
    this.#canWrite = options.canWrite;
    this.#now = options.now;
    this.#file.handles++;
  }

  readNow(target: Uint8Array, offset: number, length: number, position: number): number {
    this.#check("read");
    this.#machine.count("read", this.path);
    return this.#machine.read(this.#file.content, this.path, target, offset, length, position);
  }

  writeNow(source: Uint8Array, offset: number, length: number, position: number): void {
    this.#check("write");
    const write: WriteUnderWay = { content: this.#file.content, source, offset, length, position };
    const wasRunning = this.#machine.isRunning;
    try {
      this.#machine.count("write", this.path);
    } catch (error) {
      if (wasRunning) this.#machine.applyPart(write);
      throw error;
    }
    this.#file.modifiedMillis = this.#now();
    this.#machine.write(write, this.path);
  }

  async read(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    this.#check("read");
    return this.#machine.later("read", this.path, () =>
      this.#machine.read(this.#file.content, this.path, target, offset, length, position),
    );
  }

  async write(source: Uint8Array, offset: number, length: number, position: number): Promise<void> {
    this.#check("write");
    const write: WriteUnderWay = { content: this.#file.content, source, offset, length, position };
    await this.#machine.later(
      "write",
      this.path,
      () => {
        this.#file.modifiedMillis = this.#now();
        this.#machine.write(write, this.path);
      },
      write,
    );
  }

  async sync(): Promise<void> {
    this.#check("sync");
    const token = this.#file.content.beginSync();
    await this.#machine.later("sync", this.path, () => this.#endSync(token));
  }

  /** A disk that is simulated knows only syncs of whole files, which are more than what is asked. */
  syncRangeNow(): void {
    this.#check("sync");
    const token = this.#file.content.beginSync();
    this.#machine.count("sync", this.path);
    this.#endSync(token);
  }

  #endSync(token: ReturnType<SimulatedFile["content"]["beginSync"]>): void {
    const { content } = this.#file;
    try {
      this.#machine.failIfFaulty("sync", this.path);
    } catch (error) {
      const before = content.allocated;
      content.failSync(token, this.#machine.random);
      this.#machine.pagesUsed += content.allocated - before;
      throw error;
    }
    content.endSync(token);
  }

  truncateNow(size: number): void {
    this.#check("truncate");
    this.#machine.count("truncate", this.path);
    this.#machine.failIfFaulty("truncate", this.path);
    if (size < 0) throw simulatedError("truncate", this.path, "invalid_name");
    this.#file.modifiedMillis = this.#now();
    this.#machine.pagesUsed -= this.#file.content.truncate(size);
  }

  sizeNow(): number {
    this.#check("stat");
    this.#machine.count("stat", this.path);
    return this.#file.content.size;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#file.handles--;
    if (this.#machine.isRunning && this.#file.handles === 0 && !this.#file.isLinked) {
      this.#machine.pagesUsed -= this.#file.content.allocated;
    }
  }

  #check(operation: "read" | "write" | "sync" | "truncate" | "stat"): void {
    const isWrite = operation === "write" || operation === "truncate";
    if (this.#isOpen && (this.#canWrite || !isWrite)) return;
    throw new FileError("io", `${operation} ${this.path}: bad file descriptor`);
  }
}
