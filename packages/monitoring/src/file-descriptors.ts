import { readdir, readFile } from "node:fs/promises";
import { openFilesLimit } from "@nats-streaming/kernel";
import type { FileDescriptors } from "./source.ts";

/** What the proc file system tells about this process; undefined on systems other than Linux. */
export function processFileDescriptors(): FileDescriptors | undefined {
  if (process.platform !== "linux") return undefined;
  return {
    open: async () => (await readdir("/proc/self/fd")).length,
    max: async () => openFilesLimit(await readFile("/proc/self/limits", "latin1")),
  };
}
