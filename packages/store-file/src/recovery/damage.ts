import type { OpenFile } from "@nats-streaming/kernel";

/** Something that recovery found damaged, and what it did about it. */
export interface Damage {
  /**
   * `mended`: a torn end, as a crash leaves it, was cut off; nothing is lost that was acknowledged.
   * `salvaged`: what can be read was kept, the damaged file is kept aside.
   * `quarantined`: the channel is not served, its files are as they were.
   */
  readonly kind: "mended" | "salvaged" | "quarantined";
  /** Byte string; undefined for the files of the root directory. */
  readonly channel?: string;
  /** Path of the damaged file. */
  readonly file: string;
  /** One sentence for people. */
  readonly text: string;
  /** Where the damaged file is kept. */
  readonly copy?: string;
  /** What could not be read: the first `DAMAGED_PLACES_MAX` places, and how many there are. */
  readonly places: readonly DamagedPlace[];
  readonly placeCount: number;
}

/** Bytes that could not be made sense of. */
export interface DamagedPlace {
  readonly offset: number;
  readonly bytes: number;
}

/** Enough to see what happened. */
export const DAMAGED_PLACES_MAX = 100;

/** A file cannot be read from some place on. Becomes a start that fails, or a channel in quarantine. */
export class DamagedFile extends Error {
  override readonly name = "DamagedFile";
  readonly path: string;
  /** undefined when the file as a whole is at fault. */
  readonly offset: number | undefined;

  constructor(path: string, offset: number | undefined, fault: string, options?: ErrorOptions) {
    super(fault, options);
    this.path = path;
    this.offset = offset;
  }
}

/** Whether everything from `position` on is zero. */
export function isZeroFrom(file: OpenFile, position: number, size: number): boolean {
  const chunk = new Uint8Array(Math.min(ZERO_CHUNK, Math.max(0, size - position)));
  for (let at = position; at < size; at += chunk.length) {
    const length = file.readNow(chunk, 0, Math.min(chunk.length, size - at), at);
    for (let i = 0; i < length; i++) if (chunk[i] !== 0) return false;
    if (length === 0) return true;
  }
  return true;
}

const ZERO_CHUNK = 64 * 1024;
