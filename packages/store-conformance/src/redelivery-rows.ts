import type { RecoveredState, SubscriptionLog } from "@nats-streaming/store";
import { describe, expect } from "vitest";
import { appendRange } from "./messages.ts";
import type { Rows } from "./row.ts";
import { subState } from "./subscriptions.ts";

/** What the interface says of `noteRedelivery`: a store that leaves it out recovers no counts. */
export function redeliveryRows({ recovery }: Rows): void {
  describe("counts of redeliveries", () => {
    recovery(
      "are kept over restarts for what is pending, the last one of each message",
      async (scene, store) => {
        const { messages, subscriptions } = store.createChannel("foo");
        appendRange(scene, messages, 1, 4);
        const ids = [subscriptions.create(subState()), subscriptions.create(subState())] as const;
        for (const id of ids) for (const s of [1, 2, 3, 4]) subscriptions.addPending(id, s);
        note(subscriptions, ids[0], [1, 1], [1, 2], [3, 7]);
        note(subscriptions, ids[1], [1, 5], [4, 2 ** 32 - 1]);
        // The count goes with the message, and does not come back with it.
        for (const s of [1, 3]) subscriptions.ackPending(ids[0], s);
        subscriptions.addPending(ids[0], 3);
        note(subscriptions, ids[0], [2, 9]);
        await store.flush();
        return { ids, keeps: subscriptions.noteRedelivery !== undefined };
      },
      async (scene, { store, state }, { ids, keeps }) => {
        expect(countsOf(state, "foo")).toEqual({
          [ids[0]]: keptCounts(keeps, [2, 9]),
          [ids[1]]: keptCounts(keeps, [1, 5], [4, 2 ** 32 - 1]),
        });
        const { subscriptions } = state.channels.get("foo")!;
        subscriptions.ackPending(ids[1], 1);
        note(subscriptions, ids[0], [2, 10]);
        const again = await scene.reopen(store);
        expect(countsOf(again.state, "foo")).toEqual({
          [ids[0]]: keptCounts(keeps, [2, 10]),
          [ids[1]]: keptCounts(keeps, [4, 2 ** 32 - 1]),
        });
      },
    );

    recovery(
      "of what is not pending, of an unknown or a removed subscription, and of a removed channel are not kept",
      async (scene, store) => {
        const { messages, subscriptions } = store.createChannel("foo");
        appendRange(scene, messages, 1, 4);
        const kept = subscriptions.create(subState());
        const gone = subscriptions.create(subState());
        for (const id of [kept, gone]) subscriptions.addPending(id, 1);
        note(subscriptions, gone, [1, 3]);
        note(subscriptions, kept, [2, 3]);
        note(subscriptions, 9999, [1, 3]);
        subscriptions.delete(gone);
        note(subscriptions, gone, [1, 4]);
        const bar = store.createChannel("bar").subscriptions;
        const former = bar.create(subState());
        bar.addPending(former, 1);
        note(bar, former, [1, 8]);
        await store.flush();
        await store.deleteChannel("bar");
        const anew = store.createChannel("bar").subscriptions;
        const id = anew.create(subState());
        anew.addPending(id, 1);
        await store.flush();
        return { kept, id };
      },
      async (scene, { store, state }, { kept, id }) => {
        expect(countsOf(state, "foo")).toEqual({ [kept]: [] });
        expect(countsOf(state, "bar")).toEqual({ [id]: [] });
        // Whoever gets the ID of a subscription that is gone does not get its counts.
        const { subscriptions } = state.channels.get("foo")!;
        const next = subscriptions.create(subState());
        subscriptions.addPending(next, 1);
        const again = await scene.reopen(store);
        expect(countsOf(again.state, "foo")).toEqual({ [kept]: [], [next]: [] });
      },
    );

    recovery(
      "are as many as there are, however often they change",
      async (scene, store) => {
        const { messages, subscriptions } = store.createChannel("foo");
        appendRange(scene, messages, 1, 50);
        const id = subscriptions.create(subState());
        for (let s = 1; s <= 50; s++) subscriptions.addPending(id, s);
        for (let count = 1; count <= 200; count++) {
          for (let s = 1; s <= 50; s++) note(subscriptions, id, [s, count]);
          if (count % 20 === 0) await scene.clock.advanceAsync(1100);
        }
        await store.flush();
        return { id, keeps: subscriptions.noteRedelivery !== undefined };
      },
      async (_, { state }, { id, keeps }) => {
        const all = Array.from({ length: 50 }, (_each, i): [number, number] => [i + 1, 200]);
        expect(countsOf(state, "foo")).toEqual({ [id]: keptCounts(keeps, ...all) });
      },
    );
  });
}

type Count = readonly [sequence: number, count: number];

function note(subscriptions: SubscriptionLog, id: number, ...counts: readonly Count[]): void {
  for (const [sequence, count] of counts) subscriptions.noteRedelivery?.(id, sequence, count);
}

function keptCounts(keeps: boolean, ...counts: readonly Count[]): readonly Count[] {
  return keeps ? counts : [];
}

/** By subscription, in the order of sequences. */
function countsOf(state: RecoveredState, channel: string): Record<number, readonly Count[]> {
  const states = state.channels.get(channel)?.subscriptionStates ?? [];
  return Object.fromEntries(
    states.map(({ state: { id }, redeliveries }) => [
      id,
      [...(redeliveries ?? [])].sort(([one], [other]) => one - other),
    ]),
  );
}
