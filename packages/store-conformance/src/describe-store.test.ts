import { describe, expect, it } from "vitest";
import { MODEL_OVERHEAD } from "../test/model-log.ts";
import { type Disk, MODEL_AGE_GRANULARITY_MILLIS, ModelStore, newDisk } from "../test/model-store.ts";
import { describeStore } from "./describe-store.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

const disks = new Map<string, Disk>();

const model: StoreUnderTest = {
  name: "model of a recoverable store",
  async open(setup) {
    const disk = newDisk();
    disks.set(setup.place, disk);
    return new ModelStore(disk, setup);
  },
  async reopen(setup) {
    return new ModelStore(disks.get(setup.place) ?? newDisk(), setup);
  },
  async cleanUp(place) {
    disks.delete(place);
  },
  faults: {
    failNextFlush(place, code) {
      const disk = disks.get(place);
      if (disk !== undefined) disk.fault = code;
    },
  },
  capabilities: {
    kind: "FILE",
    recoverable: true,
    exclusiveLock: true,
    bytesPerMessageOverhead: MODEL_OVERHEAD,
    encrypted: true,
    subscriptionIdSpace: "store",
    gaps: "filled",
    ageGranularityMillis: MODEL_AGE_GRANULARITY_MILLIS,
    timestampTies: "first",
  },
};

describeStore(model);

describe("describeStore", () => {
  it("refuses a recoverable store that cannot be opened again", () => {
    const { reopen: _, ...rest } = model;
    expect(() => describeStore(rest)).toThrow('needs "reopen"');
  });
});
