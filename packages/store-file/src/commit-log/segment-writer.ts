import { type Clock, FileError, invariant, type Logger, type OpenFile, type Random } from "@nats-streaming/kernel";
import type { FrameWriter } from "./frame-writer.ts";
import type { LogEnd } from "./gathering.ts";
import { createQuickSyncs, type QuickSyncs } from "./quick-syncs.ts";
import {
  encodeMark,
  frameSpan,
  markOffset,
  nextFramePlace,
  SALT_BYTES,
  writeFrameHeader,
  writeSegmentHeader,
} from "./segment-format.ts";
import type { SegmentPool } from "./segment-pool.ts";
import { synced, syncedNow } from "./synced.ts";

/** Up to here writing in place costs less than the way to another thread, and holds up the loop for some 0.2 ms at most. */
const WRITE_NOW_MAX = 524_288;

export interface SegmentWriterOptions {
  readonly pool: SegmentPool;
  readonly segmentBytes: number;
  readonly random: Random;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Above that of every segment there is. */
  readonly generation: number;
  /** Above that of every frame there is. */
  readonly address: number;
  /**
   * The segment that says that what earlier servers wrote needs no replay. It stays as it is until another one says so,
   * lest their frames come to life again.
   */
  readonly lowWaterSegment: number | undefined;
}

interface Segment {
  readonly number: number;
  readonly file: OpenFile;
  readonly salt: Uint8Array;
  /** Where the next frame may go. */
  offset: number;
  address: number;
  spareMark: 0 | 1;
}

/** A part of a batch that was written. */
interface Written {
  readonly segment: Segment;
  readonly frame: FrameWriter;
  /** Bytes of it, up to the end of a page. */
  readonly length: number;
}

/** The written end of the log: puts batches and marks to disk, one at a time. */
export class SegmentWriter {
  readonly #pool: SegmentPool;
  readonly #segmentBytes: number;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #quick: QuickSyncs = createQuickSyncs();
  #generation: number;
  #batch = 0;
  #current: Segment | undefined;
  #address: number;
  #lowWater: number;
  /** Full segments that hold what is not checkpointed yet: number, and address behind their last frame. */
  #full: { readonly number: number; readonly end: number }[] = [];

  constructor(options: SegmentWriterOptions) {
    this.#pool = options.pool;
    this.#segmentBytes = options.segmentBytes;
    this.#random = options.random;
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#generation = options.generation;
    this.#address = options.address;
    this.#lowWater = options.address;
    if (options.lowWaterSegment !== undefined) {
      this.#full.push({ number: options.lowWaterSegment, end: options.address });
    }
  }

