import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import type { FileRead } from "./parse-state.ts";

/** Longest file that is read: a configuration is a few kilobytes, and a wrong path must not fill the memory. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;

/** Reads a file of this machine; the reason of a failure is in the words that users of the original know. */
export function readSystemFile(path: string): FileRead {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    return { kind: "failed", reason: `open ${path}: ${systemReason(error)}` };
  }
  try {
    if (fstatSync(file).size > FILE_BYTES_MAX) {
      return { kind: "failed", reason: `read ${path}: file larger than ${FILE_BYTES_MAX} bytes` };
    }
    return { kind: "text", text: readFileSync(file, "utf8") };
  } catch (error) {
    return { kind: "failed", reason: `read ${path}: ${systemReason(error)}` };
  } finally {
    closeSync(file);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EISDIR: "is a directory",
  ENOTDIR: "not a directory",
  ELOOP: "too many levels of symbolic links",
  ENAMETOOLONG: "file name too long",
  EMFILE: "too many open files",
};

/** Why the system refused a file, in the words that users of the original know: `no such file or directory`. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return REASONS[code] ?? error.message;
}
