import { describe, expect, it } from "vitest";
import {
  append,
  appendMany,
  client,
  newPlace,
  type Place,
  type PlaceSetup,
  subState,
} from "../../test-support/place.ts";
import { SubRecord } from "./subscription-records.ts";

/** Types of the records in a file of typed records. */
function types(place: Place, name: string): number[] {
  const bytes = place.bytes(name);
  const found: number[] = [];
  for (let at = 4; at < bytes.length; ) {
    found.push(bytes[at + 3]!);
    at += 8 + (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16));
  }
  return found;
}

const small: PlaceSetup = { options: { compactMinBytes: 0, compactIntervalSeconds: 10 } };

/** Writes what waits, and lets a compaction have its turn. */
async function settle(place: Place): Promise<void> {
  await place.clock.advanceAsync(600);
}

describe("compaction of subs.dat", () => {
  it("FS-SS2 happens on a removal that makes half of it useless, not more often than the interval", async () => {
    const place = newPlace(small);
    const { store, channel } = await place.open();
    const { subscriptions } = channel("foo");
    const ids = [1, 2, 3, 4].map(() => subscriptions.create(subState()));
    await store.flush();
    subscriptions.delete(ids[0]!);
    await settle(place);
    expect(types(place, "foo/subs.dat")).toEqual([1, 1, 1, 1, 3]);
    subscriptions.delete(ids[1]!);
    await settle(place);
    expect(types(place, "foo/subs.dat")).toEqual([SubRecord.new, SubRecord.new]);
    for (const id of ids.slice(2)) subscriptions.delete(id);
    await settle(place);
    expect(types(place, "foo/subs.dat")).toEqual([1, 1, 3, 3]);
    place.clock.advance(10_000);
    const last = subscriptions.create(subState({ inbox: "last" }));
    // Each new record says that nothing is useless, as in the original: three of six make half.
    const others = [1, 2, 3].map(() => subscriptions.create(subState()));
    for (const id of others) subscriptions.delete(id);
    await settle(place);
    expect(types(place, "foo/subs.dat")).toEqual([SubRecord.new]);
    expect(place.names().filter((name) => name.startsWith("subs"))).toEqual([]);
    await store.close();
    const again = await place.open();
    const states = again.state!.channels.get("foo")!.subscriptionStates;
    expect(states.map(({ state }) => [state.id, state.inbox])).toEqual([[last, "last"]]);
  });

  it("FS-SS2 counts across a restart", async () => {
    const place = newPlace(small);
    const { store, channel } = await place.open();
    const { subscriptions } = channel("foo");
    const ids = [1, 2, 3, 4].map(() => subscriptions.create(subState()));
    subscriptions.delete(ids[0]!);
    await store.close();
    const { channel: recovered } = await place.open();
    recovered("foo").subscriptions.delete(ids[1]!);
    await settle(place);
    expect(types(place, "foo/subs.dat")).toEqual([1, 1]);
  });

  it.each([[{ compactEnabled: false }], [{ compactMinBytes: 1_000_000 }], [{ compactFragmentationPercent: 100 }]])(
    "FS-SS2 does not happen with %j",
    async (options) => {
      const place = newPlace({ options: { ...small.options, ...options } });
      const { channel } = await place.open();
      const { subscriptions } = channel("foo");
      const ids = [1, 2, 3, 4].map(() => subscriptions.create(subState()));
      for (const id of ids.slice(0, 3)) subscriptions.delete(id);
      await settle(place);
      expect(types(place, "foo/subs.dat")).toEqual([1, 1, 1, 1, 3, 3, 3]);
    },
  );

  it("FS-SS3 FS-SS5 happens on acks too, and keeps the position, what is pending and what comes meanwhile", async () => {
    const place = newPlace(small);
    const { store, channel } = await place.open();
    const { messages, subscriptions } = channel("foo");
    appendMany(place, messages, 5);
    const id = subscriptions.create(subState());
    for (const s of [1, 2, 3, 4, 5]) subscriptions.addPending(id, s);
    await settle(place);
    for (const s of [4, 5]) subscriptions.ackPending(id, s);
    await settle(place);
    expect(types(place, "foo/subs.dat")).toEqual([1, 5, 5, 5, 5, 5, 4, 4]);
    subscriptions.ackPending(id, 3);
    // The file is being replaced now.
    const other = subscriptions.create(subState({ inbox: "other" }));
    await settle(place);
    expect(types(place, "foo/subs.dat")).toEqual([1, 5, 5, 1]);
    await store.close();
    const again = await place.open();
    expect(again.state!.channels.get("foo")!.subscriptionStates).toEqual([
      { state: subState({ id, lastSent: 5 }), pending: [1, 2] },
      { state: subState({ id: other, inbox: "other" }), pending: [] },
    ]);
  });

  it("FS-SS3 happens when a subscription with much that is pending is removed", async () => {
    const place = newPlace(small);
    const { channel } = await place.open();
    const { subscriptions } = channel("foo");
    subscriptions.create(subState());
    const id = subscriptions.create(subState());
    for (let s = 1; s <= 20; s++) subscriptions.addPending(id, s);
    subscriptions.delete(id);
    await settle(place);
    expect(types(place, "foo/subs.dat")).toEqual([1]);
  });

  it("leaves the old file in use, and nothing else, when the new one cannot be written", async () => {
    for (const operation of ["write", "sync", "rename"] as const) {
      const place = newPlace(small);
      const { store, channel } = await place.open();
      const { subscriptions } = channel("foo");
      const ids = [1, 2, 3].map(() => subscriptions.create(subState()));
      await store.flush();
      place.disk.inject({ operation, kind: "io", path: (path) => /^\/data\/subs\d+$/.test(path) });
      for (const id of ids.slice(0, 2)) subscriptions.delete(id);
      await settle(place);
      expect([operation, types(place, "foo/subs.dat")]).toEqual([operation, [1, 1, 1, 3, 3]]);
      expect(place.names().filter((name) => /^subs\d/.test(name))).toEqual([]);
      expect(
        place.logger.lines.some((line) => line.startsWith('ERR Unable to compact file "/data/foo/subs.dat"')),
      ).toBe(true);
      await store.close();
      const again = await place.open();
      expect(again.state!.channels.get("foo")!.subscriptionStates.length).toBe(1);
    }
  });
});

