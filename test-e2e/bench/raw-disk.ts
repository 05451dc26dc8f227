import { closeSync, fdatasync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const sync = promisify(fdatasync);

/**
 * Synced writes of 256 bytes a second that a process gets from this disk with nothing else to do: the ceiling of any
 * server that acknowledges message by message. Over a preallocated file, as a careful one would.
 */
export async function rawSyncedWrites(directory: string, count: number): Promise<number> {
  const descriptor = openSync(join(directory, "raw"), "w");
  try {
    writeSync(descriptor, Buffer.alloc(256 * (count + 100)));
    await sync(descriptor);
    const bytes = Buffer.alloc(256, "x");
    const one = async (index: number): Promise<void> => {
      writeSync(descriptor, bytes, 0, 256, index * 256);
      await sync(descriptor);
    };
    for (let index = 0; index < 100; index++) await one(index);
    const start = performance.now();
    for (let index = 0; index < count; index++) await one(index + 100);
    return (count / (performance.now() - start)) * 1000;
  } finally {
    closeSync(descriptor);
  }
}
