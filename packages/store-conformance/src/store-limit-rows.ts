import { durationNanos } from "@nats-streaming/kernel";
import type { ChannelLimits, StoreLimits } from "@nats-streaming/store";
import { describe, expect } from "vitest";
import { append, appendRange, expectMessages, sizeOf } from "./messages.ts";
import { expectRefused } from "./refusals.ts";
import type { Rows } from "./row.ts";
import { storeLimits } from "./scene.ts";
import { subState } from "./subscriptions.ts";

/** Rows S12 to S15 of store-interface.md 10.1: limits as they act on channels. */
export function storeLimitRows({ row }: Rows): void {
  describe("limits of channels", () => {
    row("STO-S12 holds each channel to its own limits, given and inherited", async (scene) => {
      // All messages are of one size, so that max_bytes can be given in messages.
      const store = await scene.open(storeLimits({ maxMessages: 10, maxSubscriptions: 3, maxBytes: 0 }));
      const size = sizeOf(scene, [append(scene, store.createChannel("size").messages, 1, { data: "0" })]);
      const cases: readonly [name: string, given: Partial<ChannelLimits>, messages: number, subscriptions: number][] = [
        ["plain", {}, 10, 3],
        ["msgs", { maxMessages: 4 }, 4, 3],
        ["more", { maxMessages: 20 }, 20, 3],
        ["subs", { maxSubscriptions: 1 }, 10, 1],
        ["many", { maxSubscriptions: 6 }, 10, 6],
        ["size", { maxBytes: 5 * size }, 5, 3],
        ["both", { maxMessages: 7, maxBytes: 5 * size + size - 1 }, 5, 3],
        ["free", { maxMessages: -1, maxSubscriptions: -1 }, 40, 9],
      ];
      const channels = Object.fromEntries(cases.map(([name, given]) => [name, given]));
      await store.deleteChannel("size");
      store.setLimits(storeLimits({ maxMessages: 10, maxSubscriptions: 3, maxBytes: 0 }, channels));
      for (const [name, , messages, subscriptions] of cases) {
        const channel = store.createChannel(name);
        for (let s = 1; s <= 40; s++) append(scene, channel.messages, s, { data: "0" });
        expect([name, channel.messages.count]).toEqual([name, messages]);
        for (let n = 0; n < subscriptions; n++) channel.subscriptions.create(subState());
        if (name === "free") continue;
        const text = "too many subscriptions per channel";
        await expectRefused(() => channel.subscriptions.create(subState()), "too_many_subscriptions", text);
        expect([name, channel.subscriptions.count]).toEqual([name, subscriptions]);
      }
    });

    row("STO-S13 refuses negative limits and keeps the former ones", async (scene) => {
      const former = storeLimits({ maxChannels: 3, maxMessages: 4 });
      const store = await scene.open(former);
      const negative: [Partial<StoreLimits>, string][] = [
        [{ maxAge: durationNanos(-1n) }, "max age limit cannot be negative (-1ns)"],
        [{ maxBytes: -1 }, "max bytes limit cannot be negative (-1)"],
        [{ maxChannels: -1 }, "max channels limit cannot be negative (-1)"],
        [{ maxMessages: -1 }, "max messages limit cannot be negative (-1)"],
        [{ maxSubscriptions: -1 }, "max subscriptions limit cannot be negative (-1)"],
      ];
      for (const [given, text] of negative) {
        await expectRefused(() => store.setLimits(storeLimits(given)), "invalid_limits", text);
        expect(store.limits).toEqual(former);
      }
      store.createChannel("foo");
      expect(store.channelLimits("foo")?.maxMessages).toBe(4);
    });

    row("STO-S14 gives a channel the limits of the narrowest wildcard", async (scene) => {
      const store = await scene.open(storeLimits({}, { ">": { maxMessages: 3 }, "foo.>": { maxMessages: 2 } }));
      const fooBar = store.createChannel("foo.bar").messages;
      const bar = store.createChannel("bar").messages;
      const kept = appendRange(scene, fooBar, 1, 10).slice(-2);
      await expectMessages(scene, fooBar, kept);
      await expectMessages(scene, bar, appendRange(scene, bar, 1, 10).slice(-3));
    });

    row("STO-S15 tells the limits of existing channels, as copies", async (scene) => {
      const store = await scene.open(
        storeLimits({ maxMessages: 10, maxSubscriptions: 5 }, { "foo.*": { maxMessages: 2, maxBytes: -1 } }),
      );
      expect(store.channelLimits("foo.bar")).toBeUndefined();
      store.createChannel("foo.bar");
      store.createChannel("foo");
      const narrow = { maxMessages: 2, maxBytes: 0, maxSubscriptions: 5, maxAge: 0n, maxInactivity: 0n };
      const wide = { ...narrow, maxMessages: 10, maxBytes: store.limits.maxBytes };
      expect(store.channelLimits("foo.bar")).toEqual(narrow);
      expect(store.channelLimits("foo")).toEqual(wide);
      Object.assign(store.channelLimits("foo") ?? {}, { maxMessages: 1 });
      expect(store.channelLimits("foo")).toEqual(wide);
      store.setLimits(storeLimits({ maxMessages: 77 }));
      expect(store.channelLimits("foo")).toEqual(wide);
    });
  });
}
