import { readFileSync } from "node:fs";

/** A certificate, key or seed that cannot be used. The message names the file and the remedy. */
export class UnusableFileError extends Error {
  override readonly name = "UnusableFileError";
}

/**
 * The text of a file that an option names.
 * @param what it is, for the message: `TLS certificate`
 * @throws UnusableFileError
 */
export function readNamedFile(what: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UnusableFileError(`cannot read the ${what} file ${path}: ${reason}`, { cause });
  }
}
