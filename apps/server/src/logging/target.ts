import { closeSync, openSync, writeSync } from "node:fs";

/** Where formatted lines go. */
export interface LogTarget {
  write(line: string): void;
  /** Starts over under the same name, for log rotation. @returns false where there is no file to open again. */
  reopen(): boolean;
  close(): void;
}

/** Standard error; stdout stays empty. */
export function stderrTarget(): LogTarget {
  return {
    write: (line) => {
      process.stderr.write(line);
    },
    reopen: () => false,
    close: () => {},
  };
}

const FILE_MODE = 0o660;

/**
 * A file, opened for append. Lines are written at once: what was logged before a crash is there after it.
 * @throws the system's error when it cannot be opened
 */
export function fileTarget(path: string): LogTarget {
  let descriptor = openSync(path, "a", FILE_MODE);
  return {
    write: (line) => {
      writeSync(descriptor, line);
    },
    reopen() {
      const next = openSync(path, "a", FILE_MODE);
      closeSync(descriptor);
      descriptor = next;
      return true;
    },
    close: () => closeSync(descriptor),
  };
}
