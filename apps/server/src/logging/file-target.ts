import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";
import { errorText, type Timestamp } from "@nats-streaming/kernel";
import { formatLine, type LineFormat } from "./line.ts";
import type { LogTarget } from "./target.ts";

const FILE_MODE = 0o660;

export interface FileTargetOptions {
  readonly path: string;
  readonly format: LineFormat;
  /** Bytes beyond which the file is put aside and a new one begun; 0 for no limit. Survives a reopen. */
  readonly sizeLimit: number;
}

/**
 * A file, opened for append. Lines are written at once: what was logged before a crash is there after it.
 * @throws the system's error when it cannot be opened
 * @see operations.md 1.2
 */
export function fileTarget(options: FileTargetOptions): LogTarget {
  return new FileTarget(options);
}

class FileTarget implements LogTarget {
  readonly #options: FileTargetOptions;
  #descriptor: number;
  #size: number;
  /** Where the file could not be put aside it grows until it is a limit's worth larger. */
  #nextLimit: number;
  #isClosed = false;

  constructor(options: FileTargetOptions) {
    this.#options = options;
    this.#descriptor = openSync(options.path, "a", FILE_MODE);
    this.#size = fstatSync(this.#descriptor).size;
    this.#nextLimit = options.sizeLimit;
  }

  write(level: Parameters<LogTarget["write"]>[0], text: string, now: Timestamp): void {
    if (this.#isClosed) return;
    this.#append(formatLine(this.#options.format, level, text, now));
    if (this.#options.sizeLimit > 0 && this.#size > this.#nextLimit) this.#rotate(now);
  }

  reopen(): boolean {
    if (this.#isClosed) return false;
    const next = openSync(this.#options.path, "a", FILE_MODE);
    closeSync(this.#descriptor);
    this.#descriptor = next;
    this.#size = fstatSync(next).size;
    this.#nextLimit = this.#options.sizeLimit;
    return true;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#descriptor);
  }

  #append(line: string): void {
    this.#size += writeSync(this.#descriptor, line);
  }

  #rotate(now: Timestamp): void {
    const { path, format, sizeLimit } = this.#options;
    const backup = `${path}.${suffix(now)}`;
    try {
      renameSync(path, backup);
      this.reopen();
      this.#append(formatLine(format, "INF", `Rotated log, backup saved as "${backup}"`, now));
    } catch (error) {
      this.#nextLimit = this.#size + sizeLimit;
      const reason = errorText(error);
      this.#append(formatLine(format, "ERR", `Unable to rotate the log: ${reason}`, now));
    }
  }
}

/** `YYYY.MM.DD.HH.MM.SS.nnnnnnnnn`, local time. */
function suffix(now: Timestamp): string {
  const date = new Date(now.millis);
  const nanos = String((now.millis % 1000) * 1_000_000 + now.nanos).padStart(9, "0");
  const parts = [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()];
  return [date.getFullYear(), ...parts.map((part) => String(part).padStart(2, "0")), nanos].join(".");
}