describe("compaction of clients.dat", () => {
  it("FS-G10 happens at half, across restarts, and only after the interval", async () => {
    const place = newPlace(small);
    const { store } = await place.open();
    for (const id of ["a", "b", "c", "d"]) store.addClient(client(id));
    store.deleteClient("a");
    await store.close();
    const again = await place.open();
    again.store.deleteClient("b");
    await settle(place);
    expect(types(place, "clients.dat")).toEqual([1, 1]);
    again.store.deleteClient("c");
    await settle(place);
    expect(types(place, "clients.dat")).toEqual([1, 1, 2]);
    place.clock.advance(10_000);
    again.store.addClient(client("e"));
    again.store.deleteClient("e");
    await settle(place);
    expect(types(place, "clients.dat")).toEqual([1]);
    await again.store.close();
    const last = await place.open();
    expect(last.state?.clients.map(({ id }) => id)).toEqual(["d"]);
  });

  it.each([[{ compactEnabled: false }], [{ compactMinBytes: 1_000_000 }]])(
    "FS-G10 does not happen with %j",
    async (options) => {
      const place = newPlace({ options: { ...small.options, ...options } });
      const { store } = await place.open();
      store.addClient(client("a"));
      store.deleteClient("a");
      await settle(place);
      expect(types(place, "clients.dat")).toEqual([1, 2]);
    },
  );
});

