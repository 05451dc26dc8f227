import { describe, expect } from "vitest";
import { appendRange } from "./messages.ts";
import { expectRefused } from "./refusals.ts";
import type { Rows } from "./row.ts";
import { storeLimits } from "./scene.ts";
import { subState } from "./subscriptions.ts";

const TOO_MANY = "too many subscriptions per channel";

/** Rows U1 to U6 of store-interface.md 10.3. */
export function subscriptionRows(rows: Rows): void {
  describe("subscription log", () => {
    countRows(rows);
    recoveryRows(rows);
  });
}

function countRows({ subject, row }: Rows): void {
  row("STO-U1 refuses a subscription above max_subs, and counts a deletion once", async (scene) => {
    const store = await scene.open(storeLimits({ maxSubscriptions: 2 }));
    const { subscriptions } = store.createChannel("foo");
    subscriptions.create(subState());
    const last = subscriptions.create(subState());
    await expectRefused(() => subscriptions.create(subState()), "too_many_subscriptions", TOO_MANY);
    expect(subscriptions.count).toBe(2);
    subscriptions.delete(last);
    subscriptions.delete(last);
    expect(subscriptions.count).toBe(1);
    expect(subscriptions.create(subState())).toBeGreaterThan(last);
    await expectRefused(() => subscriptions.create(subState()), "too_many_subscriptions", TOO_MANY);

    store.setLimits(storeLimits({ maxSubscriptions: 0 }));
    const unlimited = store.createChannel("bar").subscriptions;
    for (let n = 0; n < 1500; n++) unlimited.create(subState());
    expect(unlimited.count).toBe(1500);
  });

  row("STO-U2 gives growing IDs and takes every call about unknown subscriptions", async (scene) => {
    const store = await scene.open();
    const { messages, subscriptions } = store.createChannel("foo");
    appendRange(scene, messages, 1, 3);
    const state = subState();
    const first = subscriptions.create(state);
    expect(first).toBeGreaterThan(0);
    expect(state.id).toBe(0);
    for (const s of [1, 1, 2]) subscriptions.addPending(first, s);
    for (const s of [1, 1, 3]) subscriptions.ackPending(first, s);
    subscriptions.update(subState({ id: first, inbox: "other" }));
    expect(subscriptions.count).toBe(1);
    const second = subscriptions.create(subState());
    const third = subscriptions.create(subState());
    subscriptions.delete(second);
    subscriptions.addPending(second, 1);
    subscriptions.ackPending(second, 1);
    subscriptions.ackPending(9999, 1);
    const fourth = subscriptions.create(subState());
    expect([second > first, third > second, fourth > third]).toEqual([true, true, true]);
    subscriptions.delete(fourth);
    expect(subscriptions.create(subState())).toBeGreaterThan(fourth);
    expect(subscriptions.count).toBe(3);
    await store.flush();
  });

  row(
    "records an update of an unknown ID as new, without a limit, and gives higher IDs from then on",
    async (scene) => {
      const store = await scene.open(storeLimits({ maxSubscriptions: 1 }));
      const { subscriptions } = store.createChannel("foo");
      const first = subscriptions.create(subState());
      subscriptions.update(subState({ id: first + 10 }));
      expect(subscriptions.count).toBe(2);
      subscriptions.delete(first);
      subscriptions.delete(first + 10);
      expect(subscriptions.create(subState())).toBeGreaterThan(first + 10);
      await store.flush();
    },
  );

  const space = subject.capabilities.subscriptionIdSpace;
  row(`counts subscription IDs per ${space}`, async (scene) => {
    const store = await scene.open();
    const foo = store.createChannel("foo").subscriptions.create(subState());
    const bar = store.createChannel("bar").subscriptions.create(subState());
    expect(bar - foo).toBe(space === "channel" ? 0 : 1);
  });
}

