import { describe, expect, it } from "vitest";
import { appendMany, newPlace, type Place, subState } from "../../test-support/place.ts";
import type { RecoveryMode } from "../options.ts";

const NAME = "foo/redeliveries.dat";
const synced = { options: { sync: true }, recovery: "quarantine" as const };

/** A channel with one subscription, to which messages 1 to 9 were sent. */
async function withPending(place: Place) {
  const { store, channel } = await place.open();
  const { messages, subscriptions } = channel("foo");
  appendMany(place, messages, 9);
  const id = subscriptions.create(subState());
  for (let s = 1; s <= 9; s++) subscriptions.addPending(id, s);
  const note = (sequence: number, count: number): void => subscriptions.noteRedelivery?.(id, sequence, count);
  return { store, subscriptions, id, note };
}

async function countsOf(place: Place, recovery: RecoveryMode = "strict", fileSystem = place.disk) {
  const { store, state } = await place.open({ recovery, fileSystem });
  const counts = state?.channels.get("foo")?.subscriptionStates.map(({ redeliveries }) => [...(redeliveries ?? [])]);
  return { store, counts };
}

describe("redeliveries.dat", () => {
  it("is made with the first count, and changes nothing in the files of the original", async () => {
    const [place, plain] = [newPlace(), newPlace()];
    const { store, note } = await withPending(place);
    const other = await withPending(plain);
    await store.flush();
    expect(place.names()).not.toContain(NAME);
    note(2, 1);
    note(2, 3);
    note(2, 3);
    await store.close();
    await other.store.close();
    expect(Buffer.from(place.bytes(NAME)).toString("hex")).toBe(
      "01000000" +
        "18000001fa8aee69010000000000000002000000000000000100000000000000" +
        "18000001878dcb2b010000000000000002000000000000000300000000000000",
    );
    for (const name of plain.names()) expect([name, place.bytes(name)]).toEqual([name, plain.bytes(name)]);
    expect(place.names().filter((name) => !plain.names().includes(name))).toEqual([NAME]);
    expect((await countsOf(place)).counts).toEqual([[[2, 3]]]);
  });

  it("survives a power loss as acks do: what is half a second old is there", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const place = newPlace(synced);
      const { note } = await withPending(place);
      for (let s = 1; s <= 5; s++) note(s, seed + 1);
      await place.clock.advanceAsync(600);
      const after = newPlace(synced);
      const { counts } = await countsOf(after, "quarantine", place.disk.crash("power"));
      expect(counts).toEqual([[1, 2, 3, 4, 5].map((s) => [s, seed + 1])]);
    }
  });

  it("goes once there is nothing pending that was redelivered, with whatever an earlier run has left in it", async () => {
    const place = newPlace();
    const { store, subscriptions, id, note } = await withPending(place);
    note(4, 2);
    note(5, 1);
    await store.flush();
    subscriptions.ackPending(id, 4);
    await store.close();
    const second = await countsOf(place);
    expect(second.counts).toEqual([[[5, 1]]]);
    await second.store.close();
    const third = await place.open();
    third.channel("foo").subscriptions.delete(id);
    await third.store.close();
    const fourth = await countsOf(place);
    expect([fourth.counts, place.size(NAME)]).toEqual([[], undefined]);
    await fourth.store.close();
  });

  it("stays small however often counts change", async () => {
    const place = newPlace();
    const { store, note } = await withPending(place);
    for (let round = 1; round <= 60; round++) {
      for (let count = 1; count <= 100; count++) for (let s = 1; s <= 9; s++) note(s, 100 * round + count);
      await place.clock.advanceAsync(1200);
      expect(place.size(NAME)).toBeLessThan(120_000);
    }
    await store.close();
    expect((await countsOf(place)).counts).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9].map((s) => [s, 6100])]);
  });

  for (const recovery of ["strict", "quarantine", "salvage"] as const) {
    it(`costs counts when it is damaged, and nothing else, in ${recovery} mode`, async () => {
      const place = newPlace();
      const { store, note } = await withPending(place);
      for (let s = 1; s <= 9; s++) note(s, s);
      await store.close();
      const whole = place.bytes(NAME).slice();
      for (let at = 0; at < whole.length; at++) {
        const bytes = whole.slice();
        bytes[at]! ^= 0x10;
        place.put(NAME, bytes);
        const { store: again, counts } = await countsOf(place, recovery);
        expect(again.quarantined).toEqual([]);
        // One record is damaged, or the version of the file.
        expect(counts![0]!.length).toBe(at < 4 ? 9 : 8);
        expect(counts![0]!.every(([s, count]) => s === count)).toBe(true);
        // At the end it may look as if a crash had cut it off.
        const told = again.damage.map(({ kind, file }) => [kind, file]);
        if (at < whole.length - 32 || told.length > 0) expect(told).toEqual([["salvaged", `/data/${NAME}`]]);
        await again.close();
        for (const { copy } of again.damage) place.remove(copy!.slice("/data/".length));
      }
      for (const end of [0, 3, 4, 20, 36, 40, 100]) {
        place.put(NAME, whole.slice(0, end));
        const { store: again, counts } = await countsOf(place, recovery);
        expect(counts![0]!.length).toBe(Math.max(0, Math.floor((end - 4) / 32)));
        await again.close();
        for (const { copy } of again.damage) if (copy !== undefined) place.remove(copy.slice("/data/".length));
      }
    });
  }

  it("is not taken over by a channel that gets the name of a removed one", async () => {
    const place = newPlace(synced);
    const { store, note } = await withPending(place);
    note(1, 1);
    await place.clock.advanceAsync(600);
    await store.deleteChannel("foo");
    const { subscriptions } = store.createChannel("foo");
    subscriptions.addPending(subscriptions.create(subState()), 1);
    await store.close();
    expect((await countsOf(place)).counts).toEqual([[]]);
  });
});
