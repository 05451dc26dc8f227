import { describe, expect, it } from "vitest";
import { append, appendMany, newPlace, type Place, type PlaceSetup } from "../test-support/place.ts";
import { openCommitLog } from "./commit-log/open-commit-log.ts";

const synced = { options: { sync: true }, recovery: "quarantine" as const };
const SEGMENT_BYTES = 65_536;
const smallSegments: PlaceSetup = {
  ...synced,
  openCommitLog: (options) => openCommitLog({ ...options, segmentBytes: SEGMENT_BYTES }),
};

/** Bytes of the segment files that are on the disk. */
function segmentBytes(place: Place): number {
  const segments = place.names().filter((name) => name.startsWith(".commit."));
  return segments.reduce((sum, name) => sum + (place.size(name) ?? 0), 0);
}

describe("the figures of the commit log", () => {
  it("do not exist before recovery, nor where nothing is synced", async () => {
    expect(newPlace(synced).make().commitLog).toBeUndefined();
    const { store } = await newPlace({ options: { sync: false } }).open();
    expect(store.commitLog).toBeUndefined();
  });

  it("tell what was committed since the last checkpoint, and how long ago that was", async () => {
    const place = newPlace(synced);
    const store = place.make();
    // A standby waits for the lock: that is no age.
    await place.clock.advanceAsync(5_000);
    await store.recover();
    expect(store.commitLog).toMatchObject({ bytesSinceCheckpoint: 0, checkpoints: 0, checkpointAgeMillis: 0 });
    appendMany(place, store.createChannel("foo").messages, 10);
    await store.flush();
    await place.clock.advanceAsync(1_000);
    const before = store.commitLog;
    expect(before).toMatchObject({ checkpoints: 0, failedCheckpoints: 0, checkpointAgeMillis: 1_000 });
    expect(before?.bytesSinceCheckpoint).toBeGreaterThan(300);
    await place.clock.advanceAsync(60_000);
    // By time, after a minute.
    expect(store.commitLog).toMatchObject({ bytesSinceCheckpoint: 0, checkpoints: 1, checkpointAgeMillis: 1_000 });
    expect(before).toMatchObject({ checkpoints: 0 });
  });

  it("count a checkpoint that could not be noted down as failed, and go on with the next", async () => {
    const place = newPlace(synced);
    const { store, channel } = await place.open();
    const { messages } = channel("foo");
    append(place, messages, "1");
    await store.flush();
    place.disk.inject({ operation: "write", kind: "no_space", path: (path) => path.includes("/.commit.") });
    await place.clock.advanceAsync(61_000);
    expect(store.commitLog).toMatchObject({ checkpoints: 0, failedCheckpoints: 1, checkpointAgeMillis: 61_000 });
    expect(store.commitLog?.bytesSinceCheckpoint).toBeGreaterThan(0);
    append(place, messages, "2");
    await store.flush();
    await place.clock.advanceAsync(60_000);
    expect(store.commitLog).toMatchObject({ bytesSinceCheckpoint: 0, checkpoints: 1, failedCheckpoints: 1 });
  });

  it("count a checkpoint as failed while a file cannot take what is durable", async () => {
    const place = newPlace(synced);
    const { store, channel } = await place.open();
    const { messages } = channel("foo");
    append(place, messages, "1");
    await store.flush();
    let isFull = true;
    const path = (name: string): boolean => isFull && name.endsWith("/foo/msgs.1.dat");
    place.disk.inject({ operation: "write", kind: "no_space", path, times: 1_000 });
    append(place, messages, "2");
    await store.flush();
    await place.clock.advanceAsync(61_000);
    expect(store.commitLog).toMatchObject({ checkpoints: 0, failedCheckpoints: 1 });
    isFull = false;
    await place.clock.advanceAsync(60_000);
    expect(store.commitLog).toMatchObject({ checkpoints: 1, failedCheckpoints: 1, bytesSinceCheckpoint: 0 });
  });

  it("tell what the segments take on disk, as they come and go", async () => {
    const place = newPlace(smallSegments);
    const { store, channel } = await place.open();
    const sizes = new Set<number>();
    const check = (): void => {
      const { diskBytes } = store.commitLog!;
      expect(diskBytes).toBe(segmentBytes(place));
      sizes.add(diskBytes);
    };
    await place.clock.settle();
    check();
    const { messages } = channel("foo");
    const half = "x".repeat(SEGMENT_BYTES / 2);
    for (let i = 0; i < 20; i++) {
      append(place, messages, half);
      await store.flush();
      await place.clock.settle();
      check();
    }
    await place.clock.advanceAsync(61_000);
    check();
    expect(Math.max(...sizes)).toBeGreaterThan(10 * SEGMENT_BYTES);
    expect(sizes.size).toBeGreaterThan(2);
    await store.close();
    const again = newPlace(smallSegments);
    const { store: next } = await again.open({ fileSystem: place.disk });
    expect(next.commitLog?.diskBytes).toBe(segmentBytes(place));
  });
});
