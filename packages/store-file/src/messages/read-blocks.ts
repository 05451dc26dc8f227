import { LOOKUP_FOUND, LOOKUP_NONE, type Lookup, type StoredMessage } from "@nats-streaming/store";
import type { Checksum } from "../format/crc32.ts";
import { RECORD_HEADER_SIZE } from "../format/record.ts";
import type { Evictable, MessageCache } from "./message-cache.ts";
import { type ReadBlock, readBlock } from "./read-block.ts";
import type { Slice } from "./slice.ts";

/** Blocks kept per channel: one for each of a few subscribers that catch up at different places. */
const BLOCKS_MAX = 8;

/** What was loaded of a channel's messages, for as long as the cache has room. */
export class ReadBlocks {
  readonly #cache: MessageCache;
  /** The newest first. */
  #blocks: CachedBlock[] = [];
  /** Changes when what is on disk has become something else: loads under way are of no use then. */
  #epoch = 0;

  constructor(cache: MessageCache) {
    this.#cache = cache;
  }

  /** undefined when nothing is known of that sequence. */
  lookup(sequence: number, out: StoredMessage): Lookup | undefined {
    for (const { block } of this.#blocks) {
      if (sequence < block.first || sequence >= block.end) continue;
      if (block.starts.length === 0) return LOOKUP_NONE;
      const i = sequence - block.first;
      out.bytes = block.bytes;
      out.start = block.starts[i]! + RECORD_HEADER_SIZE;
      out.end = block.starts[i + 1]!;
      return LOOKUP_FOUND;
    }
    return undefined;
  }

  /** Brings up to `count` messages of a slice, from `sequence` on. @throws FileError; StoreError `read_failed` */
  async load(
    slice: Slice,
    sequence: number,
    count: number,
    readBytes: number,
    checksum: Checksum | undefined,
  ): Promise<void> {
    const epoch = this.#epoch;
    const block = await readBlock({ slice, sequence, count, readBytes, checksum });
    if (epoch !== this.#epoch) return;
    const oldest = this.#blocks.length < BLOCKS_MAX ? undefined : this.#blocks[this.#blocks.length - 1];
    if (oldest !== undefined) {
      this.#cache.used -= this.drop(oldest);
      this.#cache.forget(oldest);
    }
    const cached = new CachedBlock(this, block);
    this.#cache.trim(cached.size);
    this.#cache.used += cached.size;
    this.#cache.touch(cached);
    this.#blocks.unshift(cached);
  }

  /** @returns the bytes that were let go */
  drop(cached: CachedBlock): number {
    const at = this.#blocks.indexOf(cached);
    if (at < 0) return 0;
    this.#blocks.splice(at, 1);
    return cached.size;
  }

  clear(): void {
    this.#epoch++;
    for (const cached of this.#blocks) {
      this.#cache.used -= cached.size;
      this.#cache.forget(cached);
    }
    this.#blocks = [];
  }
}

class CachedBlock implements Evictable {
  readonly block: ReadBlock;
  readonly size: number;
  older: Evictable | undefined;
  newer: Evictable | undefined;
  readonly #owner: ReadBlocks;

  constructor(owner: ReadBlocks, block: ReadBlock) {
    this.#owner = owner;
    this.block = block;
    this.size = block.bytes.length + block.starts.byteLength;
  }

  get isEmpty(): boolean {
    return true;
  }

  evict(): number {
    return this.#owner.drop(this);
  }
}
