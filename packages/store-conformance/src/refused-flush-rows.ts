import type { Store } from "@nats-streaming/store";
import { describe, expect } from "vitest";
import { append, appendRange, expectMessages } from "./messages.ts";
import { expectRefused } from "./refusals.ts";
import type { Rows } from "./row.ts";
import { type Scene, storeLimits } from "./scene.ts";
import { subState } from "./subscriptions.ts";

/** What a failed flush leaves behind: the durability rules of the design, rules 3 and 6. */
export function refusedFlushRows({ subject, row, omit }: Rows): void {
  const { faults } = subject;

  describe("failed flush", () => {
    if (faults === undefined) {
      if (subject.capabilities.recoverable) {
        omit("a failed flush takes back its batch", "the harness of this store offers no faults");
        return;
      }
      row("has nothing that a flush could fail to write (adapted: this store does not persist)", async (scene) => {
        const store = await scene.open();
        appendRange(scene, store.createChannel("foo").messages, 1, 3);
        expect(store.flush()).toBeUndefined();
      });
      return;
    }

    /** A channel with three durable messages, the next flush being doomed. */
    const doomed = async (scene: Scene, store: Store) => {
      const channel = store.createChannel("foo");
      const durable = appendRange(scene, channel.messages, 1, 3);
      await store.flush();
      faults.failNextFlush(scene.place, "write_failed");
      return { ...channel, durable };
    };

    row("takes back the messages of the batch and lets their sequences be used again", async (scene) => {
      const store = await scene.open();
      const { messages, durable } = await doomed(scene, store);
      appendRange(scene, messages, 4, 8);
      await expectRefused(() => store.flush(), "write_failed");
      await expectMessages(scene, messages, durable);
      const next = append(scene, messages, 4, { data: "after the disk was cleared" });
      await store.flush();
      await expectMessages(scene, messages, [...durable, next]);
      const { state } = await scene.reopen(store);
      await expectMessages(scene, state.channels.get("foo")!.messages, [...durable, next]);
    });

    row(
      "takes back what was appended while the flush was under way, and the waiting flush fails too",
      async (scene) => {
        const store = await scene.open();
        const { messages, durable } = await doomed(scene, store);
        appendRange(scene, messages, 4, 5);
        const first = store.flush();
        appendRange(scene, messages, 6, 9);
        const second = store.flush();
        await expectRefused(() => first, "write_failed");
        await expectRefused(() => second, "write_failed");
        await expectMessages(scene, messages, durable);
        const next = appendRange(scene, messages, 4, 6);
        await store.flush();
        const { state } = await scene.reopen(store);
        await expectMessages(scene, state.channels.get("foo")!.messages, [...durable, ...next]);
      },
    );

    row("takes back from every channel of the batch", async (scene) => {
      const store = await scene.open();
      const { messages, durable } = await doomed(scene, store);
      const bar = store.createChannel("bar").messages;
      appendRange(scene, messages, 4, 4);
      appendRange(scene, bar, 1, 4);
      await expectRefused(() => store.flush(), "write_failed");
      await expectMessages(scene, messages, durable);
      expect([bar.firstSequence, bar.lastSequence, bar.count, bar.bytes]).toEqual([0, 0, 0, 0]);
    });

    row("gives durable messages back that limits had removed in favour of the refused ones", async (scene) => {
      const store = await scene.open(storeLimits({ maxMessages: 3 }));
      const { messages, durable } = await doomed(scene, store);
      appendRange(scene, messages, 4, 8);
      await expectRefused(() => store.flush(), "write_failed");
      await expectMessages(scene, messages, durable);
    });

    row("goes on taking subscriptions and messages", async (scene) => {
      const store = await scene.open();
      const { messages, subscriptions } = await doomed(scene, store);
      append(scene, messages, 4);
      await expectRefused(() => store.flush(), "write_failed");
      const id = subscriptions.create(subState());
      subscriptions.addPending(id, 3);
      await store.flush();
      const { state } = await scene.reopen(store);
      const recovered = state.channels.get("foo")?.subscriptionStates.find((one) => one.state.id === id);
      expect(recovered).toEqual({ state: subState({ id, lastSent: 3 }), pending: [3] });
    });

    row("never makes anything durable again after a failed sync", async (scene) => {
      const store = await scene.open();
      const { messages } = store.createChannel("foo");
      appendRange(scene, messages, 1, 3);
      faults.failNextFlush(scene.place, "sync_failed");
      await expectRefused(() => store.flush(), "sync_failed");
      append(scene, messages, 4);
      await expectRefused(() => store.flush(), "sync_failed");
    });
  });
}
