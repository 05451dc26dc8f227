import { FileError } from "@nats-streaming/kernel";
import { SUBSCRIPTIONS_FILE } from "../files/names.ts";
import { pathIn } from "../files/paths.ts";
import type { StoreContext } from "../store-context.ts";

const CHUNK = 256 * 1024;

/**
 * Reads the files that a recovery of these channels is going to need, side by side and beside the event loop, so that the
 * recovery itself, which takes them one after the other, does not wait for the disk. What cannot be read is left to it.
 * @param directories of channels, below the root
 */
export async function warmFiles(context: StoreContext, directories: readonly string[]): Promise<void> {
  await Promise.all(directories.map((directory) => warmDirectory(context, pathIn(context.root, directory))));
}

async function warmDirectory({ fileSystem }: StoreContext, path: string): Promise<void> {
  const chunk = new Uint8Array(CHUNK);
  try {
    for (const { name, isDirectory } of fileSystem.listNow(path)) {
      if (isDirectory || !(name.endsWith(".idx") || name === SUBSCRIPTIONS_FILE)) continue;
      const file = fileSystem.openNow(pathIn(path, name), { mode: "read" });
      try {
        for (let at = 0; (await file.read(chunk, 0, CHUNK, at)) === CHUNK; at += CHUNK);
      } finally {
        file.close();
      }
    }
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
  }
}
