import type { Random } from "../random.ts";

/** What the system caches and writes back as a unit. */
export const SIMULATED_PAGE_BYTES = 4096;
/** What a disk writes wholly or not at all; the simulation tears even these in some of its crashes. */
const SECTOR_BYTES = 512;

/** Undefined is a hole: zeros that take no space. */
type Page = Uint8Array | undefined;

/** What is to be restored when nothing that was written since a moment survives: the pages as they were then. */
interface Epoch {
  readonly pages: Map<number, Page>;
  readonly size: number;
}

/** What a sync under way covers. */
export type SyncToken = Epoch;

/** Asked for each page that a write adds. @returns false when the disk is full */
export type TakeSpace = (pages: number) => boolean;

const ZEROS = new Uint8Array(SIMULATED_PAGE_BYTES);

/**
 * The bytes of a simulated file, as its readers see them, together with what a power loss would leave of them.
 * A page is copied when it is first written after a sync began, so that a sync costs nothing and a loss is a choice
 * between pages.
 */
export class SimulatedContent {
  #pages: Page[] = [];
  #size = 0;
  /** Oldest first: one for each sync under way, and the one that takes note of what is written now. */
  #epochs: Epoch[] = [{ pages: new Map(), size: 0 }];
  /** Pages which a failed sync left behind: clean for the system, so never written again, but older on the disk. */
  readonly #lost = new Map<number, Page>();
  #allocated = 0;

  get size(): number {
    return this.#size;
  }

  /** Pages that are no holes. */
  get allocated(): number {
    return this.#allocated;
  }

