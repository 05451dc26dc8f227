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
import type { ByteRange, MessageArena } from "./message-arena.ts";
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

/** A {@link MessageArena} of slabs and index pages. */
export class SlabArena implements MessageArena {
  #firstSequence = 0;
  #lastSequence = 0;
  #count = 0;
  #bytes = 0;

  #reserved: Uint8Array = freedSlab.bytes;
  #reservedSize = 0;
  /** The slab that messages are appended to. */
  #tail: Slab = freedSlab;

  /** In the order of their numbers; none is empty. */
  readonly #pages: IndexPage[] = [];
  /** The page found last. Lookups go mostly to the neighbour of the one before: this saves the search. */
  #recent: IndexPage = noPage;
  /** The last page, or {@link noPage}. */
  #tailPage: IndexPage = noPage;

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
    let slab = this.#tail;
    // An empty message needs a place too: a full slab has no offset left for it.
    if (slab.used + Math.max(size, 1) > slab.limit) slab = this.#openSlab(size);
    this.#reserved = slab.bytes;
    this.#reservedSize = size;
    return slab.used - slab.base;
  }

  commit(sequence: number): void {
    const slab = this.#tail;
    let page = this.#tailPage;
    if (sequence - page.first !== page.length || page.length === 0 || sequence >= page.limit) {
      page = this.#pageFor(sequence);
    }
    if (page.lastSlab !== slab) pushSlab(page, slab);
    pushEntry(page, slab.used);
    slab.used += this.#reservedSize;
    page.end = slab.used;

    if (this.#count === 0) this.#firstSequence = sequence;
    this.#lastSequence = sequence;
    this.#count++;
    this.#bytes += this.#reservedSize;
    this.#reservedSize = 0;
  }

  locate(sequence: number, out: ByteRange): boolean {
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
    this.#tail = slabAt(page, last);
    this.#tail.used = page.end;
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
  #openSlab(size: number): Slab {
    const closing = this.#tail;
    // A rest above an eighth would be a lasting waste. Each slab is copied at most once for it.
    const rest = closing.limit - closing.used;
    if (closing.used > closing.base && rest * 8 > closing.limit - closing.base) shrinkSlab(closing, closing.base);

    const stored = this.#bytes + size;
    const wanted = Math.max(SLAB_MIN, stored / 8, Math.min(stored, SLAB_DOUBLING_MAX));
    // Room for a whole number of messages of this size (and a byte more each, as numbers in them grow): so messages of
    // one size leave no rest. A message larger than a slab has one of its own.
    const capacity = Math.max(size, Math.min(SLAB_MAX, Math.ceil(wanted / (size + 1)) * (size + 1)));
    this.#tail = createSlab(capacity);
    return this.#tail;
  }

  /** The last page, made ready so that its next entry is that of `sequence`. */
  #pageFor(sequence: number): IndexPage {
    invariant(sequence > this.#lastSequence, `sequence ${sequence} is not above ${this.#lastSequence}`);
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
    this.#tail = freedSlab;
    this.#reserved = freedSlab.bytes;
    this.#reservedSize = 0;
  }
}

/** Stands for a page when there is none: no sequence is in it. */
const noPage: IndexPage = createPage(0, freedSlab, 0);
