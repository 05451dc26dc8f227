import { durationFromMillis, durationNanos } from "@nats-streaming/kernel";
import { type ChannelLimits, describeLimits, type StoreLimits } from "@nats-streaming/store";
import { describe, expect } from "vitest";
import { expectRefused } from "./refusals.ts";
import type { Rows } from "./row.ts";
import { storeLimits } from "./scene.ts";

const seconds = (count: number) => durationFromMillis(count * 1000);

/** Rows L1 to L7 of store-interface.md 10.4, as they show from outside of a store. */
export function limitsRows({ row }: Rows): void {
  describe("limits", () => {
    row("STO-L1 keeps per-channel limits under their name", async (scene) => {
      const given = { maxSubscriptions: 1, maxMessages: 2, maxBytes: 3, maxAge: seconds(4), maxInactivity: seconds(5) };
      const store = await scene.open(storeLimits({}, { foo: given }));
      expect(store.limits.channels.get("foo")).toEqual(given);
    });

    row("STO-L2 refuses invalid channel names and too many literal ones", async (scene) => {
      const former = storeLimits({ maxChannels: 2 });
      const store = await scene.open(former);
      for (const name of ["foo.*bar", "foo.**.bar", "foo.>.bar", "foo.", ".foo", "foo/bar"]) {
        const refused = storeLimits({}, { [name]: {} });
        await expectRefused(() => store.setLimits(refused), "invalid_limits", `invalid channel name "${name}"`);
      }
      await expectRefused(
        () => store.setLimits(storeLimits({ maxChannels: 2 }, { a: {}, b: {}, c: {} })),
        "invalid_limits",
        "too many channels defined (3). The max channels limit is set to 2",
      );
      expect(store.limits).toEqual(former);
    });

    row("STO-L3 takes channel values above and below the global ones, and -1 as unlimited", async (scene) => {
      const store = await scene.open(
        storeLimits(
          { maxMessages: 10, maxBytes: 1000 },
          { low: { maxMessages: 1 }, high: { maxMessages: 100 }, free: { maxBytes: -1, maxAge: durationNanos(-1n) } },
        ),
      );
      for (const name of ["low", "high", "free"]) store.createChannel(name);
      expect(store.channelLimits("low")).toMatchObject({ maxMessages: 1, maxBytes: 1000 });
      expect(store.channelLimits("high")).toMatchObject({ maxMessages: 100, maxBytes: 1000 });
      expect(store.channelLimits("free")).toMatchObject({ maxMessages: 10, maxBytes: 0, maxAge: 0n });
    });

    row("STO-L4 inherits along a chain of wildcard names", async (scene) => {
      const store = await scene.open(nested());
      const found = [...store.limits.channels].map(([name, limits]) => [name, ...figures(limits)]);
      expect(found).toEqual([
        ["*.>", 11, 12, 13, 5, 15],
        ["*.*", 11, 2, 13, 5, 15],
        ["foo.>", 10, 2, 13, 5, 15],
        ["foo.*.>", 10, 20, 13, 5, 15],
        ["foo.baz", 10, 70, 13, 80, 15],
        ["bar.*.>", 90, 12, 13, 5, 15],
      ]);
      for (const name of ["foo.baz", "foo.bat", "foo.a.b", "bar", "x.y", "bar.x.y"]) store.createChannel(name);
      const inForce = (name: string) => figures(store.channelLimits(name)!);
      expect(inForce("foo.baz")).toEqual([10, 70, 13, 80, 15]);
      expect(inForce("foo.bat")).toEqual([10, 2, 13, 5, 15]);
      expect(inForce("foo.a.b")).toEqual([10, 20, 13, 5, 15]);
      expect(inForce("bar")).toEqual([11, 12, 13, 14, 15]);
      expect(inForce("x.y")).toEqual([11, 2, 13, 5, 15]);
      expect(inForce("bar.x.y")).toEqual([90, 12, 13, 5, 15]);
    });

    row("STO-L5 counts literal names towards max_channels, not wildcard names", async (scene) => {
      const store = await scene.open(storeLimits({ maxChannels: 1 }, { a: {}, "a.*": {}, "b.>": {}, ">": {} }));
      expect(store.limits.channels.size).toBe(4);
      store.setLimits(storeLimits({ maxChannels: 0 }, { a: {}, b: {}, c: {} }));
      expect(store.limits.channels.size).toBe(3);
    });

    row("STO-L6 prints its limits in force with indentation and padding", async (scene) => {
      const store = await scene.open(nested());
      expect(describeLimits(store.limits)).toEqual([
        "---------- Store Limits ----------",
        "Channels:                  100 *",
        "--------- Channels Limits --------",
        "  Subscriptions:            14",
        "  Messages     :            11",
        "  Bytes        :          12 B",
        "  Age          :           13s",
        "  Inactivity   :           15s",
        "-------- List of Channels ---------",
        "*.>",
        " |-> Subscriptions                5",
        " *.*",
        "  |-> Bytes                     2 B",
        "  foo.>",
        "   |-> Messages                  10",
        "  foo.*.>",
        "   |-> Bytes                   20 B",
        "   foo.baz",
        "    |-> Subscriptions            80",
        "    |-> Bytes                  70 B",
        " bar.*.>",
        "  |-> Messages                   90",
        "-----------------------------------",
      ]);
    });

    row("STO-L7 does not follow changes of the limits it was given", async (scene) => {
      const channels = new Map<string, ChannelLimits>(storeLimits({}, { foo: { maxMessages: 5 } }).channels);
      const store = await scene.open({ ...storeLimits({}), channels });
      Object.assign(channels.get("foo") ?? {}, { maxMessages: 99 });
      channels.set("bar", { ...storeLimits({}), maxMessages: 1 });
      store.createChannel("foo");
      store.createChannel("bar");
      expect(store.channelLimits("foo")?.maxMessages).toBe(5);
      expect(store.channelLimits("bar")?.maxMessages).toBe(1_000_000);
      expect([...store.limits.channels.keys()]).toEqual(["foo"]);
    });
  });
}

/** Part of example G of store-limits.md. */
function nested(): StoreLimits {
  return storeLimits(
    { maxMessages: 11, maxBytes: 12, maxAge: seconds(13), maxSubscriptions: 14, maxInactivity: seconds(15) },
    {
      "*.>": { maxSubscriptions: 5 },
      "*.*": { maxBytes: 2 },
      "foo.>": { maxMessages: 10 },
      "foo.*.>": { maxBytes: 20 },
      "foo.baz": { maxBytes: 70, maxSubscriptions: 80 },
      "bar.*.>": { maxMessages: 90 },
    },
  );
}

/** Messages, bytes, age, subscriptions, inactivity. */
function figures(limits: ChannelLimits): number[] {
  const inSeconds = (duration: bigint) => Number(duration / 1_000_000_000n);
  return [
    limits.maxMessages,
    limits.maxBytes,
    inSeconds(limits.maxAge),
    limits.maxSubscriptions,
    inSeconds(limits.maxInactivity),
  ];
}
