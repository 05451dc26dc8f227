import { freedSlab, type Slab } from "./slab.ts";

/** Sequences per page. Few enough that a page wastes little, many enough that pages are few. */
export const PAGE_SEQUENCES = 1024;

/** Entries with which a page begins: most channels hold few messages. */
const ENTRIES_MIN = 8;

/** Bits of an entry that hold the offset in the slab. No slab with more than one message is larger. */
export const OFFSET_BITS = 20;
const OFFSET_MASK = 2 ** OFFSET_BITS - 1;

/** Set in an entry whose sequence has no message. */
const ABSENT = 0x8000_0000;

/**
 * The places of the messages of {@link PAGE_SEQUENCES} neighbouring sequences: four bytes each.
 *
 * An entry is `absent (1 bit) | number in slabs (11 bits) | offset (20 bits)`. No length is stored: a message ends where
 * the next one begins, or where its slab's messages end. So that this holds before a gap too, an absent entry has the
 * place where the next message would have begun. A message opens at most one slab, hence 11 bits are enough for the
 * number: a page needs at most 1,024 slabs, and one more for an absent entry behind a full one.
 */
export interface IndexPage {
  /** `floor(sequence / PAGE_SEQUENCES)` of all its sequences. */
  readonly number: number;
  /** The first sequence of the next page. */
  readonly limit: number;
  /** Sequence of `entries[0]`. */
  first: number;
  /** Entries in use. The last of them is never absent. */
  length: number;
  entries: Uint32Array;
  /** Slabs that its messages are in, in order. Neighbouring pages may share one. */
  slabs: Slab[];
  /** The last of them, and its number as entries have it: of a page that is seldom at hand each look behind costs. */
  lastSlab: Slab;
  lastSlabBits: number;
  /** Offset behind the last message, in the last slab. */
  end: number;
}

/**
 * A page without entries. In a log that holds whole pages already, room for all entries is made at once: growing step by
 * step costs more than half of an append's time.
 * @param held messages in the log
 */
export function createPage(first: number, slab: Slab, held: number): IndexPage {
  const number = Math.floor(first / PAGE_SEQUENCES);
  return {
    number,
    limit: (number + 1) * PAGE_SEQUENCES,
    first,
    length: 0,
    entries: new Uint32Array(held < PAGE_SEQUENCES ? ENTRIES_MIN : PAGE_SEQUENCES),
    slabs: [slab],
    lastSlab: slab,
    lastSlabBits: 0,
    end: 0,
  };
}

/** From here on messages are in that slab. */
export function pushSlab(page: IndexPage, slab: Slab): void {
  page.slabs.push(slab);
  noteLastSlab(page);
}

/** To be called whenever the slabs have changed. */
function noteLastSlab(page: IndexPage): void {
  const last = page.slabs.length - 1;
  page.lastSlab = page.slabs[last]!;
  page.lastSlabBits = last << OFFSET_BITS;
}

/** Adds a message that begins at `offset` of the last slab. */
export function pushEntry(page: IndexPage, offset: number): void {
  const index = page.length;
  if (index === page.entries.length) growEntries(page);
  page.entries[index] = page.lastSlabBits | offset;
  page.length = index + 1;
}

/** Adds an entry without message behind what `slab`, the last one, holds. */
export function pushAbsent(page: IndexPage, slab: Slab): void {
  // A full slab has no offset for a next message: that would begin the slab behind it.
  const place = slab.used < slab.limit ? page.lastSlabBits | slab.used : page.slabs.length << OFFSET_BITS;
  if (page.length === page.entries.length) growEntries(page);
  page.entries[page.length] = place | ABSENT;
  page.length++;
}

function growEntries(page: IndexPage): void {
  const entries = new Uint32Array(Math.min(PAGE_SEQUENCES, page.entries.length * 2));
  entries.set(page.entries);
  page.entries = entries;
}

/** `index` is below `page.length` in all of these. */
export function isAbsent(page: IndexPage, index: number): boolean {
  return page.entries[index]! >= ABSENT;
}

/** Not for absent entries. */
export function slabAt(page: IndexPage, index: number): Slab {
  return page.slabs[page.entries[index]! >>> OFFSET_BITS]!;
}

/** Offset at which the message begins. Not for absent entries. */
export function startAt(page: IndexPage, index: number): number {
  return page.entries[index]! & OFFSET_MASK;
}

/** Offset behind the message. Not for absent entries. */
export function endAt(page: IndexPage, index: number): number {
  if (index + 1 === page.length) return page.end;
  const slabNumber = page.entries[index]! >>> OFFSET_BITS;
  const next = page.entries[index + 1]! & ~ABSENT;
  return next >>> OFFSET_BITS === slabNumber ? next & OFFSET_MASK : page.slabs[slabNumber]!.used;
}

/** The first index from `index` on that has a message, or `page.length`. */
export function skipAbsent(page: IndexPage, index: number): number {
  let i = index;
  while (i < page.length && page.entries[i]! >= ABSENT) i++;
  return i;
}

/** Lets go of the slab of `index`, none of whose messages is left. */
export function freeSlabAt(page: IndexPage, index: number): void {
  page.slabs[page.entries[index]! >>> OFFSET_BITS] = freedSlab;
  noteLastSlab(page);
}

/** Forgets all entries behind `index`, which has a message. */
export function truncatePage(page: IndexPage, index: number): void {
  const end = endAt(page, index);
  page.slabs.length = (page.entries[index]! >>> OFFSET_BITS) + 1;
  noteLastSlab(page);
  page.length = index + 1;
  page.end = end;
}

/** Drops the entries before `index`, which has a message, and the slabs freed with them. */
export function dropFront(page: IndexPage, index: number): void {
  const freed = page.entries[index]! >>> OFFSET_BITS;
  const kept = page.entries.slice(index, page.length);
  for (let i = 0; i < kept.length; i++) kept[i] = kept[i]! - (freed << OFFSET_BITS);
  page.entries = kept;
  page.slabs = page.slabs.slice(freed);
  noteLastSlab(page);
  page.first += index;
  page.length = kept.length;
}