  /** @returns how many bytes were there */
  read(target: Uint8Array, offset: number, length: number, position: number): number {
    const count = Math.max(0, Math.min(length, this.#size - position));
    for (let done = 0; done < count; ) {
      const { page, within, run } = this.#place(position + done, count - done);
      target.set((this.#pages[page] ?? ZEROS).subarray(within, within + run), offset + done);
      done += run;
    }
    return count;
  }

  /** @returns how many bytes were written: fewer than asked for when the disk got full */
  write(source: Uint8Array, offset: number, length: number, position: number, take: TakeSpace): number {
    let done = 0;
    while (done < length) {
      const { page, within, run } = this.#place(position + done, length - done);
      if (this.#pages[page] === undefined && !take(1)) break;
      this.#touch(page).set(source.subarray(offset + done, offset + done + run), within);
      done += run;
      if (position + done > this.#size) this.#size = position + done;
    }
    return done;
  }

  /** @returns how many pages were freed */
  truncate(size: number): number {
    const before = this.#allocated;
    const whole = Math.ceil(size / SIMULATED_PAGE_BYTES);
    for (let page = whole; page < this.#pages.length; page++) {
      if (this.#pages[page] === undefined) continue;
      this.#remember(page);
      this.#set(page, undefined);
    }
    const within = size % SIMULATED_PAGE_BYTES;
    if (size < this.#size && within > 0 && this.#pages[whole - 1] !== undefined) this.#touch(whole - 1).fill(0, within);
    if (size < this.#size) this.#pages.length = Math.min(this.#pages.length, whole);
    this.#size = size;
    return before - this.#allocated;
  }

  /** What is written from here on is not covered by the sync that begins. @returns its token */
  beginSync(): SyncToken {
    const token = this.#epochs[this.#epochs.length - 1]!;
    this.#epochs.push({ pages: new Map(), size: this.#size });
    return token;
  }

  /** Everything written before the sync began is on the disk. */
  endSync(token: SyncToken): void {
    const index = this.#epochs.indexOf(token);
    this.#epochs.splice(0, index + 1);
  }

  /**
   * The sync has failed: each page that was to be written either was, or is dropped: clean, whether the cache still has
   * it or not, and gone after a power loss.
   */
  failSync(token: SyncToken, random: Random): void {
    const index = this.#epochs.indexOf(token);
    const failed = this.#epochs.splice(0, index + 1);
    if (failed.length === 0) return;
    const [next, ...later] = this.#epochs;
    const old = new Map<number, Page>();
    for (const epoch of failed) for (const [page, bytes] of epoch.pages) if (!old.has(page)) old.set(page, bytes);
    for (const [page, bytes] of old) {
      if (random.next() < 0.5) continue;
      const since = this.#epochs.find((epoch) => epoch.pages.has(page));
      if (since !== undefined) {
        since.pages.set(page, bytes);
        continue;
      }
      this.#lost.set(page, bytes);
      if (random.next() < 0.5) this.#set(page, bytes);
    }
    this.#epochs = [{ pages: next?.pages ?? new Map(), size: failed[0]!.size }, ...later];
  }

  /** Leaves what a power loss might leave, as `random` will have it. */
  powerLoss(random: Random): void {
    for (const [page, bytes] of this.#lost) this.#set(page, bytes);
    const before = this.#epochs[0]!.size;
    const after = this.#size;
    const dirty = new Set<number>();
    for (const epoch of this.#epochs) for (const page of epoch.pages.keys()) dirty.add(page);
    if (dirty.size > 0 || before !== after)
      this.#settle(
        random,
        before,
        after,
        [...dirty].sort((a, b) => a - b),
      );
    this.#lost.clear();
    this.#epochs = [{ pages: new Map(), size: this.#size }];
  }

  /** A killed process takes nothing along; whatever was not synced is still not synced. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.#size);
    this.read(bytes, 0, this.#size, 0);
    return bytes;
  }

  /** Turns one bit, on the disk and in the cache. */
  flipBit(position: number, bit: number): void {
    const { page, within } = this.#place(position, 1);
    const bytes = (this.#pages[page] ?? ZEROS).slice();
    bytes[within]! ^= 1 << bit;
    this.#set(page, bytes);
    for (const epoch of this.#epochs) {
      const old = epoch.pages.get(page)?.slice();
      if (old === undefined) continue;
      old[within]! ^= 1 << bit;
      epoch.pages.set(page, old);
    }
  }

  #settle(random: Random, before: number, after: number, dirty: readonly number[]): void {
    const manner = Math.floor(random.next() * 6);
    // With pages in order, what is before this one is new, and what is after it old: a write that was cut off.
    const cut = dirty[Math.floor(random.next() * dirty.length)] ?? 0;
    for (const page of dirty) {
      const now = this.#pages[page];
      const old = this.#older(page, random);
      if (manner === 0 || (manner === 1 && page > cut)) this.#set(page, old);
      else if (manner === 1 && page === cut) this.#set(page, tornPage(old, now, random));
      else if (manner === 2 && random.next() < 0.5) this.#set(page, old);
      else if (manner === 3) this.#set(page, mixedPage(old, now, random));
      else if (manner === 4) this.#set(page, random.next() < 0.5 ? old : tornPage(old, now, random));
    }
    if (manner === 0) this.#cutTo(before);
    else if (manner !== 5) this.#cutTo(sizeBetween(before, after, random));
  }

  /** One of the versions of a page that may be on the disk while its newest is not. */
  #older(page: number, random: Random): Page {
    const versions: Page[] = [];
    for (const epoch of this.#epochs) if (epoch.pages.has(page)) versions.push(epoch.pages.get(page));
    return versions[Math.floor(random.next() * versions.length)];
  }

  #cutTo(size: number): void {
    const pages = Math.ceil(size / SIMULATED_PAGE_BYTES);
    for (let page = pages; page < this.#pages.length; page++) this.#set(page, undefined);
    this.#pages.length = Math.min(this.#pages.length, pages);
    const last = this.#pages[pages - 1];
    const within = size % SIMULATED_PAGE_BYTES;
    if (last !== undefined && within > 0) this.#set(pages - 1, last.slice().fill(0, within));
    this.#size = size;
  }

  #place(position: number, length: number): { readonly page: number; readonly within: number; readonly run: number } {
    const page = Math.floor(position / SIMULATED_PAGE_BYTES);
    const within = position - page * SIMULATED_PAGE_BYTES;
    return { page, within, run: Math.min(length, SIMULATED_PAGE_BYTES - within) };
  }

  /** The page, ready to be written in place. */
  #touch(page: number): Uint8Array {
    if (!this.#remember(page)) {
      const owned = this.#pages[page];
      if (owned !== undefined) return owned;
    }
    const copy = this.#pages[page]?.slice() ?? new Uint8Array(SIMULATED_PAGE_BYTES);
    this.#set(page, copy);
    return copy;
  }

  /** Notes what the disk has of a page before it changes. @returns whether it was the first change in this epoch */
  #remember(page: number): boolean {
    const epoch = this.#epochs[this.#epochs.length - 1]!;
    if (epoch.pages.has(page)) return false;
    epoch.pages.set(page, this.#lost.has(page) ? this.#lost.get(page) : this.#pages[page]);
    this.#lost.delete(page);
    return true;
  }

  #set(page: number, bytes: Page): void {
    if (this.#pages[page] !== undefined) this.#allocated--;
    if (bytes !== undefined) this.#allocated++;
    this.#pages[page] = bytes;
  }
}

/** New up to any byte, old behind it. */
function tornPage(old: Page, now: Page, random: Random): Page {
  const page = (now ?? ZEROS).slice();
  const at = Math.floor(random.next() * SIMULATED_PAGE_BYTES);
  page.set((old ?? ZEROS).subarray(at), at);
  return page;
}

/** Each sector either old or new. */
function mixedPage(old: Page, now: Page, random: Random): Page {
  const page = (now ?? ZEROS).slice();
  for (let at = 0; at < SIMULATED_PAGE_BYTES; at += SECTOR_BYTES) {
    if (random.next() < 0.5) page.set((old ?? ZEROS).subarray(at, at + SECTOR_BYTES), at);
  }
  return page;
}

/** The size is written apart from the pages: it may be any on the way from one to the other. */
function sizeBetween(before: number, after: number, random: Random): number {
  const manner = random.next();
  if (manner < 0.25) return before;
  if (manner < 0.65) return after;
  const size = Math.floor(before + (after - before) * random.next());
  return manner < 0.8 ? size : Math.min(Math.max(before, after), Math.ceil(size / SECTOR_BYTES) * SECTOR_BYTES);
}
