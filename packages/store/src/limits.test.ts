import { durationFromMillis, durationNanos } from "@nats-streaming/kernel";
import { describe, expect, it } from "vitest";
import { checkLimits } from "./check-limits.ts";
import { type ChannelLimits, defaultStoreLimits, type StoreLimits } from "./limits.ts";
import { cloneLimits, limitsInForce } from "./limits-in-force.ts";
import { StoreError } from "./store.ts";

const HOUR = durationFromMillis(3_600_000);
const seconds = (count: number) => durationFromMillis(count * 1000);

/** As configured for a channel: what is not given is 0 and inherits. */
function entry(given: Partial<ChannelLimits> = {}): ChannelLimits {
  return {
    maxSubscriptions: 0,
    maxMessages: 0,
    maxBytes: 0,
    maxAge: durationNanos(0n),
    maxInactivity: durationNanos(0n),
    ...given,
  };
}

function limits(
  given: Partial<StoreLimits>,
  channels: Readonly<Record<string, Partial<ChannelLimits>>> = {},
): StoreLimits {
  const entries = Object.entries(channels).map(([name, values]) => [name, entry(values)] as const);
  return { ...defaultStoreLimits, ...given, channels: new Map(entries) };
}

/** Global values of the examples A, B and C. */
const globals = { maxMessages: 100, maxBytes: 1000, maxAge: HOUR, maxSubscriptions: 10 };

/** Messages, bytes, age in seconds, subscriptions. */
function effective(store: StoreLimits, channel: string): (number | string)[] {
  const found = limitsInForce(store).forChannel(channel);
  return [found.maxMessages, found.maxBytes, Number(found.maxAge / 1_000_000_000n), found.maxSubscriptions];
}

