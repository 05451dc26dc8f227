import { type InjectedFault, SimulatedDisk } from "@nats-streaming/kernel/testing";
import { describeStore, type StoreUnderTest } from "@nats-streaming/store-conformance";
import { memoryLocks } from "../test-support/memory-lock.ts";
import { createFileStore, type FileStoreSetup } from "./file-store.ts";
import type { FileStoreOptions } from "./options.ts";

/** A file store on a simulated disk of its own for each place. @see store-interface.md 10.1, row S1 */
function fileStore(
  name: string,
  options: Partial<FileStoreOptions>,
  setup: Partial<FileStoreSetup> = {},
): StoreUnderTest {
  const disks = new Map<string, SimulatedDisk>();
  const locks = memoryLocks();
  const faults = new Map<string, InjectedFault>();
  const diskOf = (place: string): SimulatedDisk => {
    const disk = disks.get(place) ?? new SimulatedDisk({ seed: 1 });
    disks.set(place, disk);
    return disk;
  };
  const open: StoreUnderTest["open"] = async ({ place, limits, clock, logger }) =>
    createFileStore({
      directory: "/data",
      ...(limits === undefined ? {} : { limits }),
      options,
      clock,
      logger,
      fileSystem: diskOf(place),
      lock: locks.lockFor(place),
      ...setup,
    });
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
      encrypted: false,
      subscriptionIdSpace: "channel",
      gaps: "filled",
      ageGranularityMillis: 1000,
      timestampTies: "last",
    },
  };
}

describeStore(fileStore("file store", {}));
describeStore(fileStore("file store without read buffer and cache", { readBufferBytes: 0 }, { cacheBytes: 0 }));
describeStore(fileStore("file store with five descriptors", { fileDescriptorsLimit: 5 }));
describeStore(fileStore("file store with slices of seven messages", { sliceMaxMessages: 7, sliceMaxBytes: 0 }));
