import { invariant } from "@nats-streaming/kernel";
import {
  createPage,
  dropFront,
  endAt,
  freeSlabAt,
  type IndexPage,
  isAbsent,
  OFFSET_BITS,
  PAGE_SEQUENCES,
  pushAbsent,
  pushEntry,
  pushSlab,
  skipAbsent,
  slabAt,
  startAt,
  truncatePage,
} from "./index-page.ts";
import type { ByteRange, MessageArena, SizeAt } from "./message-arena.ts";
import { createSlab, freedSlab, type Slab, shrinkSlab } from "./slab.ts";

/** The first slab of a log: room for a few messages, since there may be 100,000 channels with one message each. */
const SLAB_MIN = 512;

/** Up to here a log's memory doubles with each slab; from there on a slab is an eighth of what is stored. */
const SLAB_DOUBLING_MAX = 4096;

/** The largest slab with more than one message: the index has this many bits for the offset in it. */
const SLAB_MAX = 2 ** OFFSET_BITS;

/** Unused bytes in first and last slab are tolerated up to an eighth of what is stored, or up to this. */
const SLACK_BYTES = 4096;

/** Index entries of removed messages are tolerated up to twice the number of messages, or up to this. */
const SLACK_ENTRIES = 64;

/**
 * A {@link MessageArena} of slabs and index pages.
 *
 * ```text
 *   indexed: entries of pages | not yet: one behind the other in the last slab |  reserved
 *                              #unindexedAt                                      #used
 * ```
 *
 * Messages that tell their size are indexed many at a time, when somebody looks for one or the slab is full: with many arenas
 * that take turns, each page that a message needs at once is several cache misses. For the same reason the state of the last
 * slab is kept here while it is the last; {@link #catchUp} brings pages and slab up to date.
 */
export class SlabArena implements MessageArena {
  #reserved: Uint8Array = freedSlab.bytes;
  #reservedSize = 0;
  /** Of the last slab. */
  #used = 0;
  #limit = 0;
  #base = 0;
  /** The messages behind those in the pages, and the offset of the first of them. */
  #unindexed = 0;
  #unindexedAt = 0;
  #lastSequence = 0;
  /** The last message's; below the last sequence when that was taken back to one without a message. */
  #lastHeld = 0;
  #count = 0;
  #bytes = 0;
  readonly #sizeAt: SizeAt | undefined;
  #firstSequence = 0;

  /** The slab that messages are appended to. */
  #tail: Slab = freedSlab;
  /** The last page, or {@link noPage}. */
  #tailPage: IndexPage = noPage;
  /** In the order of their numbers; none is empty. */
  readonly #pages: IndexPage[] = [];
  /** The page found last. Lookups go mostly to the neighbour of the one before: this saves the search. */
  #recent: IndexPage = noPage;

  constructor(sizeAt: SizeAt | undefined) {
    this.#sizeAt = sizeAt;
  }