  /** Behind everything that is durable. */
  get end(): LogEnd {
    return { offset: this.#current?.offset ?? Number.POSITIVE_INFINITY, address: this.#address };
  }

  get lowWater(): number {
    return this.#lowWater;
  }

  /**
   * Makes a batch durable.
   * @throws (rejects) FileError; nothing of the batch counts then. CommitLogError `sync_failed`
   */
  async write(frames: readonly FrameWriter[]): Promise<void> {
    const before = this.#current;
    const batch = this.#nextBatch();
    const opened: Segment[] = [];
    const written: Written[] = [];
    try {
      for (const [part, frame] of frames.entries()) {
        const { opensSegment, address } = frame.place;
        if (opensSegment) opened.push(await this.#open(frame));
        const segment = opened.at(-1) ?? before;
        invariant(segment !== undefined, "a frame without a segment");
        const length = frame.pad();
        written.push({ segment, frame, length });
        const isLast = part === frames.length - 1;
        writeFrameHeader(frame.bytes, frame.frameAt, segment.salt, address, {
          length: frame.length,
          part,
          isLast,
          batch,
        });
        const at = opensSegment ? 0 : frame.place.offset;
        if (length <= WRITE_NOW_MAX) segment.file.writeNow(frame.bytes, 0, length, at);
        else await segment.file.write(frame.bytes, 0, length, at);
      }
    } catch (error) {
      await this.#takeBack(written, opened);
      throw error;
    }
    await this.#sync(written);

    for (const { segment, frame } of written) {
      const span = frameSpan(frame.length);
      if (segment !== this.#current) this.#moveTo(segment);
      segment.offset = frame.place.offset + span;
      segment.address = frame.place.address + span;
      this.#address = segment.address;
    }
    if (2 * (this.#current?.offset ?? 0) > this.#segmentBytes) this.#pool.prepare();
  }

  /** @throws (rejects) CommitLogError `sync_failed` */
  async #sync(written: readonly Written[]): Promise<void> {
    const begun = this.#clock.monotonicMillis();
    const only = written.length === 1 ? written[0] : undefined;
    if (only !== undefined && !only.frame.place.opensSegment && this.#quick.isDue(only.length)) {
      const { segment, frame, length } = only;
      syncedNow(() => segment.file.syncRangeNow(frame.bytes, 0, length, frame.place.offset));
    } else {
      for (const segment of new Set(written.map((one) => one.segment))) await synced(segment.file.sync());
    }
    this.#quick.took(this.#clock.monotonicMillis() - begun);
  }

  /**
   * Makes it known for good that frames below an address need no replay, and recycles segments.
   * @throws (rejects) FileError; nothing has changed then. CommitLogError `sync_failed`
   */
  async mark(lowWater: number): Promise<void> {
    const segment = this.#current;
    // Without a segment nothing was committed since the start, which left nothing to replay.
    if (segment !== undefined) {
      const mark = encodeMark(segment.salt, lowWater);
      segment.file.writeNow(mark, 0, mark.length, markOffset(segment.spareMark));
      await synced(segment.file.sync());
      segment.spareMark = segment.spareMark === 0 ? 1 : 0;
    }
    this.#lowWater = lowWater;
    if (segment === undefined) return;
    this.#pool.recycle(this.#full.filter(({ end }) => end <= lowWater).map(({ number }) => number));
    this.#full = this.#full.filter(({ end }) => end > lowWater);
  }

  async close(): Promise<void> {
    await this.#pool.close();
    this.#current?.file.close();
    this.#current = undefined;
  }

  #nextBatch(): number {
    this.#batch = (this.#batch + 1) % 256;
    return this.#batch;
  }

  async #open(frame: FrameWriter): Promise<Segment> {
    const { number, file } = await this.#pool.acquire();
    const salt = new Uint8Array(SALT_BYTES);
    this.#random.fill(salt);
    const { offset, address } = frame.place;
    const generation = ++this.#generation;
    writeSegmentHeader(frame.bytes, { salt, generation, address, lowWater: this.#lowWater });
    return { number, file, salt, offset, address, spareMark: 0 };
  }

  #moveTo(segment: Segment): void {
    const full = this.#current;
    this.#current = segment;
    if (full === undefined) return;
    full.file.close();
    this.#full.push({ number: full.number, end: full.address });
  }

  /**
   * Makes sure, as far as the disk lets it, that a batch which was refused is not found by a replay: all of it may be on
   * the disk although its write has failed.
   */
  async #takeBack(written: readonly Written[], opened: readonly Segment[]): Promise<void> {
    const zeros = new Uint8Array(nextFramePlace(0));
    try {
      for (const { segment, frame } of written) {
        segment.file.writeNow(zeros, 0, zeros.length, frame.place.offset);
        if (frame.place.opensSegment) segment.file.writeNow(zeros, 0, zeros.length, 0);
      }
      for (const segment of new Set(written.map((one) => one.segment))) await synced(segment.file.sync());
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#logger.warn(`Commit log: a refused batch could not be erased: ${error.message}`);
    } finally {
      // In reverse, so that they are taken again in their order, and overwritten.
      for (const segment of opened.toReversed()) {
        segment.file.close();
        this.#pool.giveBack(segment.number);
      }
    }
    // What could not be erased in an opened segment must not come to stand behind frames that are still to be written.
    if (opened.length > 0 && this.#current !== undefined) this.#current.offset = Number.POSITIVE_INFINITY;
  }
}
