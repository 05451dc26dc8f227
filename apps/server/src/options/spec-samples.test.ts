import { type ChannelLimits, describeLimits, limitsInForce, type StoreLimits } from "@nats-streaming/store";
import { describe, expect, it } from "vitest";
import { resolveOptions } from "./resolve-options.ts";
import type { StreamingOptions } from "./streaming-options.ts";

/* The sample configuration files of the specifications, word for word, and the values that they are documented to have. */

function streaming(text: string, flags: readonly string[] = []): StreamingOptions {
  const readFile = () => ({ kind: "text", text }) as const;
  const resolved = resolveOptions(["-sc", "sample.conf", ...flags], {}, { readFile });
  if (resolved.kind !== "run") throw new Error(JSON.stringify(resolved));
  expect(resolved.warnings).toEqual([]);
  return resolved.streaming;
}

function limits(text: string): StoreLimits {
  return streaming(text).storeLimits;
}

describe("samples of configuration.md", () => {
  it("1.9 keys of three kinds in one line", () => {
    const options = streaming(`partitioning: true
store_limits: { channels: { foo.>: {}, "bar.*": {}, 'baz': {max_msgs: 10} } }
`);
    expect(options.partitioning).toBe(true);
    const { channels } = options.storeLimits;
    expect([...channels.keys()]).toEqual(["foo.>", "bar.*", "baz"]);
    expect([...channels.values()].map(({ maxMessages }) => maxMessages)).toEqual([0, 0, 10]);
  });

  it("1.9 a streaming section without separators, with comments", () => {
    const options = streaming(`streaming {
  cluster_id = my_cluster        # comment
  store_limits {
    max_bytes: 1GB; max_age: "24h"
    // another
    channels { "foo": {}
               "bar": {} }
  }
}
`);
    expect(options.clusterId).toBe("my_cluster");
    expect(options.storeLimits).toMatchObject({ maxBytes: 1_073_741_824, maxAge: 86_400_000_000_000n });
    expect([...options.storeLimits.channels.keys()]).toEqual(["foo", "bar"]);
  });

  it("9 the limits that the start-up lines show", () => {
    const text = `max_channels: 20, max_msgs: 500, max_age: "90m", max_inactivity: "2h", channels {
      foo.> { max_msgs: 10, max_bytes: 10MB }, foo.bar.> { max_age: "10m" }
      foo.bar.baz { max_subs: 5, max_msgs: 0, max_inactivity: "0" }, solo {} }`;
    expect(describeLimits(limitsInForce(limits(`store_limits { ${text} }`)).limits)).toEqual([
      "---------- Store Limits ----------",
      "Channels:                   20",
      "--------- Channels Limits --------",
      "  Subscriptions:          1000 *",
      "  Messages     :           500",
      "  Bytes        :     976.56 MB *",
      "  Age          :       1h30m0s",
      "  Inactivity   :        2h0m0s",
      "-------- List of Channels ---------",
      "foo.>",
      " |-> Messages                    10",
      " |-> Bytes                 10.00 MB",
      " foo.bar.>",
      "  |-> Age                     10m0s",
      "  foo.bar.baz",
      "   |-> Subscriptions              5",
      "   |-> Messages           unlimited",
      "   |-> Inactivity         unlimited",
      "solo",
      "-----------------------------------",
    ]);
  });
});

/** `msgs / bytes / age in seconds / subs`, 0 for unlimited. */
function effective(text: string, channel: string): string {
  const { maxMessages, maxBytes, maxAge, maxSubscriptions }: ChannelLimits = limitsInForce(limits(text)).forChannel(
    channel,
  );
  return [maxMessages, maxBytes, maxAge / 1_000_000_000n, maxSubscriptions].join(" / ");
}