describe("subscription log", () => {
  it("FS-SS4 keeps no reference to the state that it is given", async () => {
    const place = newPlace();
    const { store, channel } = await place.open();
    const { subscriptions } = channel("foo");
    const state = { ...subState() };
    const id = subscriptions.create(state);
    state.inbox = "changed";
    const update = { ...subState({ id, ackInbox: "new" }) };
    subscriptions.update(update);
    update.ackInbox = "changed";
    await store.close();
    const again = await place.open();
    expect(again.state!.channels.get("foo")!.subscriptionStates).toEqual([
      { state: subState({ id, ackInbox: "new" }), pending: [] },
    ]);
  });

  it("FS-SS6 writes lazily, within a second, what no flush asks for, whatever the size of the buffer", async () => {
    for (const bufferBytes of [0, 100, 128, 448, 2_000_000]) {
      const place = newPlace({ options: { bufferBytes } });
      const { store, channel } = await place.open();
      const { subscriptions } = channel("foo");
      const id = subscriptions.create(subState());
      await store.flush();
      for (let s = 1; s <= 40; s++) subscriptions.addPending(id, s);
      for (let s = 1; s <= 10; s++) subscriptions.ackPending(id, s);
      if (bufferBytes >= 2_000_000) expect(types(place, "foo/subs.dat")).toEqual([1]);
      await place.clock.advanceAsync(1000);
      expect(types(place, "foo/subs.dat").length).toBe(51);
    }
  });

  it("FS-SS7 FS-SS8 refuses what cannot be written when there is no buffer, and does not count it", async () => {
    const place = newPlace({ options: { bufferBytes: 0 } });
    const { store, channel } = await place.open();
    const { subscriptions } = channel("foo");
    const id = subscriptions.create(subState());
    const fail = () =>
      place.disk.inject({ operation: "write", kind: "no_space", path: (path) => path.endsWith("subs.dat") });
    fail();
    expect(() => subscriptions.create(subState())).toThrow("write /data/foo/subs.dat: no space left on device");
    expect(subscriptions.count).toBe(1);
    // The other operations stand, and the flush that has to cover them says that it cannot.
    for (const work of [
      () => subscriptions.update(subState({ id, inbox: "changed" })),
      () => subscriptions.delete(77),
    ]) {
      const faults = place.disk.inject({
        operation: "write",
        kind: "no_space",
        times: 100,
        path: (path) => path.endsWith("subs.dat"),
      });
      work();
      await expect(store.flush()).rejects.toMatchObject({ code: "write_failed" });
      faults.remove();
      await store.flush();
    }
    await store.close();
    const again = await place.open();
    expect(again.state!.channels.get("foo")!.subscriptionStates).toEqual([
      { state: subState({ id, inbox: "changed" }), pending: [] },
    ]);
  });
});

describe("clients", () => {
  it("FS-G9 are not registered when their record cannot be written", async () => {
    const place = newPlace();
    const { store } = await place.open();
    place.disk.inject({ operation: "write", kind: "permission", path: (path) => path.endsWith("clients.dat") });
    expect(() => store.addClient(client("a"))).toThrow("write /data/clients.dat: permission denied");
    store.addClient(client("b"));
    await store.close();
    const again = await place.open();
    expect(again.state?.clients.map(({ id }) => id)).toEqual(["b"]);
  });
});

describe("auto sync", () => {
  it("FS-G22 flushes and syncs what nobody flushed, and only when there was something", async () => {
    const place = newPlace({ options: { autoSync: 5_000_000_000n as never } });
    const { store, channel } = await place.open();
    const { messages, subscriptions } = channel("foo");
    append(place, messages, "1");
    subscriptions.create(subState());
    const syncs = place.disk.inject({ operation: "sync", kind: "io", skip: 1_000_000 });
    await place.clock.advanceAsync(5000);
    expect([place.size("foo/msgs.1.dat")! > 4, types(place, "foo/subs.dat")]).toEqual([true, [1]]);
    const synced = place.disk.crash("power");
    expect(synced.statNow("/data/foo/msgs.1.dat")?.size).toBeGreaterThan(4);
    syncs.remove();
    await store.close().catch(() => {});
  });

  it("FS-G22 leaves messages in the buffer when it is off", async () => {
    const place = newPlace({ options: { autoSync: 0n as never } });
    const { store, channel } = await place.open();
    append(place, channel("foo").messages, "1");
    await place.clock.advanceAsync(600_000);
    expect(place.size("foo/msgs.1.dat")).toBeUndefined();
    await store.close();
    expect(place.size("foo/msgs.1.dat")).toBeGreaterThan(4);
  });
});

describe("deleteChannel()", () => {
  it("FS-G20 removes the directory, and the channel can be made again", async () => {
    const place = newPlace();
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 3);
    await store.flush();
    await store.deleteChannel("foo");
    expect(place.names().some((name) => name.startsWith("foo/"))).toBe(false);
    appendMany(place, store.createChannel("foo").messages, 1);
    await store.close();
    const again = await place.open();
    expect(again.state!.channels.get("foo")!.messages.count).toBe(1);
  });
});
