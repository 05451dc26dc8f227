import { SimulatedDisk } from "@nats-streaming/kernel/testing";
import { defaultStoreLimits } from "@nats-streaming/store";
import { describe, expect, it } from "vitest";
import {
  append,
  appendMany,
  client,
  newPlace,
  type Place,
  read,
  SERVER_INFO,
  subState,
} from "../test-support/place.ts";

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

  it("of very many channels is written into their files a moment later, in one go with what follows", async () => {
    const place = newPlace({ ...synced, writtenAtOnceMax: 10 });
    const { store } = await place.open();
    const logs = Array.from({ length: 20 }, (_, i) => store.createChannel(`c${i}`).messages);
    await store.flush();
    await place.clock.advanceAsync(100);
    const writes = counter(place, "write", (path) => path.endsWith(".dat"));
    for (let round = 1; round <= 3; round++) {
      for (const log of logs) append(place, log, `${round}`);
      await store.flush();
    }
    // Those that were acknowledged are in the commit log, and to be had.
    expect([writes(), place.size("c7/msgs.1.dat"), await read(logs[7]!, 2)]).toEqual([0, undefined, "2"]);
    const after = newPlace(synced);
    await place.clock.advanceAsync(50);
    // The header and the messages of each.
    expect(writes()).toBe(40);
    append(place, logs[0]!, "alone");
    await store.flush();
    expect(writes()).toBe(41);
    for (const log of logs) append(place, log, "last");
    await store.flush();
    const { channel } = await after.open({ fileSystem: place.disk.crash("kill") });
    expect(await read(channel("c0").messages, 5)).toBe("last");
    expect(await read(channel("c19").messages, 4)).toBe("last");
  });

  it("of very many channels is written in bounded pieces, those that wait longest first, and all of it", async () => {
    const channels = 1_300;
    const place = newPlace({ ...synced, writtenAtOnceMax: 10 });
    const { store } = await place.open({ limits: { ...defaultStoreLimits, maxChannels: channels } });
    const logs = Array.from({ length: channels }, (_, i) => store.createChannel(`c${i}`).messages);
    await store.flush();
    await place.clock.advanceAsync(1_000);
    const written = (): number => logs.filter((_, i) => place.size(`c${i}/msgs.1.dat`) !== undefined).length;
    for (const log of logs) append(place, log, "1");
    await store.flush();
    // 0.06 ms for each of them.
    await place.clock.advanceAsync(77);
    expect(written()).toBe(0);
    const pieces: number[] = [];
    for (let turn = 0; turn < 10 && written() < channels; turn++) {
      await place.clock.advanceAsync(1);
      pieces.push(written());
    }
    expect(pieces.slice(0, 3)).toEqual([512, 1_024, 1_300]);
    expect(place.size("c0/msgs.1.dat")).toBe(place.size("c9/msgs.1.dat"));
  });

  it("of very many channels does not wait when it has many bytes", async () => {
    const place = newPlace({ ...synced, writtenAtOnceMax: 10 });
    const { store } = await place.open();
    const logs = Array.from({ length: 20 }, (_, i) => store.createChannel(`c${i}`).messages);
    await store.flush();
    await place.clock.advanceAsync(100);
    const large = "x".repeat(300_000);
    for (const log of logs) append(place, log, large);
    await store.flush();
    expect(place.size("c0/msgs.1.dat")).toBeUndefined();
    for (let round = 0; round < 2; round++) {
      for (const log of logs) append(place, log, large);
      await store.flush();
    }
    expect(place.size("c0/msgs.1.dat")).toBeGreaterThan(600_000);
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

describe("a start", () => {
  it("makes the way to a new root directory durable, also when the first start has failed at that", async () => {
    const place = newPlace(synced);
    place.disk.inject({ operation: "sync_directory", kind: "io" });
    await expect(place.make().recover()).rejects.toMatchObject({ code: "sync_failed" });
    const { store, channel } = await place.open();
    append(place, channel("foo").messages, "1");
    await store.flush();
    for (let seed = 0; seed < 5; seed++) {
      const after = newPlace(synced);
      const { channel: recovered } = await after.open({ fileSystem: place.disk.crash("power") });
      expect(recovered("foo").messages.count).toBe(1);
    }
  });

  it("goes on where nobody may look into the directories above", async () => {
    const place = newPlace(synced);
    place.disk.inject({ operation: "sync_directory", kind: "permission" });
    await place.open();
    expect(place.size("server.dat")).toBeGreaterThan(4);
  });

  it("relies on no bytes that a failed sync may have left in memory only", async () => {
    for (let seed = 0; seed < 8; seed++) {
      const disk = new SimulatedDisk({ seed });
      const first = newPlace(synced);
      disk.inject({ operation: "sync", kind: "io", skip: seed % 4, path: (path) => !path.includes("/.commit.") });
      const start = first.make({ fileSystem: disk });
      try {
        if ((await start.recover()) === undefined) await start.init(SERVER_INFO);
      } catch (error) {
        expect(error).toMatchObject({ code: "sync_failed" });
      }
      const killed = disk.crash("kill");
      const second = newPlace(synced);
      const { store, channel } = await second.open({ fileSystem: killed }).catch(async () => {
        const again = second.make({ fileSystem: killed });
        await again.recover().catch(() => {});
        await again.init(SERVER_INFO);
        return { store: again, channel: (name: string) => again.createChannel(name) };
      });
      append(second, channel("foo").messages, "1");
      store.addClient(client("c"));
      await store.flush();
      const { state } = await newPlace(synced).open({ fileSystem: killed.crash("power") });
      expect([seed, state?.clients.length, state?.channels.get("foo")?.messages.count]).toEqual([seed, 1, 1]);
    }
  });

  it("puts right what was damaged in a file while the commit log had it", async () => {
    const place = newPlace(synced);
    const { store, channel } = await place.open();
    const foo = channel("foo");
    appendMany(place, foo.messages, 8);
    foo.subscriptions.create(subState());
    await store.flush();
    for (const name of ["foo/msgs.1.dat", "foo/subs.dat"]) {
      for (let at = 0; at < place.size(name)!; at += 7) place.disk.flipBit(`/data/${name}`, at, at % 8);
    }
    const after = newPlace(synced);
    const { store: again, channel: recovered } = await after.open({ fileSystem: place.disk.crash("kill") });
    expect([again.replay?.discardedCount, again.damage]).toEqual([0, []]);
    const { messages, subscriptions } = recovered("foo");
    expect(subscriptions.count).toBe(1);
    for (let s = 1; s <= 8; s++) expect(await read(messages, s)).toBe(`message ${s}`);
  });

  it("makes the indexes of all slices durable that a killed process has left in memory", async () => {
    const place = newPlace({ ...synced, options: { sync: true, sliceMaxMessages: 3 } });
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 8);
    await store.flush();
    const killed = place.disk.crash("kill");
    const second = newPlace({ ...synced, options: { sync: true, sliceMaxMessages: 3 } });
    const { store: next } = await second.open({ fileSystem: killed });
    await next.close();
    const third = newPlace();
    const { channel: recovered } = await third.open({ fileSystem: killed.crash("power") });
    for (let s = 1; s <= 8; s++) expect(await read(recovered("foo").messages, s)).toBe(`message ${s}`);
  });
});

describe("a compaction", () => {
  const small = { ...synced, options: { sync: true, compactMinBytes: 0, compactFragmentationPercent: 1 } };

  it("is not done for a channel that was removed meanwhile, and made anew", async () => {
    const place = newPlace(small);
    const { store, channel } = await place.open();
    const former = channel("foo").subscriptions;
    const ids = [1, 2, 3].map(() => former.create(subState({ inbox: "former" })));
    await store.flush();
    const deleting = store.deleteChannel("foo");
    former.delete(ids[0]!);
    await deleting;
    store.createChannel("foo").subscriptions.create(subState({ inbox: "new" }));
    await place.clock.advanceAsync(1000);
    await store.close();
    const { state } = await place.open();
    const found = state?.channels.get("foo")?.subscriptionStates.map(({ state: { inbox } }) => inbox);
    expect(found).toEqual(["new"]);
  });

  it("ends the store for good when its sync fails", async () => {
    const failures: string[] = [];
    const place = newPlace(small);
    const { store, channel } = await place.open({ onFailure: ({ code }) => failures.push(code) });
    const { subscriptions } = channel("foo");
    const ids = [1, 2, 3].map(() => subscriptions.create(subState()));
    await store.flush();
    place.disk.inject({ operation: "sync", kind: "io", path: (path) => /\/subs\d+$/.test(path) });
    subscriptions.delete(ids[0]!);
    await place.clock.advanceAsync(1000);
    expect(failures).toEqual(["sync_failed"]);
    await expect(store.flush()).rejects.toMatchObject({ code: "sync_failed" });
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