function recoveryRows({ recovery }: Rows): void {
  recovery(
    "STO-U3 recovers one subscription beside records about deleted and unknown ones, and counts it",
    async (_, store) => {
      const { subscriptions } = store.createChannel("foo");
      const gone = subscriptions.create(subState({ inbox: "gone" }));
      subscriptions.addPending(gone, 1);
      subscriptions.delete(gone);
      subscriptions.addPending(gone, 2);
      subscriptions.ackPending(gone, 1);
      subscriptions.delete(gone);
      subscriptions.delete(9999);
      const kept = subscriptions.create(subState({ inbox: "kept" }));
      await store.flush();
      return kept;
    },
    async (scene, { store }, kept) => {
      const limited = await scene.reopen(store, storeLimits({ maxSubscriptions: 1 }));
      const foo = limited.state.channels.get("foo")!;
      expect(foo.subscriptionStates).toEqual([{ state: subState({ id: kept, inbox: "kept" }), pending: [] }]);
      await expectRefused(() => foo.subscriptions.create(subState()), "too_many_subscriptions", TOO_MANY);
    },
  );

  recovery(
    "STO-U4 never gives an ID twice, even when the highest was deleted before the restart",
    async (_, store) => {
      const { subscriptions } = store.createChannel("foo");
      const ids = [1, 2, 3].map(() => subscriptions.create(subState()));
      subscriptions.delete(ids[2]!);
      await store.flush();
      return ids;
    },
    async (scene, { store, state }, ids) => {
      const id = state.channels.get("foo")!.subscriptions.create(subState());
      expect(ids.slice(0, 2)).not.toContain(id);
      expect(id).toBeGreaterThan(ids[1]!);
      await store.flush();
      const again = await scene.reopen(store);
      expect(again.state.channels.get("foo")?.subscriptionStates.map((one) => one.state.id)).toEqual([
        ids[0],
        ids[1],
        id,
      ]);
    },
  );

  recovery(
    "STO-U5 keeps the highest sequence ever delivered, over later deliveries, acks and restarts",
    async (scene, store) => {
      const { messages, subscriptions } = store.createChannel("foo");
      appendRange(scene, messages, 1, 10);
      const id = subscriptions.create(subState());
      for (const s of [1, 2, 7, 3]) subscriptions.addPending(id, s);
      await store.flush();
    },
    async (scene, { store, state }) => {
      const foo = state.channels.get("foo")!;
      const [recovered] = foo.subscriptionStates;
      expect([recovered?.state.lastSent, recovered?.pending]).toEqual([7, [1, 2, 3, 7]]);
      for (const s of [1, 2, 3, 7]) foo.subscriptions.ackPending(recovered!.state.id, s);
      await store.flush();
      const again = await scene.reopen(store);
      const [acked] = again.state.channels.get("foo")!.subscriptionStates;
      expect([acked?.state.lastSent, acked?.pending]).toEqual([7, []]);
    },
  );

  recovery(
    "STO-U6 replaces the record of a subscription by an update, and keeps what is pending",
    async (scene, store) => {
      const { messages, subscriptions } = store.createChannel("foo");
      appendRange(scene, messages, 1, 10);
      const id = subscriptions.create(subState({ durableName: "dur", isDurable: true }));
      subscriptions.addPending(id, 1);
      const changed = subState({
        id,
        clientId: "c2",
        inbox: "i2",
        ackInbox: "a2",
        maxInFlight: 5,
        ackWaitInSecs: 6,
        durableName: "dur",
        isDurable: true,
        isClosed: true,
        lastSent: 4,
      });
      subscriptions.update(changed);
      subscriptions.addPending(id, 9);
      const unknown = subState({ id: id + 5, qGroup: "dur:group", isDurable: true, clientId: "", lastSent: 3 });
      subscriptions.update(unknown);
      await store.flush();
      return { changed, unknown };
    },
    async (_, { state }, { changed, unknown }) => {
      const states = [...state.channels.get("foo")!.subscriptionStates].sort((a, b) => a.state.id - b.state.id);
      expect(states).toEqual([
        { state: { ...changed, lastSent: 9 }, pending: [1, 9] },
        { state: unknown, pending: [] },
      ]);
    },
  );
}