describe("samples of store-limits.md", () => {
  const names = [
    ["max_channels", "max_channels mc maxchannels", "max_channels mc", "5"],
    ["max_subs", "max_subs msu max_subscriptions maxsubscriptions", "max_subs msu", "5"],
    ["max_msgs", "max_msgs mm maxmsgs max_count maxcount", "max_msgs mm", "5"],
    ["max_bytes", "max_bytes mb maxbytes", "max_bytes mb", "5KB"],
    ["max_age", "max_age ma maxage", "max_age ma", "5s"],
    ["max_inactivity", "max_inactivity mi maxinactivity", "max_inactivity mi", "5s"],
  ] as const;

  it.each(names)(
    "1 %s has these keys in any letter case, in each section, and these flags",
    (_name, keys, flags, value) => {
      const [first = "", ...others] = keys.split(" ");
      const expected = limits(`store_limits { ${first}: ${value} }`);
      expect(expected).not.toEqual(limits(""));
      for (const key of [...others, ...keys.toUpperCase().split(" ")]) {
        for (const section of ["store_limits", "limits", "storelimits", "Store_Limits"]) {
          expect(limits(`${section} { ${key}: ${value} }`)).toEqual(expected);
        }
      }
      for (const flag of flags.split(" ")) {
        // The command line wins over the file.
        expect(streaming(`limits { ${first}: ${value.replace("5", "7")} }`, [`-${flag}`, value]).storeLimits).toEqual(
          expected,
        );
      }
    },
  );

  it.each(["channels", "channels_limits", "channelslimits", "per_channel", "per_channel_limits", "Channels"])(
    "1 the list of channels may be called %s",
    (key) => {
      expect([...limits(`limits { ${key} { foo {} } }`).channels.keys()]).toEqual(["foo"]);
    },
  );

  const globals = 'max_msgs: 100, max_bytes: 1000, max_age: "1h", max_subs: 10';
  it.each([
    [
      "A",
      "> {max_subs: 20}, foo.> {max_msgs: 50}, foo.* {max_bytes: 500}, foo.bar {max_age: 300s}",
      "foo.bar",
      "50 / 500 / 300 / 20",
    ],
    [
      "A",
      "> {max_subs: 20}, foo.> {max_msgs: 50}, foo.* {max_bytes: 500}, foo.bar {max_age: 300s}",
      "foo.baz",
      "50 / 500 / 3600 / 20",
    ],
    [
      "A",
      "> {max_subs: 20}, foo.> {max_msgs: 50}, foo.* {max_bytes: 500}, foo.bar {max_age: 300s}",
      "foo.bar.baz",
      "50 / 1000 / 3600 / 20",
    ],
    [
      "A",
      "> {max_subs: 20}, foo.> {max_msgs: 50}, foo.* {max_bytes: 500}, foo.bar {max_age: 300s}",
      "foo",
      "100 / 1000 / 3600 / 20",
    ],
    ["B", "*.bar {max_msgs: 7}, foo.* {max_bytes: 8}", "foo.bar", "100 / 8 / 3600 / 10"],
    ["B", "*.bar {max_msgs: 7}, foo.* {max_bytes: 8}", "y.bar", "7 / 1000 / 3600 / 10"],
    [
      "C",
      'foo.> {max_msgs: 0, max_age: "0s"}, foo.bar {max_bytes: 0}, foo.baz {max_msgs: 5}',
      "foo.bar",
      "0 / 0 / 0 / 10",
    ],
    [
      "C",
      'foo.> {max_msgs: 0, max_age: "0s"}, foo.bar {max_bytes: 0}, foo.baz {max_msgs: 5}',
      "foo.baz",
      "5 / 1000 / 0 / 10",
    ],
    [
      "C",
      'foo.> {max_msgs: 0, max_age: "0s"}, foo.bar {max_bytes: 0}, foo.baz {max_msgs: 5}',
      "foo.bat",
      "0 / 1000 / 0 / 10",
    ],
    ["D", "*.* {max_msgs: 3}, foo.> {max_bytes: 9}", "foo.a.b", "3 / 9 / 3600 / 10"],
    ["D", "*.* {max_msgs: 3}, foo.> {max_bytes: 9}", "x.y.z", "100 / 1000 / 3600 / 10"],
    ["E", "* {max_msgs: 1}, > {max_bytes: 2}", "a", "1 / 2 / 3600 / 10"],
    ["E", "* {max_msgs: 1}, > {max_bytes: 2}", "a.b", "100 / 2 / 3600 / 10"],
    [
      "F",
      "foo.*.baz {max_msgs: 1}, foo.bar.* {max_bytes: 2}, foo.bar.baz {max_age: 1s}",
      "foo.bar.baz",
      "100 / 2 / 1 / 10",
    ],
    [
      "F",
      "foo.*.baz {max_msgs: 1}, foo.bar.* {max_bytes: 2}, foo.bar.baz {max_age: 1s}",
      "foo.x.baz",
      "1 / 1000 / 3600 / 10",
    ],
  ])("5 %s with { %s }: %s has %s", (_name, entries, channel, expected) => {
    expect(effective(`store_limits { ${globals}, channels { ${entries} } }`, channel)).toBe(expected);
  });

  it("7 the first example, three wildcard and four literal entries", () => {
    const text = `store_limits {
      max_channels: 10, max_msgs: 10000, max_bytes: 10MB, max_age: "1h"
      channels {
        foo { max_msgs: 300, max_subs: 50 }
        bar { max_msgs: 50, max_bytes: 1KB }
        baz { max_msgs: 0, max_bytes: 1MB, max_age: "2h" }
        bozo {}
        foo.> { max_msgs: 400 }
        foo.bar.> { max_age: "2h" }
        temp.> { max_inactivity: "1h" }
      }
    }`;
    const lines = describeLimits(limitsInForce(limits(text)).limits);
    expect(lines.slice(0, 9)).toEqual([
      "---------- Store Limits ----------",
      "Channels:                   10",
      "--------- Channels Limits --------",
      "  Subscriptions:          1000 *",
      "  Messages     :         10000",
      "  Bytes        :      10.00 MB",
      "  Age          :        1h0m0s",
      "  Inactivity   :     unlimited *",
      "-------- List of Channels ---------",
    ]);
    const groups = [
      ["foo", " |-> Subscriptions               50", " |-> Messages                   300"],
      ["foo.>", " |-> Messages                   400", " foo.bar.>", "  |-> Age                    2h0m0s"],
      ["temp.>", " |-> Inactivity              1h0m0s"],
      ["bar", " |-> Messages                    50", " |-> Bytes                  1.00 KB"],
      [
        "baz",
        " |-> Messages             unlimited",
        " |-> Bytes                  1.00 MB",
        " |-> Age                     2h0m0s",
      ],
    ];
    const listed = lines.join("\n");
    for (const group of groups) expect(listed).toContain(`\n${group.join("\n")}\n`);
    // And "bozo", which has no limit of its own, and the last line.
    expect(lines).toHaveLength(9 + groups.flat().length + 2);
  });
});
