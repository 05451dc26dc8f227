import type { FileSystem, OpenFile } from "@nats-streaming/kernel";
import { CommitLogError } from "./commit-log.ts";
import { segmentName } from "./segment-format.ts";
import { synced } from "./synced.ts";

/** Segments kept beyond the one in use: the next one, and the one after, so that a burst finds written blocks too. */
export const SPARE_SEGMENTS_MAX = 2;

/** Zeros written at once into a new segment, so that the machine's other files get their turn in between. */
const ZEROS_BYTES = 1_048_576;

export interface SegmentPoolOptions {
  readonly directory: string;
  readonly fileSystem: FileSystem;
  readonly segmentBytes: number;
  /** How many segments exist. */
  readonly count: number;
  /** Numbers of those of them that hold nothing that is needed. */
  readonly free: readonly number[];
  /** The highest number there is. */
  readonly highest: number;
}

/** A segment file in use. */
export interface SegmentFile {
  readonly number: number;
  readonly file: OpenFile;
}

/** The segment files: makes them, with all their blocks written, and gives used ones out again. */
export class SegmentPool {
  readonly #directory: string;
  readonly #fileSystem: FileSystem;
  readonly #segmentBytes: number;
  readonly #free: number[];
  #highest: number;
  /** Segments on disk. */
  #count: number;
  #preparing: Promise<void> | undefined;
  #failure: CommitLogError | undefined;

  constructor({ directory, fileSystem, segmentBytes, count, free, highest }: SegmentPoolOptions) {
    this.#directory = directory;
    this.#fileSystem = fileSystem;
    this.#segmentBytes = segmentBytes;
    this.#free = [...free].sort((a, b) => a - b);
    this.#highest = highest;
    this.#count = count;
    for (const surplus of this.#free.splice(SPARE_SEGMENTS_MAX)) this.#remove(surplus);
  }

  /** A sync that failed in the background: as final as any other. */
  get failure(): CommitLogError | undefined {
    return this.#failure;
  }

  /** What the segments take on disk; one that an earlier server has left in another size counts as one of this size. */
  get diskBytes(): number {
    return this.#count * this.#segmentBytes;
  }

  /**
   * A segment, open, with all its blocks written.
   * @throws (rejects) FileError; nothing has changed then. CommitLogError `sync_failed`
   */
  async acquire(): Promise<SegmentFile> {
    // What failed in the background is tried again here, where somebody gets to hear of it.
    await this.#preparing;
    const number = this.#free[0] ?? (await this.#make());
    const file = await this.#openWhole(number);
    this.#free.splice(this.#free.indexOf(number), 1);
    return { number, file };
  }

  /** Makes a segment beside the event loop if there is no spare one, so that {@link acquire} finds it ready. */
  prepare(): void {
    if (this.#free.length > 0 || this.#preparing !== undefined) return;
    const settled = (): void => {
      this.#preparing = undefined;
    };
    this.#preparing = this.#make().then(settled, settled);
  }

  /** Takes a closed segment back, as the next to be given out. */
  giveBack(number: number): void {
    this.#free.unshift(number);
  }

  /** Takes closed segments back that hold nothing that is needed any more. */
  recycle(numbers: readonly number[]): void {
    for (const number of numbers) {
      if (this.#free.length < SPARE_SEGMENTS_MAX) this.#free.push(number);
      else this.#remove(number);
    }
  }

  /** Settles when nothing is done in the background any more. */
  async close(): Promise<void> {
    await this.#preparing;
  }

  /** Makes one more segment and puts it among the free ones. */
  async #make(): Promise<number> {
    const number = ++this.#highest;
    const path = this.#path(number);
    try {
      const file = this.#fileSystem.openNow(path, { mode: "write" });
      this.#count++;
      try {
        await this.#fill(file);
      } finally {
        file.close();
      }
      await synced(this.#fileSystem.syncDirectory(this.#directory));
    } catch (error) {
      if (error instanceof CommitLogError) this.#failure ??= error;
      this.#remove(number);
      throw error;
    }
    this.#free.push(number);
    return number;
  }

  /** One that was left over may be short, after a crash, or of another size, by another configuration. */
  async #openWhole(number: number): Promise<OpenFile> {
    const file = this.#fileSystem.openNow(this.#path(number), { mode: "write" });
    try {
      if (file.sizeNow() !== this.#segmentBytes) await this.#fill(file);
    } catch (error) {
      file.close();
      throw error;
    }
    return file;
  }

  async #fill(file: OpenFile): Promise<void> {
    if (file.sizeNow() > this.#segmentBytes) file.truncateNow(this.#segmentBytes);
    const zeros = new Uint8Array(Math.min(ZEROS_BYTES, this.#segmentBytes));
    for (let at = file.sizeNow(); at < this.#segmentBytes; ) {
      const length = Math.min(zeros.length, this.#segmentBytes - at);
      await file.write(zeros, 0, length, at);
      at += length;
    }
    await synced(file.sync());
  }

  /** A segment that cannot be removed is in nobody's way: the next start finds it. */
  #remove(number: number): void {
    try {
      this.#fileSystem.removeNow(this.#path(number));
      this.#count--;
    } catch {}
  }

  #path(number: number): string {
    return `${this.#directory}/${segmentName(number)}`;
  }
}