  get firstSequence(): number {
    return this.#firstSequence;
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get reserved(): Uint8Array {
    return this.#reserved;
  }

  reserve(size: number): number {
    // An empty message needs a place too: a full slab has no offset left for it.
    if (this.#used + Math.max(size, 1) > this.#limit) this.#openSlab(size);
    this.#reservedSize = size;
    return this.#used - this.#base;
  }

  commit(sequence: number): void {
    const size = this.#reservedSize;
    if (this.#sizeAt !== undefined && this.#count > 0 && sequence === this.#lastHeld + 1) {
      if (this.#unindexed === 0) this.#unindexedAt = this.#used;
      this.#unindexed++;
    } else {
      invariant(sequence > this.#lastSequence, `sequence ${sequence} is not above ${this.#lastSequence}`);
      this.#catchUp();
      this.#enter(sequence, this.#used, size);
      if (this.#count === 0) this.#firstSequence = sequence;
    }
    this.#used += size;
    this.#lastSequence = this.#lastHeld = sequence;
    this.#count++;
    this.#bytes += size;
    this.#reservedSize = 0;
  }

  /** Puts a message of the last slab into the index, at its end. */
  #enter(sequence: number, offset: number, size: number): void {
    const slab = this.#tail;
    let page = this.#tailPage;
    if (sequence - page.first !== page.length || page.length === 0 || sequence >= page.limit) {
      page = this.#pageFor(sequence);
    }
    if (page.lastSlab !== slab) pushSlab(page, slab);
    pushEntry(page, offset);
    page.end = offset + size;
  }

  /** Everybody who looks at pages or at the last slab begins with this. */
  #catchUp(): void {
    this.#tail.used = this.#used;
    if (this.#unindexed === 0) return;
    const sizeAt = this.#sizeAt!;
    let at = this.#unindexedAt;
    let sequence = this.#lastSequence - this.#unindexed + 1;
    this.#unindexed = 0;
    for (; sequence <= this.#lastSequence; sequence++) {
      const size = sizeAt(this.#reserved, at - this.#base);
      this.#enter(sequence, at, size);
      at += size;
    }
  }

  /** The last slab is another one, or has changed. */
  #takeUp(tail: Slab): void {
    this.#tail = tail;
    this.#reserved = tail.bytes;
    this.#used = tail.used;
    this.#limit = tail.limit;
    this.#base = tail.base;
  }

  locate(sequence: number, out: ByteRange): boolean {
    if (sequence > this.#lastSequence - this.#unindexed) this.#catchUp();
    let page = this.#recent;
    let index = sequence - page.first;
    if (index < 0 || index >= page.length) {
      const found = this.#findPage(sequence);
      if (found === undefined) return false;
      page = found;
      index = sequence - page.first;
      if (index < 0 || index >= page.length) return false;
      this.#recent = page;
    }
    if (sequence < this.#firstSequence || isAbsent(page, index)) return false;
    const slab = slabAt(page, index);
    out.bytes = slab.bytes;
    out.start = startAt(page, index) - slab.base;
    out.end = endAt(page, index) - slab.base;
    return true;
  }

  nextSequence(from: number): number {
    if (this.#count === 0 || from > this.#lastSequence) return 0;
    if (from <= this.#firstSequence) return this.#firstSequence;
    this.#catchUp();
    const at = this.#placeOf(Math.floor(from / PAGE_SEQUENCES));
    const page = this.#pages[at];
    if (page === undefined) return 0;
    if (from <= page.first) return page.first;
    const index = skipAbsent(page, Math.min(from - page.first, page.length));
    if (index < page.length) return page.first + index;
    // A page begins with a message when it is made, and only the first one loses any from its front.
    return this.#pages[at + 1]?.first ?? 0;
  }

  removeFirst(): number {
    this.#catchUp();
    const page = this.#pages[0];
    if (page === undefined) return 0;
    const index = this.#firstSequence - page.first;
    const slab = slabAt(page, index);
    const size = endAt(page, index) - startAt(page, index);
    this.#count--;
    this.#bytes -= size;
    if (this.#count === 0) {
      this.#dropAll();
      this.#firstSequence = this.#lastSequence + 1;
      return size;
    }

    let first = page;
    let next = skipAbsent(page, index + 1);
    if (next === page.length) {
      this.#pages.shift();
      first = this.#pages[0]!;
      next = 0;
      if (this.#recent === page) this.#recent = first;
    }
    this.#firstSequence = first.first + next;
    if (first === page && slabAt(page, next) !== slab) freeSlabAt(page, index);
    this.#giveBackMemory(first, next);
    return size;
  }

  truncateAfter(sequence: number): void {
    if (sequence >= this.#lastSequence) return;
    if (this.#count === 0 || sequence < this.#firstSequence) {
      this.clear();
      this.#lastSequence = sequence;
      this.#firstSequence = sequence === 0 ? 0 : sequence + 1;
      return;
    }
    this.#catchUp();
    let page = this.#tailPage;
    while (page.first > sequence) {
      this.#takeBack(page, 0);
      this.#pages.pop();
      page = this.#pages[this.#pages.length - 1]!;
    }
    // The sequence itself may lie in a gap: the page ends with the last message that is left.
    let last = Math.min(sequence - page.first, page.length - 1);
    this.#takeBack(page, last + 1);
    while (isAbsent(page, last)) last--;
    truncatePage(page, last);
    this.#tailPage = page;
    this.#recent = page;
    const tail = slabAt(page, last);
    tail.used = page.end;
    this.#takeUp(tail);
    this.#lastHeld = page.first + last;
    this.#lastSequence = sequence;
  }

  clear(): void {
    this.#dropAll();
    this.#firstSequence = 0;
    this.#lastSequence = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  memoryBytes(): number {
    this.#catchUp();
    let total = 0;
    let counted: Slab = freedSlab;
    for (const page of this.#pages) {
      total += page.entries.byteLength;
      for (const slab of page.slabs) {
        if (slab !== counted) total += slab.bytes.length;
        counted = slab;
      }
    }
    return total;
  }

  /** Closes the last slab and opens one that takes `size` bytes. */
  #openSlab(size: number): void {
    this.#catchUp();
    const closing = this.#tail;
    // A rest above an eighth would be a lasting waste. Each slab is copied at most once for it.
    const rest = closing.limit - closing.used;
    if (closing.used > closing.base && rest * 8 > closing.limit - closing.base) shrinkSlab(closing, closing.base);

    const stored = this.#bytes + size;
    const wanted = Math.max(SLAB_MIN, stored / 8, Math.min(stored, SLAB_DOUBLING_MAX));
    // Room for a whole number of messages of this size (and a byte more each, as numbers in them grow): so messages of
    // one size leave no rest. A message larger than a slab has one of its own.
    const capacity = Math.max(size, Math.min(SLAB_MAX, Math.ceil(wanted / (size + 1)) * (size + 1)));
    this.#takeUp(createSlab(capacity));
  }

  /** The last page, made ready so that its next entry is that of `sequence`. */
  #pageFor(sequence: number): IndexPage {
    let page = this.#tailPage;
    if (page.length > 0 && sequence < page.limit) {
      const last = page.lastSlab;
      while (page.first + page.length < sequence) pushAbsent(page, last);
      return page;
    }
    page = createPage(sequence, this.#tail, this.#count);
    this.#pages.push(page);
    this.#tailPage = page;
    return page;
  }

  /** Subtracts the messages of a page from `index` on. */
  #takeBack(page: IndexPage, index: number): void {
    const from = Math.max(index, this.#firstSequence - page.first);
    for (let i = from; i < page.length; i++) {
      if (isAbsent(page, i)) continue;
      this.#count--;
      this.#bytes -= endAt(page, i) - startAt(page, i);
    }
  }

  /**
   * Keeps the promise about memory after a removal: cuts off what is dead in the first slab, what is free in the last
   * one, and index entries before the first message. In a log that keeps its size none of it happens, as slabs are an
   * eighth of it; where it does, at most twice as much is copied as was removed since.
   */
  #giveBackMemory(first: IndexPage, index: number): void {
    const tolerated = this.#bytes / 8 + SLACK_BYTES;
    const head = slabAt(first, index);
    const start = startAt(first, index);
    if (start - head.base > tolerated) shrinkSlab(head, start);
    const tail = this.#tail;
    if (tail.limit - tail.used > tolerated) shrinkSlab(tail, tail.base);
    this.#takeUp(tail);
    if (index > SLACK_ENTRIES && index > 2 * this.#count) dropFront(first, index);
  }

  #findPage(sequence: number): IndexPage | undefined {
    const number = Math.floor(sequence / PAGE_SEQUENCES);
    const page = this.#pages[this.#placeOf(number)];
    return page?.number === number ? page : undefined;
  }

  /** Place of the first page with that number or a higher one. Without gaps it is where it has to be: no search. */
  #placeOf(number: number): number {
    const pages = this.#pages;
    const guess = number - (pages[0]?.number ?? 0);
    if (guess <= 0) return 0;
    if (guess < pages.length && pages[guess]!.number === number) return guess;
    let low = 0;
    let high = Math.min(guess, pages.length);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (pages[middle]!.number < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #dropAll(): void {
    this.#pages.length = 0;
    this.#recent = noPage;
    this.#tailPage = noPage;
    this.#takeUp(freedSlab);
    this.#reservedSize = 0;
    this.#unindexed = 0;
  }
}

/** Stands for a page when there is none: no sequence is in it. */
const noPage: IndexPage = createPage(0, freedSlab, 0);
