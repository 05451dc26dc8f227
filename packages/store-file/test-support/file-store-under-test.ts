import { type InjectedFault, SimulatedDisk } from "@nats-streaming/kernel/testing";
import type { Store } from "@nats-streaming/store";
import type { StoreUnderTest } from "@nats-streaming/store-conformance";
import { createFileStore, type FileStoreSetup } from "../src/file-store.ts";
import type { FileStoreOptions } from "../src/options.ts";
import { memoryLocks } from "./memory-lock.ts";

/**
 * A file store on a simulated disk of its own for each place.
 * @param encrypt puts encryption around it
 * @see store-interface.md 10.1, row S1
 */
export function fileStoreUnderTest(
  name: string,
  options: Partial<FileStoreOptions>,
  setup: Partial<FileStoreSetup> = {},
  encrypt?: (store: Store) => Store,
): StoreUnderTest {
  const disks = new Map<string, SimulatedDisk>();
  const locks = memoryLocks();
  const faults = new Map<string, InjectedFault>();
  const diskOf = (place: string): SimulatedDisk => {
    const disk = disks.get(place) ?? new SimulatedDisk({ seed: 1 });
    disks.set(place, disk);
    return disk;
  };
  const open: StoreUnderTest["open"] = async ({ place, limits, clock, logger }) => {
    const store = createFileStore({
      directory: "/data",
      ...(limits === undefined ? {} : { limits }),
      options,
      clock,
      logger,
      fileSystem: diskOf(place),
      lock: locks.lockFor(place),
      ...setup,
    });
    return encrypt?.(store) ?? store;
  };
  return {
    name,
    open,
    reopen: open,
    async cleanUp(place) {
      disks.delete(place);
      faults.get(place)?.remove();
    },
    faults: {
      failNextFlush(place, code) {
        const operation = code === "write_failed" ? "write" : "sync";
        const kind = code === "write_failed" ? "no_space" : "io";
        // What the commit log has is durable, whatever becomes of the files.
        const path = (name: string): boolean => name.includes("/.commit.");
        faults.set(place, diskOf(place).inject({ operation, kind, path }));
      },
    },
    capabilities: {
      kind: "FILE",
      recoverable: true,
      exclusiveLock: true,
      bytesPerMessageOverhead: 40,
      encrypted: encrypt !== undefined,
      subscriptionIdSpace: "channel",
      gaps: "filled",
      ageGranularityMillis: 1000,
      timestampTies: "last",
    },
  };
}
