import { readdir, readFile } from "node:fs/promises";
import type { FileDescriptors } from "./source.ts";

/** What the proc file system tells about this process; undefined on systems other than Linux. */
export function processFileDescriptors(): FileDescriptors | undefined {
  if (process.platform !== "linux") return undefined;
  return {
    open: async () => (await readdir("/proc/self/fd")).length,
    max: async () => openFilesLimit(await readFile("/proc/self/limits", "latin1")),
  };
}

/**
 * The soft limit from the text of `/proc/self/limits`; 0 where there is none ("unlimited").
 * @internal
 */
export function openFilesLimit(text: string): number {
  const match = /^Max open files\s+(\d+)/m.exec(text);
  return match === null ? 0 : Number(match[1]);
}
