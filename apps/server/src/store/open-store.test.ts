import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@nats-streaming/kernel";
import { FakeClock, seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { defaultStreamingOptions, type StreamingOptions } from "../options/streaming-options.ts";
import { type OpenedStore, openStore } from "./open-store.ts";

function open(changes: Partial<StreamingOptions>): { readonly opened: OpenedStore; readonly clock: FakeClock } {
  const clock = new FakeClock();
  const directory = mkdtempSync(join(tmpdir(), "open-store-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const ignore = (): void => {};
  const opened = openStore({
    streaming: { ...defaultStreamingOptions, directory, ...changes },
    clock,
    logger: silentLogger,
    random: seededRandom(1),
    onFailure: ignore,
    onLockLost: ignore,
  });
  onTestFinished(() => opened.store.close());
  return { opened, clock };
}

describe("what a store tells monitoring", () => {
  it("has the figures of the commit log for a file store once it is recovered", async () => {
    const { opened, clock } = open({ storeType: "FILE" });
    expect(opened.storage?.()).toEqual({ openFiles: expect.any(Number), cachedBytes: 0 });
    await opened.store.recover();
    await clock.advanceAsync(2_000);
    expect(opened.storage?.()).toMatchObject({
      commitLogBytes: 0,
      commitLogDiskBytes: expect.any(Number),
      checkpoints: 0,
      failedCheckpoints: 0,
      checkpointAgeMillis: 2_000,
    });
  });

  it("has no such figures for a file store that does not sync", async () => {
    const { opened } = open({ storeType: "FILE", fileStore: { ...defaultStreamingOptions.fileStore, sync: false } });
    await opened.store.recover();
    expect(Object.keys(opened.storage?.() ?? {})).toEqual(["openFiles", "cachedBytes"]);
  });

  it("is nothing for a store in memory", () => {
    expect(open({ storeType: "MEMORY" }).opened.storage).toBeUndefined();
  });
});