describe("limits", () => {
  it("STO-L1 keeps per-channel limits unchanged under their name until they are put in force", () => {
    const given = { maxSubscriptions: 1, maxMessages: 2, maxBytes: 3, maxAge: seconds(4), maxInactivity: seconds(5) };
    const store = limits({}, { foo: given });
    expect(store.channels.get("foo")).toEqual(given);
    expect(limitsInForce(store).limits.channels.get("foo")).toEqual(given);
  });

  describe("STO-L2 refuses", () => {
    it.each<[string, Partial<StoreLimits>]>([
      ["max channels limit cannot be negative (-1)", { maxChannels: -1 }],
      ["max subscriptions limit cannot be negative (-2)", { maxSubscriptions: -2 }],
      ["max messages limit cannot be negative (-3)", { maxMessages: -3 }],
      ["max bytes limit cannot be negative (-4)", { maxBytes: -4 }],
      ["max age limit cannot be negative (-5s)", { maxAge: seconds(-5) }],
      ["max inactivity limit cannot be negative (-1h0m0s)", { maxInactivity: seconds(-3600) }],
    ])("STO-L2 a global value: %s", (text, given) => {
      expect(checkLimits(limits(given))).toBe(text);
    });

    it("STO-L2 the first of several faults, in the order of the list", () => {
      const given = { maxChannels: 1, maxSubscriptions: -1, maxMessages: -1, maxBytes: -1, maxAge: seconds(-1) };
      expect(checkLimits(limits(given, { "foo.": {} }))).toBe("max subscriptions limit cannot be negative (-1)");
    });

    it.each([
      ["foo.*bar", '"foo.*bar"'],
      ["foo.**.bar", '"foo.**.bar"'],
      ["foo.>.bar", '"foo.>.bar"'],
      ["foo.", '"foo."'],
      [".foo", '".foo"'],
      ["foo/bar", '"foo/bar"'],
      ["", '""'],
      ["a\t/\u0001", '"a\\t/\\x01"'],
    ])("STO-L2 the channel name %j", (name, quoted) => {
      expect(checkLimits(limits({}, { [name]: {} }))).toBe(`invalid channel name ${quoted}`);
    });

    it("STO-L2 more literal names than max_channels", () => {
      const store = limits({ maxChannels: 2 }, { a: {}, b: {}, c: {}, "d.*": {} });
      expect(checkLimits(store)).toBe("too many channels defined (3). The max channels limit is set to 2");
    });

    it("STO-L2 numbers that are not whole", () => {
      expect(checkLimits(limits({ maxBytes: 1.5 }))).toBe("max bytes limit must be a whole number (1.5)");
      expect(checkLimits(limits({}, { a: { maxMessages: Number.NaN } }))).toBe(
        'limits of channel "a" must be whole numbers (NaN)',
      );
    });

    it("STO-L2 by throwing invalid_limits with the same text when they are to be put in force", () => {
      const store = limits({ maxBytes: -4 });
      expect(() => limitsInForce(store)).toThrow(
        new StoreError("invalid_limits", "max bytes limit cannot be negative (-4)"),
      );
    });
  });

  it("STO-L3 lets channel values be higher or lower than the global ones, and -1 unlimited one by one", () => {
    const names = ["maxSubscriptions", "maxMessages", "maxBytes", "maxAge", "maxInactivity"] as const;
    const base = { ...globals, maxInactivity: HOUR };
    for (const unlimited of names) {
      const minusOne = unlimited === "maxAge" || unlimited === "maxInactivity" ? durationNanos(-1n) : -1;
      const found = limitsInForce(limits(base, { foo: { [unlimited]: minusOne } })).forChannel("foo");
      for (const name of names) {
        const zero = name === "maxAge" || name === "maxInactivity" ? 0n : 0;
        expect(found[name]).toBe(name === unlimited ? zero : base[name]);
      }
    }
    const store = limits(globals, { low: { maxMessages: 1 }, high: { maxMessages: 1000 }, "foo.>": { maxBytes: 5 } });
    expect(effective(store, "low")[0]).toBe(1);
    expect(effective(store, "high")[0]).toBe(1000);
    const wider = limits(globals, { "foo.>": { maxBytes: 5 }, "foo.*": { maxBytes: 50_000 } });
    expect(effective(wider, "foo.bar")[1]).toBe(50_000);
    expect(effective(wider, "foo.bar.baz")[1]).toBe(5);
  });

  describe("STO-L4 inherits", () => {
    it("STO-L4 along a chain from > to the literal name (example A)", () => {
      const store = limits(globals, {
        ">": { maxSubscriptions: 20 },
        "foo.>": { maxMessages: 50 },
        "foo.*": { maxBytes: 500 },
        "foo.bar": { maxAge: seconds(300) },
      });
      expect(effective(store, "foo.bar")).toEqual([50, 500, 300, 20]);
      expect(effective(store, "foo.baz")).toEqual([50, 500, 3600, 20]);
      expect(effective(store, "foo.bar.baz")).toEqual([50, 1000, 3600, 20]);
      for (const channel of ["foo", "other", "a.b"]) expect(effective(store, channel)).toEqual([100, 1000, 3600, 20]);
    });

    it("STO-L4 from one of two matching patterns only: the one with the literal first token (example B)", () => {
      const store = limits(globals, { "*.bar": { maxMessages: 7 }, "foo.*": { maxBytes: 8 } });
      expect(effective(store, "foo.bar")).toEqual([100, 8, 3600, 10]);
      expect(effective(store, "y.bar")).toEqual([7, 1000, 3600, 10]);
      expect(effective(store, "foo.x")).toEqual([100, 8, 3600, 10]);
    });

    it("STO-L4 unlimited as unlimited (example C)", () => {
      const store = limits(globals, {
        "foo.>": { maxMessages: -1, maxAge: durationNanos(-1n) },
        "foo.bar": { maxBytes: -1 },
        "foo.baz": { maxMessages: 5 },
      });
      expect(effective(store, "foo.bar")).toEqual([0, 0, 0, 10]);
      expect(effective(store, "foo.baz")).toEqual([5, 1000, 0, 10]);
      expect(effective(store, "foo.bat")).toEqual([0, 1000, 0, 10]);
    });

    it("STO-L4 to foo.> from *.*, although that does not match foo.a.b (example D)", () => {
      const store = limits(
        { maxMessages: 100, maxBytes: 1000 },
        { "*.*": { maxMessages: 3 }, "foo.>": { maxBytes: 9 } },
      );
      const found = ["foo.a", "foo.a.b", "x.y", "x.y.z"].map((channel) => effective(store, channel).slice(0, 2));
      expect(found).toEqual([
        [3, 9],
        [3, 9],
        [3, 1000],
        [100, 1000],
      ]);
    });

    it("STO-L4 to * from > (example E)", () => {
      const store = limits({ maxMessages: 100 }, { "*": { maxMessages: 1 }, ">": { maxBytes: 2 } });
      expect(effective(store, "a").slice(0, 2)).toEqual([1, 2]);
      expect(effective(store, "a.b").slice(0, 2)).toEqual([100, 2]);
    });

    it("STO-L4 to a literal name from the narrower of two wildcards (example F)", () => {
      const store = limits(
        { maxMessages: 100, maxBytes: 1000 },
        { "foo.*.baz": { maxMessages: 1 }, "foo.bar.*": { maxBytes: 2 }, "foo.bar.baz": { maxAge: seconds(1) } },
      );
      expect(effective(store, "foo.bar.baz").slice(0, 3)).toEqual([100, 2, 1]);
      expect(effective(store, "foo.x.baz").slice(0, 2)).toEqual([1, 1000]);
      expect(effective(store, "foo.bar.x").slice(0, 2)).toEqual([100, 2]);
    });

    it("STO-L4 along the long chain of wildcard names (example G)", () => {
      const inForce = limitsInForce(exampleG()).limits;
      const rows = [...inForce.channels].map(([name, found]) => [
        name,
        found.maxMessages,
        found.maxBytes,
        Number(found.maxAge / 1_000_000_000n),
        found.maxSubscriptions,
        Number(found.maxInactivity / 1_000_000_000n),
      ]);
      expect(rows).toEqual([
        ["*.>", 11, 12, 13, 5, 15],
        ["*.*", 11, 2, 13, 5, 15],
        ["foo.>", 10, 2, 13, 5, 15],
        ["foo.*.>", 10, 20, 13, 5, 15],
        ["foo.*.*.>", 10, 20, 30, 5, 15],
        ["foo.a.b.c", 10, 20, 30, 40, 15],
        ["foo.d.e.f", 50, 20, 60, 5, 15],
        ["foo.baz", 10, 70, 13, 80, 15],
        ["bar.*.>", 90, 12, 13, 5, 15],
        ["bar.baz.>", 90, 100, 13, 5, 110],
        ["bar.baz.boz", 90, 100, 13, 5, 120],
        ["bar.baz.bat", 90, 100, 13, 5, 110],
      ]);
    });

    it("STO-L4 everything when an entry gives nothing, and the global limits when no entry matches", () => {
      const store = limits(globals, { a: {} });
      expect(checkLimits(store)).toBeUndefined();
      expect(effective(store, "a")).toEqual([100, 1000, 3600, 10]);
      expect(effective(store, "b")).toEqual([100, 1000, 3600, 10]);
    });

    it("STO-L4 the same whatever the order of the entries", () => {
      const store = exampleG();
      const reversed = { ...store, channels: new Map([...store.channels].reverse()) };
      const sorted = (one: StoreLimits) => [...limitsInForce(one).limits.channels].sort(([a], [b]) => (a < b ? -1 : 1));
      expect(sorted(reversed)).toEqual(sorted(store));
    });
  });

  it("STO-L5 counts literal names towards max_channels and wildcard names not", () => {
    const wildcards = { "a.*": {}, "b.*": {}, "c.>": {}, ">": {} };
    expect(checkLimits(limits({ maxChannels: 1 }, { ...wildcards, a: {} }))).toBeUndefined();
    expect(checkLimits(limits({ maxChannels: 1 }, { ...wildcards, a: {}, b: {} }))).toBe(
      "too many channels defined (2). The max channels limit is set to 1",
    );
    expect(checkLimits(limits({ maxChannels: 0 }, { a: {}, b: {}, c: {} }))).toBeUndefined();
  });

  it("STO-L7 copies deeply: a clone is equal and does not follow later changes", () => {
    const channels = new Map([["foo", entry({ maxMessages: 5 })]]);
    const original = { ...defaultStoreLimits, channels };
    const clone = cloneLimits(original);
    const inForce = limitsInForce(original);
    expect(clone).toEqual(original);
    Object.assign(channels.get("foo") ?? {}, { maxMessages: 99 });
    channels.set("bar", entry());
    expect([...clone.channels]).toEqual([["foo", entry({ maxMessages: 5 })]]);
    expect(inForce.limits.channels.get("foo")?.maxMessages).toBe(5);
    expect([...inForce.limits.channels.keys()]).toEqual(["foo"]);
  });

  it("gives the limits of a channel as a copy", () => {
    const inForce = limitsInForce(limits(globals, { foo: { maxMessages: 5 } }));
    Object.assign(inForce.forChannel("foo"), { maxMessages: 6 });
    Object.assign(inForce.forChannel("other"), { maxMessages: 6 });
    expect(inForce.forChannel("foo").maxMessages).toBe(5);
    expect(inForce.forChannel("other").maxMessages).toBe(100);
  });
});

function exampleG(): StoreLimits {
  return limits(
    {
      maxMessages: 11,
      maxBytes: 12,
      maxAge: seconds(13),
      maxSubscriptions: 14,
      maxInactivity: seconds(15),
    },
    {
      "*.>": { maxSubscriptions: 5 },
      "*.*": { maxBytes: 2 },
      "foo.>": { maxMessages: 10 },
      "foo.*.>": { maxBytes: 20 },
      "foo.*.*.>": { maxAge: seconds(30) },
      "foo.a.b.c": { maxSubscriptions: 40 },
      "foo.d.e.f": { maxMessages: 50, maxAge: seconds(60) },
      "foo.baz": { maxBytes: 70, maxSubscriptions: 80 },
      "bar.*.>": { maxMessages: 90 },
      "bar.baz.>": { maxBytes: 100, maxInactivity: seconds(110) },
      "bar.baz.boz": { maxInactivity: seconds(120) },
      "bar.baz.bat": {},
    },
  );
}
