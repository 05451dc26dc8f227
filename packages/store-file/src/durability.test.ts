import { describe, expect, it } from "vitest";
import { append, appendMany, newPlace, type Place, read, subState } from "../test-support/place.ts";

/** Counts operations of one kind without doing anything to them. */
function counter(place: Place, operation: "sync" | "write", path: (path: string) => boolean) {
  const fault = { operation, kind: "io" as const, skip: Number.MAX_SAFE_INTEGER };
  let count = 0;
  place.disk.inject({
    ...fault,
    path: (name) => {
      if (path(name)) count++;
      return false;
    },
  });
  return () => count;
}

const synced = { options: { sync: true }, recovery: "quarantine" as const };

describe("a flush with syncs", () => {
  it("FS-G11 is one sync, of the commit log, whatever the number of channels", async () => {
    const place = newPlace(synced);
    const { store } = await place.open();
    const logs = Array.from({ length: 50 }, (_, i) => store.createChannel(`c${i}`).messages);
    await store.flush();
    const ofLog = counter(place, "sync", (path) => path.includes("/.commit."));
    const ofFiles = counter(place, "sync", (path) => !path.includes("/.commit."));
    for (const log of logs) append(place, log, "m");
    await store.flush();
    expect([ofLog(), ofFiles()]).toEqual([1, 0]);
    expect(place.size("c49/msgs.1.idx")).toBe(36);
  });

  it("FS-G11 is not synced at all when the option is off", async () => {
    const place = newPlace();
    const { store, channel } = await place.open();
    const syncs = counter(place, "sync", () => true);
    append(place, channel("foo").messages, "m");
    expect(store.flush()).toBeUndefined();
    expect([syncs(), place.size("foo/msgs.1.idx")]).toEqual([0, 36]);
    expect(place.names().some((name) => name.startsWith(".commit."))).toBe(false);
  });

  it("writes the compatible files before it is over, so that a killed process leaves them whole", async () => {
    const place = newPlace(synced);
    const { store, channel } = await place.open();
    const { messages, subscriptions } = channel("foo");
    appendMany(place, messages, 5);
    subscriptions.create(subState());
    await store.flush();
    const after = newPlace();
    const { channel: recovered } = await after.open({ fileSystem: place.disk.crash("kill") });
    expect(recovered("foo").messages.count).toBe(5);
    expect(recovered("foo").subscriptions.count).toBe(1);
  });

  it("stands when a compatible file cannot be written; the next one is refused until it can", async () => {
    const place = newPlace(synced);
    const { store, channel } = await place.open();
    const log = channel("foo").messages;
    append(place, log, "1");
    const full = place.disk.inject({
      operation: "write",
      kind: "no_space",
      times: 1000,
      path: (path) => path.endsWith(".dat"),
    });
    await store.flush();
    expect(await read(log, 1)).toBe("1");
    append(place, log, "2");
    await expect(store.flush()).rejects.toMatchObject({ code: "write_failed" });
    expect([log.lastSequence, await read(log, 1)]).toEqual([1, "1"]);
    full.remove();
    append(place, log, "2 again");
    await store.flush();
    await store.close();
    const { channel: recovered } = await place.open();
    for (const [s, data] of [
      [1, "1"],
      [2, "2 again"],
    ] as const) {
      expect(await read(recovered("foo").messages, s)).toBe(data);
    }
  });

  it("survives a power loss even when no compatible file was ever synced", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const place = newPlace(synced);
      const { store, channel } = await place.open();
      const { messages, subscriptions } = channel("foo");
      appendMany(place, messages, 20 + seed);
      subscriptions.create(subState());
      await store.flush();
      const after = newPlace(synced);
      const { channel: recovered } = await after.open({ fileSystem: place.disk.crash("power") });
      const log = recovered("foo").messages;
      expect([log.lastSequence, recovered("foo").subscriptions.count]).toEqual([20 + seed, 1]);
      for (let s = 1; s <= log.lastSequence; s++) expect(await read(log, s)).toBe(`message ${s}`);
    }
  });

  it("ends the store for good when a sync fails, and says so once", async () => {
    const failures: string[] = [];
    const place = newPlace(synced);
    const { store, channel } = await place.open({ onFailure: ({ code }) => failures.push(code) });
    append(place, channel("foo").messages, "1");
    place.disk.inject({ operation: "sync", kind: "io", path: (path) => path.includes("/.commit.") });
    await expect(store.flush()).rejects.toMatchObject({ code: "sync_failed" });
    await expect(store.flush()).rejects.toMatchObject({ code: "sync_failed" });
    await store.close();
    expect(failures).toEqual(["sync_failed"]);
  });

  it("checkpoints by time: the files are synced, and the commit log begins anew", async () => {
    const place = newPlace(synced);
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 10);
    await store.flush();
    await place.clock.advanceAsync(61_000);
    const after = newPlace(synced);
    const { store: again, channel: recovered } = await after.open({ fileSystem: place.disk.crash("power") });
    expect([again.replay?.replayed, again.replay?.present, recovered("foo").messages.count]).toEqual([0, 0, 10]);
  });

  it("leaves a commit log that is replayed even by a start without syncs", async () => {
    const place = newPlace(synced);
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 10);
    await store.flush();
    const after = newPlace({ recovery: "strict" });
    const { channel: recovered } = await after.open({ fileSystem: place.disk.crash("power") });
    expect(recovered("foo").messages.count).toBe(10);
  });
});

describe("close()", () => {
  it("leaves files that hold everything, synced, and no timer", async () => {
    const place = newPlace(synced);
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 3);
    channel("bar").subscriptions.addPending(1, 1);
    await store.close();
    await store.close();
    expect(place.clock.timerCount).toBe(0);
    const after = newPlace();
    const { state } = await after.open({ fileSystem: place.disk.crash("power") });
    expect(state?.channels.get("foo")?.messages.count).toBe(3);
    await expect(store.flush()).rejects.toMatchObject({ code: "closed" });
    expect(() => store.createChannel("new")).toThrow("store is closed");
  });
});
