import type { FileSystem } from "@nats-streaming/kernel";
import { type CommitEntry, DISCARDED_LISTED_MAX, type ReplayReport } from "./commit-log.ts";
import { FrameReader, type FrameVisitor } from "./frame-reader.ts";
import { type FoundFrame, readSegment, type Scan, type Survey } from "./log-scan.ts";
import type { ReplayFiles } from "./replay-files.ts";
import { FRAME_HEADER_BYTES } from "./segment-format.ts";

/** The counts of a replay under way, and what its two passes do with each entry. */
export class Replay {
  readonly files: ReplayFiles;
  readonly discardedFiles: Map<string, { readonly first: CommitEntry; count: number }> = new Map();
  readonly #lowWater: number;
  /** Entries so far in this pass. */
  #entry = 0;
  /** By file, or directory with a `/` behind it: the last entry that says that it is gone. */
  readonly #removedAt = new Map<string, number>();
  readonly #renames: { readonly file: string; readonly temporary: string; readonly entry: number }[] = [];
  #replayed = 0;
  #present = 0;
  #removed = 0;
  #discardedCount = 0;
  readonly #discarded: CommitEntry[] = [];

  constructor({ lowWater }: Survey, files: ReplayFiles) {
    this.#lowWater = lowWater;
    this.files = files;
  }

  hasWork({ frames }: Scan): boolean {
    return frames.some((frame) => frame.address >= this.#lowWater);
  }

  /** First pass: what is gone by the end of the log must not come back, not even for a moment. */
  readonly removals: EntryVisitor = {
    isRead: (frame) => frame.address >= this.#lowWater,
    append: () => {
      this.#entry++;
    },
    removedFile: (file) => {
      this.#removedAt.set(file, this.#entry++);
    },
    removedDirectory: (directory) => {
      this.#removedAt.set(`${directory}/`, this.#entry++);
    },
    replaced: (file, temporary) => {
      this.#renames.push({ file, temporary, entry: this.#entry });
      this.#removedAt.set(file, this.#entry++);
    },
    refused: () => {
      this.#entry++;
    },
    unknown: () => {
      this.#entry++;
    },
  };

  readonly placements: EntryVisitor = {
    isRead: (frame) => frame.address >= this.#lowWater,
    append: (file, position, sequence, bytes, start, end) => {
      if (this.#isRemoved(file, this.#entry++)) {
        this.#removed++;
        return;
      }
      const placement = this.files.place(file, position, bytes, start, end);
      if (placement === "replayed") this.#replayed++;
      else if (placement === "present") this.#present++;
      else this.#discard({ file, position, sequence });
    },
    removedFile: () => {
      this.#entry++;
    },
    removedDirectory: () => {
      this.#entry++;
    },
    replaced: () => {
      this.#entry++;
    },
    refused: (file, from, to) => {
      if (!this.#isRemoved(file, this.#entry++)) this.files.noteRefused(file, from, to);
    },
    unknown: () => {
      this.#entry++;
      this.#discard({ file: "", position: 0, sequence: 0 });
    },
  };

  /** Files that took the names of others and have not been removed or replaced since. */
  lastRenames(): readonly { readonly file: string; readonly temporary: string }[] {
    return this.#renames.filter(({ file, entry }) => !this.#isRemoved(file, entry));
  }

  rewind(): void {
    this.#entry = 0;
  }

  report(): Omit<ReplayReport, "tornTail" | "damaged"> {
    return {
      replayed: this.#replayed,
      present: this.#present,
      removed: this.#removed,
      discarded: this.#discarded,
      discardedCount: this.#discardedCount,
    };
  }

  #isRemoved(file: string, entry: number): boolean {
    if (this.#removedAt.size === 0) return false;
    if ((this.#removedAt.get(file) ?? -1) > entry) return true;
    for (let slash = file.indexOf("/"); slash >= 0; slash = file.indexOf("/", slash + 1)) {
      if ((this.#removedAt.get(file.slice(0, slash + 1)) ?? -1) > entry) return true;
    }
    return false;
  }

  #discard(entry: CommitEntry): void {
    this.#discardedCount++;
    if (this.#discarded.length < DISCARDED_LISTED_MAX) this.#discarded.push(entry);
    const known = this.discardedFiles.get(entry.file);
    if (known === undefined) this.discardedFiles.set(entry.file, { first: entry, count: 1 });
    else known.count++;
  }
}

export interface EntryVisitor extends FrameVisitor {
  /** Whether the entries of a frame are wanted, or just the names that it defines. */
  isRead(frame: FoundFrame): boolean;
}

const NAMES_ONLY: FrameVisitor = {
  append: () => {},
  removedFile: () => {},
  removedDirectory: () => {},
  replaced: () => {},
  refused: () => {},
  unknown: () => {},
};

/** Reads the frames once more, one segment in memory at a time. */
export async function eachEntry(fileSystem: FileSystem, { frames }: Scan, visitor: EntryVisitor): Promise<void> {
  let bytes: Uint8Array = new Uint8Array(0);
  let reader = new FrameReader();
  let last: FoundFrame | undefined;
  for (const frame of frames) {
    if (frame.segment !== last?.segment) {
      bytes = await readSegment(fileSystem, frame.segment);
      reader = new FrameReader();
    }
    if (frame.followsDamage) reader.forgetNames();
    const start = frame.offset + FRAME_HEADER_BYTES;
    const wanted = visitor.isRead(frame) ? visitor : NAMES_ONLY;
    // Its checksum holds, so what cannot be read to the end was written so: by nobody.
    if (!reader.read(bytes, start, start + frame.length, wanted)) wanted.unknown();
    last = frame;
  }
}
