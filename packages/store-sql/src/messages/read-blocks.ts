import { LOOKUP_FOUND, LOOKUP_NONE, type Lookup, type StoredMessage } from "@nats-streaming/store";
import type { MessageBlock } from "../database.ts";
import type { Evictable, MessageCache } from "./message-cache.ts";

/** Blocks kept per channel: one for each of many subscribers that catch up at different places. */
const BLOCKS_MAX = 64;

/** What was read of a channel's messages, for as long as the cache has room. */
export class ReadBlocks {
  readonly #cache: MessageCache;
  /** The newest first. */
  readonly #blocks: CachedBlock[] = [];
  /**
   * Changes when what the database holds has become something else: what was read before is of no use then.
   */
  epoch = 0;

  constructor(cache: MessageCache) {
    this.#cache = cache;
  }

  /** undefined when nothing is known of that sequence. */
  lookup(sequence: number, out: StoredMessage): Lookup | undefined {
    for (const { first, end, block } of this.#blocks) {
      if (sequence < first || sequence >= end) continue;
      const i = indexOf(block, sequence - first, sequence);
      if (i < 0) return LOOKUP_NONE;
      out.bytes = block.bytes;
      out.start = block.starts[i]!;
      out.end = block.starts[i + 1]!;
      return LOOKUP_FOUND;
    }
    return undefined;
  }

  /** Keeps a block that holds every message of `[first, end)`. */
  add(first: number, end: number, block: MessageBlock): void {
    const oldest = this.#blocks.length < BLOCKS_MAX ? undefined : this.#blocks[this.#blocks.length - 1];
    if (oldest !== undefined) {
      this.#cache.used -= this.drop(oldest);
      this.#cache.forget(oldest);
    }
    const cached = new CachedBlock(this, first, end, block);
    this.#cache.used += cached.size;
    this.#cache.touch(cached);
    this.#blocks.unshift(cached);
    if (this.#cache.used > this.#cache.limit) this.#cache.trimLater();
  }

  /** @returns the bytes that were let go */
  drop(cached: CachedBlock): number {
    const at = this.#blocks.indexOf(cached);
    if (at < 0) return 0;
    this.#blocks.splice(at, 1);
    return cached.size;
  }

  clear(): void {
    this.epoch++;
    for (const cached of this.#blocks) {
      this.#cache.used -= cached.size;
      this.#cache.forget(cached);
    }
    this.#blocks.length = 0;
  }
}

/** Where a sequence stands in a block; below 0 when it has no message. Without gaps it stands where it is expected. */
function indexOf(block: MessageBlock, expected: number, sequence: number): number {
  const { sequences, count } = block;
  if (expected < count && sequences[expected] === sequence) return expected;
  let low = 0;
  let high = Math.min(count, expected);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sequences[middle]! < sequence) low = middle + 1;
    else high = middle;
  }
  return low < count && sequences[low] === sequence ? low : -1;
}

class CachedBlock implements Evictable {
  readonly first: number;
  readonly end: number;
  readonly block: MessageBlock;
  readonly size: number;
  readonly #owner: ReadBlocks;

  constructor(owner: ReadBlocks, first: number, end: number, block: MessageBlock) {
    this.#owner = owner;
    this.first = first;
    this.end = end;
    this.block = block;
    this.size = block.bytes.length + block.starts.byteLength + block.sequences.byteLength;
  }

  get isEmpty(): boolean {
    return true;
  }

  evict(): number {
    return this.#owner.drop(this);
  }
}
