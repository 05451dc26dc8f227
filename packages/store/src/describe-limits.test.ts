import { durationFromMillis, durationNanos } from "@nats-streaming/kernel";
import { describe, expect, it } from "vitest";
import { describeLimits } from "./describe-limits.ts";
import { friendlyBytes } from "./friendly-bytes.ts";
import { type ChannelLimits, defaultStoreLimits, type StoreLimits } from "./limits.ts";
import { limitsInForce } from "./limits-in-force.ts";
import { limitsReachedText } from "./limits-warning.ts";

const seconds = (count: number) => durationFromMillis(count * 1000);
const HOUR = seconds(3600);
const MEGABYTE = 1024 * 1024;

function inForce(
  global: Partial<StoreLimits>,
  channels: Readonly<Record<string, Partial<ChannelLimits>>>,
): StoreLimits {
  const nothing = { maxSubscriptions: 0, maxMessages: 0, maxBytes: 0 };
  const none = { ...nothing, maxAge: durationNanos(0n), maxInactivity: durationNanos(0n) };
  const entries = Object.entries(channels).map(([name, values]) => [name, { ...none, ...values }] as const);
  return limitsInForce({ ...defaultStoreLimits, ...global, channels: new Map(entries) }).limits;
}

describe("describeLimits", () => {
  it("STO-L6 prints the defaults with a mark each and no list of channels", () => {
    expect(describeLimits(defaultStoreLimits)).toEqual([
      "---------- Store Limits ----------",
      "Channels:                  100 *",
      "--------- Channels Limits --------",
      "  Subscriptions:          1000 *",
      "  Messages     :       1000000 *",
      "  Bytes        :     976.56 MB *",
      "  Age          :     unlimited *",
      "  Inactivity   :     unlimited *",
      "----------------------------------",
    ]);
  });

  it("STO-L6 prints three wildcard and four literal entries with what differs from the parent", () => {
    const limits = inForce(
      { maxChannels: 10, maxMessages: 10_000, maxBytes: 10 * MEGABYTE, maxAge: HOUR },
      {
        foo: { maxMessages: 300, maxSubscriptions: 50 },
        "temp.>": { maxInactivity: HOUR },
        bar: { maxMessages: 50, maxBytes: 1024 },
        baz: { maxMessages: -1, maxBytes: MEGABYTE, maxAge: seconds(7200) },
        bozo: {},
        "foo.>": { maxMessages: 400 },
        "foo.bar.>": { maxAge: seconds(7200) },
      },
    );
    expect(describeLimits(limits)).toEqual([
      "---------- Store Limits ----------",
      "Channels:                   10",
      "--------- Channels Limits --------",
      "  Subscriptions:          1000 *",
      "  Messages     :         10000",
      "  Bytes        :      10.00 MB",
      "  Age          :        1h0m0s",
      "  Inactivity   :     unlimited *",
      "-------- List of Channels ---------",
      "foo",
      " |-> Subscriptions               50",
      " |-> Messages                   300",
      "foo.>",
      " |-> Messages                   400",
      " foo.bar.>",
      "  |-> Age                    2h0m0s",
      "temp.>",
      " |-> Inactivity              1h0m0s",
      "bar",
      " |-> Messages                    50",
      " |-> Bytes                  1.00 KB",
      "baz",
      " |-> Messages             unlimited",
      " |-> Bytes                  1.00 MB",
      " |-> Age                     2h0m0s",
      "bozo",
      "-----------------------------------",
    ]);
  });

  it("STO-L6 indents nested wildcards by their place in the chain", () => {
    const limits = inForce(
      { maxMessages: 11, maxBytes: 12, maxAge: seconds(13), maxSubscriptions: 14, maxInactivity: seconds(15) },
      {
        "*.>": { maxSubscriptions: 5 },
        "*.*": { maxBytes: 2 },
        "foo.>": { maxMessages: 10 },
        "foo.*.>": { maxBytes: 20 },
        "foo.*.*.>": { maxAge: seconds(30) },
        "foo.baz": { maxBytes: 70, maxSubscriptions: 80 },
        "foo.d.e.f": { maxMessages: 50, maxAge: seconds(60) },
        "foo.a.b.c": { maxSubscriptions: 40 },
        "bar.*.>": { maxMessages: 90 },
        "bar.baz.>": { maxBytes: 100, maxInactivity: seconds(110) },
        "bar.baz.boz": { maxInactivity: seconds(120) },
        "bar.baz.bat": {},
      },
    );
    expect(describeLimits(limits).slice(8)).toEqual([
      "--------- List of Channels ---------",
      "*.>",
      " |-> Subscriptions                 5",
      " *.*",
      "  |-> Bytes                      2 B",
      "  foo.>",
      "   |-> Messages                   10",
      "  foo.*.>",
      "   |-> Bytes                    20 B",
      "   foo.*.*.>",
      "    |-> Age                      30s",
      "   foo.baz",
      "    |-> Subscriptions             80",
      "    |-> Bytes                   70 B",
      "    foo.d.e.f",
      "     |-> Messages                 50",
      "     |-> Age                    1m0s",
      "    foo.a.b.c",
      "     |-> Subscriptions            40",
      " bar.*.>",
      "  |-> Messages                    90",
      "  bar.baz.>",
      "   |-> Bytes                   100 B",
      "   |-> Inactivity              1m50s",
      "   bar.baz.boz",
      "    |-> Inactivity              2m0s",
      "   bar.baz.bat",
      "------------------------------------",
    ]);
  });

  it("STO-L6 widens title, lines and closing line for a long name", () => {
    const limits = inForce(
      {},
      {
        ">": { maxMessages: 10 },
        "foo.>": { maxBytes: 1024, maxInactivity: seconds(5) },
        "foo.bar.>": { maxAge: seconds(1) },
        "foo.bar.baz.>": { maxSubscriptions: 20 },
        "a.very.long.channel.name.that.is.longer.than.the.title": { maxSubscriptions: 30 },
      },
    );
    expect(describeLimits(limits).slice(8)).toEqual([
      "------------------ List of Channels -------------------",
      ">",
      " |-> Messages                            10",
      " foo.>",
      "  |-> Bytes                         1.00 KB",
      "  |-> Inactivity                         5s",
      "  foo.bar.>",
      "   |-> Age                               1s",
      "   foo.bar.baz.>",
      "    |-> Subscriptions                    20",
      " a.very.long.channel.name.that.is.longer.than.the.title",
      "  |-> Subscriptions                      30",
      "-------------------------------------------------------",
    ]);
  });
});

describe("friendlyBytes", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.00 KB"],
    [1_048_575, "1024.00 KB"],
    [1_048_576, "1.00 MB"],
    [10_485_760, "10.00 MB"],
    [1_024_000_000, "976.56 MB"],
    [2 ** 50, "1.00 PB"],
    [Number.MAX_SAFE_INTEGER, "8.00 PB"],
  ])("prints %d as %s", (bytes, text) => {
    expect(friendlyBytes(bytes)).toBe(text);
  });
});

describe("limitsReachedText", () => {
  it("names the channel in quotes and both limits", () => {
    const limits = { ...defaultStoreLimits, maxMessages: 10, maxBytes: 2048 };
    expect(limitsReachedText('a"b', 10, 1536, limits)).toBe(
      'Reached limits for store "a\\"b" (msgs=10/10 bytes=1.50 KB/2.00 KB), dropping old messages to make room for new ones',
    );
  });
});
